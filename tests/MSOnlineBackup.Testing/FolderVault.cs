using System.Collections.Concurrent;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Storage;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>A vault in a real folder, opened anew for every operation as separate runs would.</summary>
public sealed class FolderVault
{
    // The derivation of the key is not what is tried here.
    private static readonly EngineOptions Options = new() { KeyDerivationIterations = 1000, Workers = 2, TimeProvider = new LateClock() };

    private FolderVault(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>What the last backup or restore skipped.</summary>
    public ConcurrentQueue<SkippedItem> Skipped { get; } = [];

    /// <summary>Counters of the last backup or restore, also of one under way.</summary>
    public JobMonitor Monitor { get; private set; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<FolderVault> CreateAsync(string folder)
    {
        await BackupEngine.CreateVaultAsync(FolderVaultStore.Create(folder), ObengineProcess.Passphrase, Options, Cancel);
        return new FolderVault(folder);
    }

    public Task<BackupEngine> OpenAsync() => BackupEngine.OpenAsync(new FolderVaultStore(Folder), ObengineProcess.Passphrase, Options, Cancel);

    public async Task<BackupResult> BackUpAsync(string source, bool crossMountPoints = false)
    {
        BackupEngine engine = await OpenAsync();
        Watch();
        var selection = new SourceSelection { CrossMountPoints = crossMountPoints };
        return await engine.BackUpAsync(new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(source, selection)] }, Monitor, Cancel);
    }

    public async Task<RestoreResult> RestoreAsync(RecoveryPoint point, string target, RestoreConflict conflict = RestoreConflict.Skip)
    {
        BackupEngine engine = await OpenAsync();
        Watch();
        var request = new RestoreRequest { Point = point, TargetFolder = target, Conflict = conflict, Verify = true };
        RestorePlan plan = await engine.PlanRestoreAsync(request, Monitor, Cancel);
        return await engine.RestoreAsync(plan, Monitor, Cancel);
    }

    /// <summary>Verifies all there is, and says what is wrong.</summary>
    public async Task<IReadOnlyList<VerifyFinding>> VerifyAsync(VerifyLevel level = VerifyLevel.Data)
    {
        BackupEngine engine = await OpenAsync();
        return (await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings;
    }

    public async Task<IReadOnlyList<RecoveryPoint>> PointsAsync() => await (await OpenAsync()).ListPointsAsync(null, Cancel);

    /// <summary>Bytes of all its files.</summary>
    public long Size() => new DirectoryInfo(Folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private void Watch()
    {
        Skipped.Clear();
        Monitor = new JobMonitor { ItemSkipped = Skipped.Enqueue };
    }

    // Nothing that a test has just written is so fresh that the next backup reads it again.
    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromHours(1);
    }
}
