using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Sources as a shell names them, and what is said of those that are lost or left out.</summary>
public sealed class SourceTests : IDisposable
{
    private readonly Obengine _obengine = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task A_lost_source_is_named_and_ends_with_a_code_of_its_own()
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("a/one", 10).File("b/two", 10);
        string[] sources = [Path.Combine(_obengine.Source, "a"), Path.Combine(_obengine.Source, "b")];
        Assert.Equal(0, (await _obengine.OnVaultAsync(["backup", .. sources])).ExitCode);
        Directory.Move(sources[0], sources[0] + ".renamed");

        Run run = await _obengine.OnVaultAsync(["backup", .. sources]);
        Run json = await _obengine.OnVaultAsync(["backup", "--json", .. sources]);

        Assert.Equal((4, 4), (run.ExitCode, json.ExitCode));
        Assert.Contains($"LOST      The source '{sources[0]}' does not exist.", run.Output, StringComparison.Ordinal);
        Assert.Equal([sources[0]], json.Lines()[^1].GetProperty("lostSources").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public async Task A_vault_in_its_source_is_noted_and_grows_by_nothing_but_the_point()
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("a", 100_000);
        var stored = new List<long>();

        // What was written shortly before it was read is read once more, and may lie in another bundle then. From then on there is nothing new, however fast
        // or slow the rounds are.
        while (stored.Count < 10 && stored is not [.., 0, 0])
        {
            IReadOnlyList<JsonElement> lines = await _obengine.JsonAsync("backup", _obengine.Folder.Path);
            Assert.Contains(lines, line => line.GetProperty("type").GetString() == "note" && line.GetProperty("message").GetString()!.Contains(_obengine.Vault, StringComparison.Ordinal));
            stored.Add(lines[^1].GetProperty("newBytes").GetInt64());
        }

        Assert.Equal([0L, 0L], stored[^2..]);
    }

    [Fact]
    public async Task A_name_that_is_no_text_and_a_link_before_two_dots_mean_what_they_mean_to_the_shell()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only the kernel of Linux tells a process its arguments as they were.");
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File(@"caf\xe9/one", 10).File("real/d2/two", 10).File("real/d1/x", 10).File("d2/wrong", 10);
        Directory.CreateSymbolicLink(Path.Combine(_obengine.Source, "lnk"), Path.Combine(_obengine.Source, "real", "d1"));

        Run run = await ShellAsync($"cd '{_obengine.Source}' && dotnet '{_obengine.Program}' backup caf* lnk/../d2 --vault '{_obengine.Vault}' "
            + $"--passphrase-file '{_obengine.PassphraseFile}'");

