using System.Diagnostics;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>
/// Real maintenance, killed at random moments beside real backups. After each, every point is restored and compared, and the next maintenance leaves nothing
/// over.
/// </summary>
public sealed class MaintenanceKillTests : IDisposable
{
    private const int Kept = 3;

    private readonly Obengine _obengine = new();
    private readonly List<(SessionId Session, string Copy)> _points = [];
    private readonly Random _random = new(20261129);
    private Func<IVaultStore> _open = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task A_folder()
    {
        await _obengine.CreateVaultAsync();
        _open = () => new FolderVaultStore(_obengine.Vault);
        await RunAsync();
    }

    [Fact]
    public async Task A_container()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        string url = AzuriteServer.Shared.NewContainer();
        _obengine.Vault = url;
        await Vault.CreateAsync(BlobVaultStore.Create(url, new VaultConnection()), Obengine.Passphrase, TestOptions.Quick, Stop);
        _open = () => new ResilientVaultStore(BlobVaultStore.Open(url, new VaultConnection()));
        await RunAsync();
    }

    private async Task RunAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Trees are built and compared with Linux's calls.");
        var tree = new SourceTreeBuilder(_obengine.Source);
        for (int i = 0; i < 200; i++)
        {
            tree.File($"small/{i % 10}/f{i}", 200 + (i * 7 % 9000), seed: i);
        }

        int killed = 0;
        int shutOut = 0;
        int finished = 0;
        for (int round = 1, rounds = Testing.Campaign.Rounds(usual: 3, full: 100); killed < rounds; round++)
        {
            Assert.True(round < 10 * rounds, $"Of {round} maintenances only {killed} could be killed.");
            tree.File("large", (3 << 20) + _random.Next(3 << 20), seed: round).File($"small/{round % 10}/f{round % 200}", 5000, seed: 1000 + round)
                .File($"new{round % 7}", 900_000, seed: round % 3);
            Task<Run> backingUp = Obengine.FinishAsync(_obengine.StartOnVault("backup", _obengine.Source, "--quiet"));

            // One that takes all others for dead shuts out the backup beside it: that one says so, and its next run takes up what it sent.
            string patience = round % 2 == 0 ? "0s" : "1d";
            bool wasKilled = await KillMaintenanceAsync(patience);
            killed += wasKilled ? 1 : 0;
            finished += wasKilled ? 0 : 1;
            Run backup = await backingUp;
            if (backup.ExitCode != 0)
            {
                Assert.True(patience == "0s" && backup.Error.Contains("SessionFenced", StringComparison.Ordinal), $"round {round}: {backup}");
                shutOut++;
                backup = await _obengine.OnVaultAsync("backup", _obengine.Source, "--quiet");
            }

            Assert.True(backup.ExitCode == 0, $"round {round}: {backup}");
            await CheckAsync(round);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} maintenances killed, {finished} over before; {shutOut} backups shut out");
    }

    private async Task<bool> KillMaintenanceAsync(string patience)
    {
        using Process process = _obengine.StartOnVault("maintain", "--max-unused", "0", "--shut-out-after", patience, "--json");
        Task<Run> running = Obengine.FinishAsync(process);
        await Task.WhenAny(running, Task.Delay(_random.Next(250, 1600), Stop));
        process.Kill();
        return (await running).ExitCode == Run.Killed;
    }

    private async Task CheckAsync(int round)
    {
        UnlockedVault vault = await TestVault.UnlockAsync(_open(), Obengine.Passphrase, TestOptions.Quick, Stop);
        RecoveryPointList points = await vault.ListPointsAsync(null, Stop);
        if (_points.All(known => known.Session != points[0].SessionId))
        {
            string copy = _obengine.Folder[$"copy{round}"];
            Shell.RunChecked("cp", "-a", _obengine.Source, copy);
            _points.Insert(0, (points[0].SessionId, copy));
        }

        await AssertWholeAsync(round);
        while (_points.Count > Kept)
        {
            OpenedVault opened = await OpenedVault.OpenAsync(_open(), Obengine.Passphrase, Stop);
            await opened.EndAsync(points.Single(point => point.SessionId == _points[^1].Session), Stop);
            Directory.Delete(_points[^1].Copy, recursive: true);
            _points.RemoveAt(_points.Count - 1);
        }

        // Every second round the next maintenance that is killed finds what this one would have done.
        if (round % 2 == 0)
        {
            for (int i = 0; i < 3; i++)
            {
                UnlockedVault maintained = await TestVault.UnlockAsync(_open(), Obengine.Passphrase, TestOptions.Quick, Stop);
                MaintenanceReport report = await maintained.MaintainAsync(new MaintenanceRequest { ShutOutAfter = TimeSpan.Zero }, new JobMonitor(), Stop);
                Assert.True(report.Findings.Count == 0, $"round {round}: {string.Join('\n', report.Findings)}");
            }

            IReadOnlyList<string> untidy = await (await OpenedVault.OpenAsync(_open(), Obengine.Passphrase, Stop)).FindUntidyAsync(Stop);
            Assert.True(untidy.Count == 0, $"round {round}: {string.Join('\n', untidy)}");
            await AssertWholeAsync(round);
        }
    }

    private async Task AssertWholeAsync(int round)
    {
        UnlockedVault vault = await TestVault.UnlockAsync(_open(), Obengine.Passphrase, TestOptions.Quick, Stop);
        RecoveryPointList points = await vault.ListPointsAsync(null, Stop);
        Assert.Equal(_points.Select(point => point.Session), points.Select(point => point.SessionId));
        foreach ((RecoveryPoint point, string copy) in points.Zip(_points, (point, known) => (point, known.Copy)))
        {
            using var target = new TempFolder(_obengine.Folder.Path);
            RestoreResult result = await vault.RestoreAsync(new RestoreRequest { Point = point, TargetFolder = target.Path }, new JobMonitor(), Stop);
            Assert.Equal(0, result.Skipped);
            Assert.Empty(TreeComparer.Compare(copy, target.Path + _obengine.Source).Select(difference => $"round {round}, {point.SessionId}: {difference}"));
        }
    }
}
