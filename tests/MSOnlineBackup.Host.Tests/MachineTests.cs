using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class MachineTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_machine_is_renamed_and_goes_on_from_its_points()
    {
        Assert.Equal(0, (await RunAsync("vault", "create", _folder["vault"], "--owner-file", _folder["owner"])).ExitCode);
        Directory.CreateDirectory(_folder["source"]);
        await File.WriteAllTextAsync(Path.Combine(_folder["source"], "file"), "content", TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(Path.Combine(_folder["source"], "file"), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(0, (await RunAsync("backup", _folder["source"], "--machine", "ALPHA")).ExitCode);

        (int exitCode, string output, string error) = await RunAsync("machine", "rename", "alpha", "Beta");

        Assert.Equal((0, "", "The machine 'alpha' is called 'Beta' from now on."), (exitCode, error, output.Trim()));
        JsonElement machine = JsonDocument.Parse((await RunAsync("machine", "list", _folder["vault"], "--json")).Output.Split('\n')[0]).RootElement;
        Assert.Equal(
            ("Beta", "ALPHA", JsonValueKind.Null),
            (machine.GetProperty("name").GetString(), machine.GetProperty("firstName").GetString(), machine.GetProperty("left").ValueKind));
        Assert.Contains("FIRST CALLED", (await RunAsync("machine", "list", _folder["vault"])).Output, StringComparison.Ordinal);
        Assert.Contains("MachineNameTaken", (await RunAsync("backup", _folder["source"], "--machine", "ALPHA")).Error, StringComparison.Ordinal);
        Assert.Contains(": 0 new, ", (await RunAsync("backup", _folder["source"], "--machine", "BETA")).Output, StringComparison.Ordinal);
        Assert.Equal(
            2,
            (await RunAsync("points", "--machine", "beta", "--json")).Output.Split('\n').Count(
                line => line.Contains("\"type\":\"point\"", StringComparison.Ordinal)));
        Assert.Equal(1, (await RunAsync("machine", "rename", "nobody", "GAMMA")).ExitCode);
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        if (arguments is not (["vault", ..] or ["machine", "list", ..]))
        {
            run.Variables["OBENGINE_VAULT"] = _folder["vault"];
        }

        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }
}