        Assert.True(run.ExitCode == 0, run.Error);
        string?[] items =
        [
            .. (await _obengine.JsonAsync("ls", "latest", "-R")).Where(line => line.GetProperty("type").GetString() == "item")
                .Select(line => line.GetProperty("path").GetString()),
        ];
        Assert.Contains(EntryName.Escape([.. UnixFile.Raw(_obengine.Source), .. "/caf"u8, 0xe9, .. "/one"u8]), items);
        Assert.Contains(Path.Combine(_obengine.Source, "real", "d2", "two"), items);
        Assert.DoesNotContain(items, item => item!.EndsWith("wrong", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Exclusions_hold_for_what_is_named_itself_and_blanks_at_the_end_of_a_pattern_do_not_count()
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("secret/s", 10).File("open/o.tmp", 10).File("open/o", 10).File("big", 5000);
        string patterns = _obengine.Folder["patterns"];
        await File.WriteAllTextAsync(patterns, "# mine\n*.tmp  \t\nsecret \n", Stop);
        string[] names = ["secret", "open", "big"];
        string[] sources = [.. names.Select(name => Path.Combine(_obengine.Source, name))];

        Run run = await _obengine.OnVaultAsync(["backup", .. sources, "--exclude-file", patterns, "--exclude-larger-than", "4K"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"'{sources[0]}' is left out", run.Error, StringComparison.Ordinal);
        Assert.Contains($"'{sources[2]}' is left out", run.Error, StringComparison.Ordinal);
        string?[] items =
        [
            .. (await _obengine.JsonAsync("ls", "latest", "-R")).Where(line => line.GetProperty("type").GetString() == "item")
                .Select(line => line.GetProperty("path").GetString()),
        ];
        Assert.Equal([sources[1], Path.Combine(sources[1], "o")], items.Order(StringComparer.Ordinal));

        Assert.Equal(2, (await _obengine.OnVaultAsync("backup", sources[0], "--exclude", "secret")).ExitCode);
    }

    [Fact]
    public async Task Patterns_of_a_file_match_names_of_any_bytes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names of any bytes are Linux's.");
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).Describe("f l\\xe4 10\nf m\\xe4n 10\nf ä 10\nf kept 10");
        string patterns = _obengine.Folder["patterns"];
        await File.WriteAllBytesAsync(patterns, [.. "l"u8, 0xe4, .. "\nm*"u8, .. "n \r\nä\n"u8, .. "# caf"u8, 0xe9], Stop);

        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source, "--exclude-file", patterns)).ExitCode);

        string?[] items =
        [
            .. (await _obengine.JsonAsync("ls", "latest", "-R")).Where(line => line.GetProperty("type").GetString() == "item")
                .Select(line => line.GetProperty("path").GetString()),
        ];
        Assert.Equal([_obengine.Source, Path.Combine(_obengine.Source, "kept")], items.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task In_a_folder_that_was_deleted_relative_paths_are_refused_and_full_ones_are_not()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a folder in use cannot be deleted.");
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("file", 10);
        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source)).ExitCode);
        string start = $"mkdir -p '{_obengine.Folder["gone"]}' && cd '{_obengine.Folder["gone"]}' && rmdir ../gone && "
            + $"dotnet '{_obengine.Program}' restore latest --vault '{_obengine.Vault}' --passphrase-file '{_obengine.PassphraseFile}' --to ";

        (int exitCode, string output) = Shell.Run("sh", "-c", start + "out");

        Assert.Equal(2, exitCode);
        Assert.Contains("The current folder no longer exists", output, StringComparison.Ordinal);
        Assert.DoesNotContain("This is a bug", output, StringComparison.Ordinal);
        Assert.Equal(0, Shell.Run("sh", "-c", $"{start}'{_obengine.Folder["target"]}'").ExitCode);
    }

    [Fact]
    public async Task Sources_that_lie_in_each_other_are_taken_once()
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).Describe("f sub/file 1000\nh sub/link = sub/file\nf left/out/kept 10");
        string sub = Path.Combine(_obengine.Source, "sub");
        string kept = Path.Combine(_obengine.Source, "left", "out");

        Run run = await _obengine.OnVaultAsync("backup", _obengine.Source, sub, _obengine.Source + "/.", kept, "--exclude", "left", "--json");

        Assert.Equal(0, run.ExitCode);
        JsonElement point = Assert.Single(await _obengine.JsonAsync("points"), line => line.GetProperty("type").GetString() == "point");
        Assert.Equal([_obengine.Source, kept], point.GetProperty("sources").EnumerateArray().Select(source => source.GetProperty("path").GetString()));
        Assert.Equal(0, (await _obengine.OnVaultAsync("restore", "latest", "--to", _obengine.Folder["out"])).ExitCode);
    }

    [Fact]
    public async Task A_machine_has_its_whole_name_and_a_working_folder_that_is_gone_is_an_error_of_the_user()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "A name of its own for a test needs root on Linux.");
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("a", 10);
        string backup = $"dotnet '{_obengine.Program}' backup --vault '{_obengine.Vault}' --passphrase-file '{_obengine.PassphraseFile}'";

        foreach (string name in new[] { "db.east.example", "10.9.0.5" })
        {
            Run named = await ShellAsync($"unshare --uts sh -c \"hostname {name} && {backup} '{_obengine.Source}'\"");
            Assert.True(named.ExitCode == 0, named.Error);
            Assert.Contains($" of {name},", named.Output, StringComparison.Ordinal);
        }

        Directory.CreateDirectory(_obengine.Folder["gone"]);
        Run gone = await ShellAsync($"cd '{_obengine.Folder["gone"]}' && rmdir '{_obengine.Folder["gone"]}' && {backup} a");
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("Error id: SourceNotFound", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Few_files_may_be_open_and_nothing_is_lost()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no such limit.");
        await _obengine.CreateVaultAsync();
        var tree = new SourceTreeBuilder(_obengine.Source);
        string deep = string.Join('/', Enumerable.Range(0, 120).Select(i => $"d{i}"));
        tree.File($"{deep}/bottom", 10);
        for (int i = 0; i < 120; i++)
        {
            tree.File($"{string.Join('/', Enumerable.Range(0, i + 1).Select(n => $"d{n}"))}/file", 10);
        }

        Run run = await ShellAsync(
            $"ulimit -n 128; dotnet '{_obengine.Program}' backup '{_obengine.Source}' --vault '{_obengine.Vault}' "
                + $"--passphrase-file '{_obengine.PassphraseFile}' --json");

        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Equal(121, run.Lines()[^1].GetProperty("files").GetInt64());
    }

    private static async Task<Run> ShellAsync(string script)
    {
        var start = new ProcessStartInfo("sh", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return await Obengine.FinishAsync(process);
    }
}
