using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class RepairDataTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_damaged_pack_is_told_mended_and_stored_again_by_the_next_backup()
    {
        await MakeAsync();
        string pack = Damage();

        JsonElement planned = await SummaryAsync(1, "repair", "--dry-run");
        Assert.Equal((true, 1, 1), (planned.GetProperty("rehearsal").GetBoolean(), planned.GetProperty("packsDamaged").GetInt32(), planned.GetProperty("chunksLost").GetInt32()));
        Assert.True(File.Exists(pack));

        (int exitCode, string output, _) = await RunAsync("repair", "data");
        Assert.Equal(1, exitCode);
        Assert.Contains($"DAMAGED  stores/", output, StringComparison.Ordinal);
        Assert.Contains("1 lost", output, StringComparison.Ordinal);
        Assert.Contains(_folder["source"], output, StringComparison.Ordinal);
        Assert.Contains("deleted   1 damaged pack", output, StringComparison.Ordinal);
        Assert.False(File.Exists(pack));

        Assert.Equal(0, (await RunAsync("backup", _folder["source"], "--machine", "ALPHA")).ExitCode);
        Assert.Equal(0, (await RunAsync("verify", "--read-data")).ExitCode);
        JsonElement again = await SummaryAsync(0, "repair");
        Assert.Equal((0, 0), (again.GetProperty("packsDamaged").GetInt32(), again.GetProperty("findings").GetInt32()));
    }

    [Fact]
    public async Task Without_reading_packs_a_changed_byte_is_not_seen()
    {
        await MakeAsync();
        Damage();

        JsonElement read = await SummaryAsync(0, "repair", "--share", "0");

        Assert.Equal(0, read.GetProperty("packsRead").GetInt32());
        Assert.NotEqual(0, (await RunAsync("repair", "--share", "101")).ExitCode);
    }

    private async Task MakeAsync()
    {
        Assert.Equal(0, (await RunAsync("vault", "create", _folder["vault"], "--owner-file", _folder["owner"])).ExitCode);
        new SourceTreeBuilder(_folder["source"]).File("large", 3_000_000, seed: 1).File("other", 1_000_000, seed: 2);
        Assert.Equal(0, (await RunAsync("backup", _folder["source"], "--machine", "ALPHA")).ExitCode);
    }

    // One byte of the largest pack.
    private string Damage()
    {
        FileInfo pack = new DirectoryInfo(_folder["vault"]).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.FullName.Contains("/packs/", StringComparison.Ordinal)).MaxBy(file => file.Length)!;
        byte[] content = File.ReadAllBytes(pack.FullName);
        content[100] ^= 1;
        File.SetAttributes(pack.FullName, FileAttributes.Normal);
        File.WriteAllBytes(pack.FullName, content);
        return pack.FullName;
    }

    private async Task<JsonElement> SummaryAsync(int exitCode, params string[] arguments)
    {
        (int code, string output, _) = await RunAsync([.. arguments, "--json"]);
        Assert.Equal(exitCode, code);
        return JsonDocument.Parse(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        // The folder stamps what it gets with this machine's time.
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        if (arguments is not ["vault", ..])
        {
            run.Variables["OBENGINE_VAULT"] = _folder["vault"];
        }

        run.Clock.JumpTo(TimeProvider.System.GetUtcNow());
        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }
}
