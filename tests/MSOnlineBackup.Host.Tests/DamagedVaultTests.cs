using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What the commands say of a vault that is damaged, or that somebody made who means harm.</summary>
public sealed class DamagedVaultTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private int _runs;

    private string Vault => _folder["vault"];

    private string Source => _folder["source"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_damaged_newest_point_is_an_error_for_latest_and_told_by_whatever_lists()
    {
        await MakeAsync();
        string newest = PointFiles()[^1];
        await File.WriteAllBytesAsync(newest, [1, 2, 3], TestContext.Current.CancellationToken);
        string id = Path.GetFileName(newest)[..12];

        HostRun points = await RunAsync(3, "points");
        Assert.Equal(2, points.Output.Split('\n').Count(line => line.Contains("test-machine", StringComparison.Ordinal)));
        Assert.Contains(
            "damaged (VaultDataCorrupt)", points.Output.Split('\n').Single(line => line.StartsWith(id, StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(
            "\"type\":\"damagedPoint\",\"id\":\"" + Path.GetFileName(newest), (await RunAsync(3, "points", "--json")).Output, StringComparison.Ordinal);

        foreach (string[] command in (string[][])[["restore", "latest", "--to", _folder["out"]], ["ls", "latest"], ["ls", id], ["find", "*", "--point", "latest"], ["skipped", "latest"]])
        {
            HostRun refused = await RunAsync(1, command);
            Assert.Contains("VaultDataCorrupt", refused.Error, StringComparison.Ordinal);
            Assert.Contains(id, refused.Error, StringComparison.Ordinal);
        }

        HostRun restored = await RunAsync(0, "restore", "latest", "--to", _folder["out"], "--skip-damaged");
        Assert.Contains("warning: The recovery point " + id, restored.Error, StringComparison.Ordinal);
        Assert.Equal("one", await File.ReadAllTextAsync(_folder["out"] + Path.Combine(Source, "a"), TestContext.Current.CancellationToken));

        HostRun found = await RunAsync(3, "find", "a", "--quiet");
        Assert.Contains("warning: The recovery point " + id, found.Error, StringComparison.Ordinal);
        Assert.Contains("/source/a", found.Output, StringComparison.Ordinal);
        Assert.Contains("PROBLEM", (await RunAsync(1, "verify")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_skipped_items_that_is_damaged_is_told()
    {
        await MakeAsync();
        await RunAsync(4, "backup", Source, _folder["none"]);
        Assert.Contains("/none", (await RunAsync(0, "skipped", "latest")).Output, StringComparison.Ordinal);
        foreach (string pack in Directory.GetFiles(Path.Combine(Vault, "stores"), "*", SearchOption.AllDirectories).Where(file => file.Contains("/packs/", StringComparison.Ordinal)))
        {
            File.Delete(pack);
        }

        HostRun skipped = await RunAsync(3, "skipped", "latest");

        Assert.Contains("warning: ", skipped.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing was skipped", skipped.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newest_point_that_was_deleted_is_told_by_a_verification()
    {
        await MakeAsync();
        File.Delete(PointFiles()[^1]);

        HostRun verified = await RunAsync(1, "verify");
        HostRun latest = await RunAsync(1, "ls", "latest");

        Assert.Contains("PROBLEM", verified.Output, StringComparison.Ordinal);
        Assert.Contains("it was deleted or lost", verified.Output, StringComparison.Ordinal);
        Assert.Contains("it was deleted or lost", latest.Error, StringComparison.Ordinal);

        // What says that there was one is gone as well.
        File.Delete(Directory.GetFiles(Vault, "*", SearchOption.AllDirectories).Where(file => file.Contains("/commits/", StringComparison.Ordinal)).Max(StringComparer.Ordinal)!);
        Assert.Contains("NO POINT", (await RunAsync(3, "verify")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_passphrase_it_is_said_what_cannot_be_seen()
    {
        await MakeAsync();
        await File.WriteAllTextAsync(Path.Combine(Vault, "machines", "desktop.ini"), "[x]", TestContext.Current.CancellationToken);

        HostRun verified = await RunAsync(0, "verify", "--read-packs");

        Assert.Contains("not seen  what needs the passphrase", verified.Output, StringComparison.Ordinal);
        Assert.Contains("UNKNOWN  machines/desktop.ini", verified.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_writer_that_died_has_left_is_shown()
    {
        await MakeAsync();
        Assert.DoesNotContain("unwritten", (await RunAsync(0, "vault", "info", Vault)).Output, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(Vault, ".tmp"));
        await File.WriteAllBytesAsync(Path.Combine(Vault, ".tmp", new string('a', 32)), new byte[2000], TestContext.Current.CancellationToken);

        foreach (string[] command in (string[][])[["vault", "info", Vault], ["verify"], ["verify", "--read-packs"]])
        {
            Assert.Contains("unwritten 1 temporary file", (await RunAsync(0, command)).Output, StringComparison.Ordinal);
            Assert.Contains("\"temporaryFiles\":1,\"temporaryBytes\":2000", (await RunAsync(0, [.. command, "--json"])).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Names_and_words_from_a_vault_never_reach_a_terminal_as_commands()
    {
        await MakeAsync("--machine", "m\e[31m\u009b2J\u202ex", "--tag", "t\e]0;owned\a");

        foreach (string[] command in (string[][])[["points"], ["vault", "info", Vault], ["ls", "latest", "-R", "-l"], ["verify"]])
        {
            HostRun run = await RunAsync(0, command);
            Assert.DoesNotContain(run.Output + run.Error, c => (char.IsControl(c) && c != '\n') || c == '\u202e');
        }

        Assert.Contains("t\\x1b]0;owned\\x07", (await RunAsync(0, "points")).Output, StringComparison.Ordinal);
    }

    private async Task MakeAsync(params string[] options)
    {
        Directory.CreateDirectory(Source);
        await File.WriteAllTextAsync(Path.Combine(Source, "a"), "one", TestContext.Current.CancellationToken);
        await RunAsync(0, "vault", "create", Vault, "--owner-file", Vault + ".VaultOwner");
        await RunAsync(0, ["backup", Source, .. options]);
        await File.WriteAllTextAsync(Path.Combine(Source, "a"), "two two", TestContext.Current.CancellationToken);
        await RunAsync(0, ["backup", Source, .. options]);
    }

    private string[] PointFiles() =>

        [
            .. Directory.GetFiles(Path.Combine(Vault, "stores"), "*", SearchOption.AllDirectories)
                .Where(file => file.Contains("/points/", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        ];

    private async Task<HostRun> RunAsync(int exitCode, params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = "a passphrase for tests", ["OBENGINE_VAULT"] = Vault } };
        run.Clock.Advance(TimeSpan.FromMinutes(++_runs));
        int code = await run.RunAsync(arguments);
        Assert.True(code == exitCode, $"{string.Join(' ', arguments)} ended with {code}:\n{run.Output}\n{run.Error}");
        return run;
    }
}
