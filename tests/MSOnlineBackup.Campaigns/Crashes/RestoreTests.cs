using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>Restores and drills by the program itself: killed, run again, with few handles, with values that are none.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly Obengine _obengine = new();

    private string Target => _obengine.Folder["target"];

    private string Restored => Target + _obengine.Source;

    public void Dispose()
    {
        Shell.Run("chattr", "-R", "-i", "-a", _obengine.Folder.Path);
        _obengine.Dispose();
    }

    [Fact]
    public async Task A_restore_that_is_killed_and_run_again_gives_the_same_tree_and_ends_with_0()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Owners are root's to give.");
        BuildTree(2000);
        await BackUpAsync();
        int rounds = Testing.Campaign.Rounds(usual: 3, full: 30, brief: 1);
        for (int round = 1; round <= rounds; round++)
        {
            // More and more of it done; one that is over before is followed by one of which less is waited for.
            int enough = 2000 * round / (rounds + 1);
            Shell.RunChecked("rm", "-rf", Target);
            while (!await IsKilledAsync(_obengine.StartOnVault("restore", "latest", "--to", Target), () => CountFiles() >= enough))
            {
                Shell.RunChecked("rm", "-rf", Target);
                enough /= 2;
            }

            Run again = await RestoreAsync();

            Assert.True(again.ExitCode == 0, again.Output + again.Error);
            Assert.Empty(TreeComparer.Compare(_obengine.Source, Restored));
        }

        Run complete = await RestoreAsync("--json");
        JsonElement summary = complete.Lines()[^1];
        Assert.Equal((0, 0L, 2000L), (complete.ExitCode, summary.GetProperty("files").GetInt64(), summary.GetProperty("alreadyThere").GetInt64()));
    }

    // Whether SIGKILL ended a process, once something had come true.
    private static async Task<bool> IsKilledAsync(Process process, Func<bool> condition)
    {
        using (process)
        {
            Task<Run> running = Obengine.FinishAsync(process);
            while (!running.IsCompleted && !condition())
            {
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }

            process.Kill();
            return (await running).ExitCode == Run.Killed;
        }
    }

    [Theory]
    [InlineData(128)]
    [InlineData(512)]
    public async Task Few_handles_make_a_restore_slower_and_not_worse(int handles)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        SourceTreeBuilder tree = BuildTree(400);
        for (int i = 0; i < 300; i++)
        {
            tree.File($"large/{i}/file", 140 << 10, i);
        }

        await BackUpAsync();

        (int exitCode, string output) = Shell.Run(
            "/bin/sh", "-c", $"ulimit -n {handles}; exec dotnet {_obengine.Program} restore latest --vault {_obengine.Vault} --passphrase-file "
                + $"{_obengine.PassphraseFile} --to {Target}");

        Assert.True(exitCode == 0, output);
        Assert.Empty(TreeComparer.Compare(_obengine.Source, Restored, TreeAspects.Mode | TreeAspects.Times));
    }

    [Theory]
    [InlineData("skip,overwrite")]
    [InlineData("7")]
    [InlineData("-1")]
    [InlineData("1")]
    [InlineData("")]
    public async Task A_conflict_that_is_none_is_an_argument_that_is_wrong(string value)
    {
        Run run = await _obengine.RunAsync(["restore", "latest", "--vault", _obengine.Vault, "--to", Target, $"--conflict={value}"]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--conflict", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("skip")]
    [InlineData("Overwrite")]
    [InlineData("COPY")]
    public async Task A_conflict_may_be_written_in_any_case(string value)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        BuildTree(5);
        await BackUpAsync();

        Run run = await RestoreAsync("--conflict", value);

        Assert.True(run.ExitCode == 0, run.Error);
    }

    [Fact]
    public async Task What_the_medium_does_not_take_is_no_success()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && File.Exists("/usr/bin/strace"), "Needs strace, and root.");
        BuildTree(20);
        await BackUpAsync();

        (int exitCode, string output) = Shell.Run(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=syncfs", "-e", "inject=syncfs:error=EIO", "dotnet", _obengine.Program,
            "restore", "latest", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--to", Target);

        Assert.True(exitCode == 1, output);
        Assert.Contains("RestoreTargetUnwritable", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drill_of_immutable_files_leaves_nothing_behind_nor_does_one_that_was_killed()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        string disk = _obengine.Folder["disk"];
        using MountedFileSystem mounted = MountedFileSystem.InImage(_obengine.Folder["image"], disk, "ext4");
        string source = Path.Combine(disk, "source");
        string temporary = Path.Combine(disk, "tmp");
        Directory.CreateDirectory(temporary);
        new SourceTreeBuilder(source).Describe(
            """
            f immutable 10
            h immutable-too = immutable
            f folder/append-only 10
            """).File("large", 60 << 20);
        Shell.RunChecked("chattr", "+i", source + "/immutable");
        Shell.RunChecked("chattr", "+a", source + "/folder/append-only", source + "/folder");
        _obengine.Variables["TMPDIR"] = temporary;
        while (!await IsKilledAsync(_obengine.Start(["drill", source]), () => Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories).Any(path => path.Contains("/packs/", StringComparison.Ordinal))))
        {
            // It was over before.
        }

        Assert.Single(Directory.EnumerateDirectories(temporary, "obengine-drill-*"));

        Run run = await _obengine.RunAsync(["drill", source]);

        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Empty(Directory.EnumerateDirectories(temporary, "obengine-drill-*"));
        Assert.Contains("left behind by a drill that was killed", run.Error, StringComparison.Ordinal);
        Shell.RunChecked("chattr", "-R", "-i", "-a", source);
    }

    private int CountFiles() =>
        Directory.Exists(Target) ? Directory.EnumerateFiles(Target, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Count() : 0;

    private SourceTreeBuilder BuildTree(int files)
    {
        var tree = new SourceTreeBuilder(_obengine.Source);
        for (int i = 0; i < files; i++)
        {
            tree.File($"folder-{i % 17}/deep/file-{i}", 3000 + (i % 90 * 1000), i);
        }

        for (int i = 0; i < Math.Min(files, 17); i++)
        {
            tree.Mode($"folder-{i}/deep", 0x1E8).Modified($"folder-{i}/deep", 1_000_000_000_000_000_000 + i)
                .Modified($"folder-{i}", 1_100_000_000_000_000_000 + i);
            if (Shell.IsLinuxRoot)
            {
                tree.Owner($"folder-{i}/deep", 12, 34);
            }
        }

        return tree;
    }

    private async Task BackUpAsync()
    {
        await _obengine.CreateVaultAsync();
        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source)).ExitCode);
    }

    private Task<Run> RestoreAsync(params string[] more) => _obengine.OnVaultAsync(["restore", "latest", "--to", Target, .. more]);
}
