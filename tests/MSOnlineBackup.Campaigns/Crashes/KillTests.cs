using System.Diagnostics;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>The built program, ended by SIGKILL at random moments.</summary>
public sealed class KillTests : IDisposable
{
    private readonly Obengine _obengine = new();

    private string Source => _obengine.Source;

    public void Dispose() => _obengine.Dispose();

    /// <summary>Small enough to be quick: no checkpoint is reached, and what arrived is found in the packs themselves.</summary>
    [Fact]
    public async Task A_killed_backup_costs_nothing_that_had_arrived()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Trees are built and compared with Linux's calls.");
        long bytes = await BuildSourceAsync(files: 1000, largeFiles: 5, largeFile: 12 << 20);
        for (int round = 0; round < Testing.Campaign.Rounds(usual: 2, full: 50); round++)
        {
            var random = new Random(round);
            int packs = random.Next(8);
            await KilledAsync(packs, "packs", TimeSpan.FromMilliseconds(random.Next(300)));
            Assert.True(CountOf("packs") >= packs);
            await CheckRoundAsync(round, bytes, random);
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
            await KilledAsync(1, "checkpoints", TimeSpan.FromMilliseconds(random.Next(600)));
            long read = await CheckRoundAsync(round, bytes, random);
            Assert.True(read < bytes - (200L << 20), $"Round {round}: {read} of {bytes} bytes were read again.");
        }
    }

    /// <summary>Verifies, finishes, verifies, restores with a kill on the way. Returns what the finishing run read.</summary>
    private async Task<long> CheckRoundAsync(int round, long sourceBytes, Random random)
    {
        int arrived = CountOf("packs");

        // 3: all that is amiss is that the newest job has no point.
        Run verified = await _obengine.OnVaultAsync("verify", "--quiet");
        Assert.True(verified.ExitCode is 0 or 3, $"Round {round}: {verified}");

        Run finished = await SucceedAsync(round, "backup", Source, "--json");
        await SucceedAsync(round, "verify", "--read-data", "--quiet");
        IReadOnlyList<(string Id, long Length)> content = await new FolderVault(_obengine.Vault).ContentAsync();
        Assert.Equal(content.Count, content.Select(chunk => chunk.Id).Distinct().Count());
        Assert.Equal(sourceBytes, content.Sum(chunk => chunk.Length));

        string target = _obengine.Folder[$"target-{round}"];
        TimeSpan wait = TimeSpan.FromMilliseconds(random.Next(1000));
        while (!await IsKilledAsync(_obengine.StartOnVault("restore", "latest", "--to", target, "--quiet"), () => Directory.Exists(target), wait))
        {
            Directory.Delete(target, recursive: true);
            wait /= 2;
        }

        int there = Directory.Exists(target) ? Directory.GetFiles(target, "*", SearchOption.AllDirectories).Length : 0;
        await SucceedAsync(round, "restore", "latest", "--to", target, "--conflict", "overwrite", "--quiet");
        Assert.Empty(TreeComparer.Compare(Source, target + Source));

        long read = finished.Lines()[^1].GetProperty("readBytes").GetInt64();
        TestContext.Current.SendDiagnosticMessage(
            $"round {round}: {arrived} packs had arrived, the next run read {read:N0} of {sourceBytes:N0} bytes; "
                + $"the restore was killed with {there} files there");
        Directory.Delete(_obengine.Vault, recursive: true);
        Directory.Delete(target, recursive: true);
        return read;
    }

    /// <summary>A new vault, whose first backup was killed once some objects of a kind had arrived.</summary>
    private async Task KilledAsync(int count, string kind, TimeSpan wait)
    {
        while (true)
        {
            await _obengine.CreateVaultAsync();
            if (await IsKilledAsync(_obengine.StartOnVault("backup", Source, "--quiet"), () => CountOf(kind) >= count, wait))
            {
                return;
            }

            // It was over before: the next one is waited for half as long.
            Directory.Delete(_obengine.Vault, recursive: true);
            wait /= 2;
        }
    }

    private int CountOf(string kind) => Obengine.CountOf(_obengine.Vault, kind);

    /// <summary>Whether SIGKILL ended a process, some time after a condition came true.</summary>
    private static async Task<bool> IsKilledAsync(Process process, Func<bool> condition, TimeSpan after)
    {
        using (process)
        {
            Task<Run> running = Obengine.FinishAsync(process);
            while (!process.HasExited && !condition())
            {
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }

            await Task.Delay(after, TestContext.Current.CancellationToken);
            process.Kill();
            return (await running).ExitCode == Run.Killed;
        }
    }

    private async Task<Run> SucceedAsync(int round, params string[] arguments)
    {
        Run run = await _obengine.OnVaultAsync(arguments);
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
