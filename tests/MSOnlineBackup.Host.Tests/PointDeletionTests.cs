using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class PointDeletionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_point_is_deleted_listed_among_the_deleted_and_brought_back()
    {
        string[] ids = await MakeAsync(3);

        (int exitCode, string output, string error) = await RunAsync("points", "delete", ids[0], ids[1], "--reason", "tidied");
        Assert.Equal((0, ""), (exitCode, error));
        Assert.StartsWith("2 points deleted. Until ", output, StringComparison.Ordinal);
        Assert.Equal([ids[2]], await PointsAsync());
        Assert.Equal(0, (await RunAsync("verify", "--read-data")).ExitCode);

        JsonElement[] deleted = await JsonAsync("points", "deleted");
        Assert.Equal([ids[1], ids[0]], deleted.Select(line => line.GetProperty("id").GetString()!));
        Assert.All(deleted, line => Assert.Equal(("deletedPoint", "tidied"), (line.GetProperty("type").GetString(), line.GetProperty("reason").GetString())));
        Assert.Contains("KEPT UNTIL", (await RunAsync("points", "deleted")).Output, StringComparison.Ordinal);

        Assert.Equal("1 point brought back.", (await RunAsync("points", "undelete", ids[0][..14])).Output.Trim());
        Assert.Equal([ids[2], ids[0]], await PointsAsync());
        Assert.Contains("RecoveryPointNotFound", (await RunAsync("points", "undelete", ids[0])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_newest_point_stays_unless_the_whole_machine_goes()
    {
        string[] ids = await MakeAsync(2);

        (int exitCode, _, string error) = await RunAsync("points", "delete", "latest");
        Assert.Equal(1, exitCode);
        Assert.Contains("RecoveryPointIsNewest", error, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("points", "delete")).ExitCode);
        Assert.Equal(2, (await RunAsync("points", "delete", "--all")).ExitCode);
        Assert.Equal(2, (await RunAsync("points", "delete", ids[0], "--all", "--machine", "ALPHA")).ExitCode);
        Assert.Equal(2, (await PointsAsync()).Length);

        Assert.StartsWith("2 points deleted.", (await RunAsync("points", "delete", "--all", "--machine", "ALPHA")).Output, StringComparison.Ordinal);
        Assert.Empty(await PointsAsync());
        Assert.Equal(2, (await JsonAsync("points", "deleted", "--machine", "alpha")).Length);
    }

    [Fact]
    public async Task A_damaged_point_is_deleted_by_its_id()
    {
        string[] ids = await MakeAsync(2);
        string file =
            Directory.EnumerateFiles(_folder["vault"], ids[1], SearchOption.AllDirectories).Single(path => path.Contains("points", StringComparison.Ordinal));
        File.SetAttributes(file, FileAttributes.Normal);
        await File.WriteAllBytesAsync(file, [1, 2, 3], TestContext.Current.CancellationToken);
        Assert.Equal(3, (await RunAsync("points")).ExitCode);

        Assert.Equal(0, (await RunAsync("points", "delete", ids[1])).ExitCode);

        Assert.Equal(0, (await RunAsync("points")).ExitCode);
        Assert.Equal([ids[0]], await PointsAsync());
    }

    private async Task<string[]> MakeAsync(int count)
    {
        Assert.Equal(0, (await RunAsync("vault", "create", _folder["vault"], "--owner-file", _folder["owner"])).ExitCode);
        Directory.CreateDirectory(_folder["source"]);
        var ids = new List<string>();
        for (int i = 0; i < count; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(_folder["source"], $"{i}"), $"{i}", TestContext.Current.CancellationToken);
            ids.Add((await RunAsync("backup", _folder["source"], "--machine", "ALPHA", "--json")).Output.Split('\n')
                .Where(line => line.Contains("\"summary\"", StringComparison.Ordinal)).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("pointId").GetString()!).Single());
        }

        return [.. ids];
    }

    private async Task<string[]> PointsAsync() => [.. (await JsonAsync("points")).Select(line => line.GetProperty("id").GetString()!)];

    private async Task<JsonElement[]> JsonAsync(params string[] arguments) =>
    [
        .. (await RunAsync([.. arguments, "--json"])).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("type").GetString() != "summary"),
    ];

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        if (arguments is not ["vault", ..])
        {
            run.Variables["OBENGINE_VAULT"] = _folder["vault"];
        }

        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }
}
