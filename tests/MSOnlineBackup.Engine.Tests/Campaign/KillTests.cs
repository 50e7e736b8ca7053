using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Campaign;

/// <summary>The built program, ended by SIGKILL at random moments.</summary>
public sealed class KillTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Source => _folder["source"];

    public void Dispose() => _folder.Dispose();

    /// <summary>Small enough to be quick: no checkpoint is reached, and what arrived is found in the packs themselves.</summary>
    [Fact]
    public async Task A_killed_backup_costs_nothing_that_had_arrived()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Trees are built and compared with Linux's calls.");
        long bytes = await BuildSourceAsync(files: 1000, largeFiles: 5, largeFile: 12 << 20);
        for (int round = 0; round < Testing.Campaign.Rounds(usual: 3, full: 50); round++)
        {
            var random = new Random(round);
            string vault = _folder[$"vault-{round}"];
            var program = new ObengineProcess(vault);
            program.CreateVault();
            Process run = program.Start("backup", Source, "--quiet");
            int packs = random.Next(8);
            await UntilAsync(run, () => CountOf(vault, "packs") >= packs);
            await KillAsync(run, TimeSpan.FromMilliseconds(random.Next(300)));
            await CheckRoundAsync(round, vault, bytes, random);
        }
    }

    /// <summary>Large enough for a checkpoint: the next run continues from there and reads the rest only.</summary>
    [Fact]
    public async Task A_backup_killed_after_a_checkpoint_continues_there()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Testing.Campaign.IsFull, "Takes minutes: runs on Linux with OB_CAMPAIGN=full.");
        long bytes = await BuildSourceAsync(files: 3000, largeFiles: 3, largeFile: 200 << 20);
        for (int round = 0; round < 5; round++)
        {
            var random = new Random(1000 + round);
            string vault = _folder[$"vault-{round}"];
            var program = new ObengineProcess(vault);
            program.CreateVault();
            Process run = program.Start("backup", Source, "--quiet");
            await UntilAsync(run, () => CountOf(vault, "checkpoints") > 0);
            await KillAsync(run, TimeSpan.FromMilliseconds(random.Next(600)));
            long read = await CheckRoundAsync(round, vault, bytes, random);
            Assert.True(read < bytes - (200L << 20), $"Round {round}: {read} of {bytes} bytes were read again.");
        }
    }

    /// <summary>Verifies, finishes, verifies, restores with a kill on the way. Returns what the finishing run read.</summary>
    private async Task<long> CheckRoundAsync(int round, string vault, long sourceBytes, Random random)
    {
        var program = new ObengineProcess(vault);
        int arrived = CountOf(vault, "packs");

        // 3: all that is amiss is that the newest job has no point.
        ObengineProcess.Run verified = program.Execute("verify", "--quiet");
        Assert.True(verified.ExitCode is 0 or 3, $"Round {round}: {verified}");

        ObengineProcess.Run finished = Succeed(round, program.Execute("backup", Source, "--json"));
        Succeed(round, program.Execute("verify", "--read-data", "--quiet"));
        IReadOnlyList<(string Id, long Length)> content = await new FolderVault(vault).ContentAsync();
        Assert.Equal(content.Count, content.Select(chunk => chunk.Id).Distinct().Count());
        Assert.Equal(sourceBytes, content.Sum(chunk => chunk.Length));

        string target = _folder[$"target-{round}"];
        Process restore = program.Start("restore", "latest", "--to", target, "--quiet");
        await UntilAsync(restore, () => Directory.Exists(target));
        await KillAsync(restore, TimeSpan.FromMilliseconds(random.Next(1000)));
        int there = Directory.Exists(target) ? Directory.GetFiles(target, "*", SearchOption.AllDirectories).Length : 0;
        Succeed(round, program.Execute("restore", "latest", "--to", target, "--conflict", "overwrite", "--quiet"));
        Assert.Empty(TreeComparer.Compare(Source, target + Source));

        using JsonDocument summary = JsonDocument.Parse(finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
        long read = summary.RootElement.GetProperty("readBytes").GetInt64();
        TestContext.Current.SendDiagnosticMessage(
            $"round {round}: {arrived} packs had arrived, the next run read {read:N0} of {sourceBytes:N0} bytes; the restore was killed with {there} files there");
        Directory.Delete(vault, recursive: true);
        Directory.Delete(target, recursive: true);
        return read;
    }

    private static int CountOf(string vault, string kind) => Directory.Exists(vault + "/stores")
        ? Directory.EnumerateFiles(vault + "/stores", "*", SearchOption.AllDirectories).Count(file => file.Contains($"/{kind}/", StringComparison.Ordinal))
        : 0;

    private static async Task UntilAsync(Process process, Func<bool> condition)
    {
        while (!process.HasExited && !condition())
        {
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }

    private static async Task KillAsync(Process process, TimeSpan after)
    {
        await Task.Delay(after, TestContext.Current.CancellationToken);
        process.Kill();
        ObengineProcess.Finish(process);
    }

    private static ObengineProcess.Run Succeed(int round, ObengineProcess.Run run)
    {
        Assert.True(run.ExitCode == 0, $"Round {round}: {run}");
        return run;
    }

    // Nothing is there twice, so that the vault holds as many bytes as the source.
    private async Task<long> BuildSourceAsync(int files, int largeFiles, int largeFile)
    {
        var tree = new SourceTreeBuilder(Source);
        long bytes = 0;
        for (int file = 0; file < files; file++)
        {
            int size = 1000 + (file * 7919 % 40_000);
            tree.File($"folder-{file / 100}/file-{file}", size, file);
            bytes += size;
        }

        for (int file = 0; file < largeFiles; file++)
        {
            tree.File($"folder-{file * 4}/large-{file}", largeFile, -file - 1);
            bytes += largeFile;
        }

        // What has just changed is read again by the next run, in bundles of their own where only some of it has: the state to
        // be met is that of a tree at rest. No call sets the change time back, so that it has to pass.
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        return bytes;
    }
}
