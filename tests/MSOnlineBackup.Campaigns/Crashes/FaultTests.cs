using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>The n-th call on the vault fails, for every n: jobs end with an error that has an id and an action, or finish where the
/// fault does not matter; nothing hangs, no point lies, and the next job succeeds.</summary>
public sealed class FaultTests
{
    public static TheoryData<FaultKind, FaultTiming> Faults => new()
    {
        { FaultKind.Transient, FaultTiming.BeforeEffect },
        { FaultKind.Transient, FaultTiming.AfterEffect },
        { FaultKind.ForGood, FaultTiming.BeforeEffect },
        { FaultKind.ForGood, FaultTiming.AfterEffect },
        { FaultKind.Cancellation, FaultTiming.BeforeEffect },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_backup_survives_a_fault_at_any_call(FaultKind kind, FaultTiming timing)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        using var workload = new Workload();
        MemoryVaultStore vault = await CreateAsync(workload);
        new SourceTreeBuilder(workload.A).Edit(seed: 7, edits: 6, largestFile: 300_000);
        new SourceTreeBuilder(workload.A).File("new-large", 3 << 20, seed: 8);
        int calls = await CountAsync(vault, store => Workload.BackUpAsync(store, workload.A));
        foreach (int failAt in Testing.Campaign.Spread(1, calls, brief: 12))
        {
            MemoryVaultStore state = vault.Clone();
            var faulty = new FaultyVaultStore(state) { FailAt = failAt, Kind = kind, Timing = timing };
            bool succeeded = await Workload.SucceedsOrFailsWellAsync(() => Workload.BackUpAsync(faulty, workload.A, faulty.Cancellation.Token));

            RecoveryPointList points = await (await Workload.OpenAsync(state)).ListPointsAsync(null, default);
            Assert.True(points.Count >= (succeeded ? 2 : 1), $"call {failAt}");
            foreach (RecoveryPoint point in points)
            {
                // What was reported as failed may have been done; what is there is the whole truth either way.
                await (workload.Knows(point.SessionId)
                    ? workload.AssertRestoresAsync(state, [point.SessionId])
                    : workload.AssertRestoresAsAsync(state, point.SessionId, workload.A, workload.A));
            }

            BackupResult next = await Workload.BackUpAsync(state, workload.A);
            Assert.Equal(RecoveryPointStatus.Completed, next.Point.Status);
            VerifyReport report = await Workload.VerifyAsync(state);
            Assert.True(report.Findings.Count == 0, $"call {failAt}: {string.Join("; ", report.Findings)}");
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_restore_survives_a_fault_at_any_call(FaultKind kind, FaultTiming timing)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        using var workload = new Workload();
        MemoryVaultStore vault = await CreateAsync(workload);
        using var scratch = new TempFolder();
        int calls = await CountAsync(vault, store => RestoreAsync(store, scratch["count"], RestoreConflict.Skip));
        foreach (int failAt in Testing.Campaign.Spread(1, calls, brief: 12))
        {
            string target = scratch[$"{kind}{timing}{failAt}"];
            var faulty = new FaultyVaultStore(vault) { FailAt = failAt, Kind = kind, Timing = timing };
            await Workload.SucceedsOrFailsWellAsync(() => RestoreAsync(faulty, target, RestoreConflict.Skip, faulty.Cancellation.Token));
            await RestoreAsync(vault, target, RestoreConflict.Overwrite);
            Assert.Empty(TreeComparer.Compare(workload.A, target + workload.A));
        }
    }

    [Fact]
    public async Task Transient_faults_at_every_fifth_call_are_ridden_out()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        using var workload = new Workload();
        MemoryVaultStore vault = await CreateAsync(workload);
        new SourceTreeBuilder(workload.A).File("new", 2 << 20, seed: 9);
        var clock = new FakeClock { SkipsWaits = true };
        var faulty = new FaultyVaultStore(vault) { FailEvery = 5, Kind = FaultKind.Transient, Timing = FaultTiming.AfterEffect };
        BackupResult result = await Workload.BackUpAsync(new ResilientVaultStore(faulty, timeProvider: clock), workload.A);
        await workload.AssertRestoresAsAsync(vault, result.Point.SessionId, workload.A, workload.A);
        Assert.Empty((await Workload.VerifyAsync(vault)).Findings);
    }

    private static async Task<MemoryVaultStore> CreateAsync(Workload workload)
    {
        var vault = new MemoryVaultStore();
        await Vault.CreateAsync(vault, Workload.Passphrase, Workload.Options, default);
        await workload.BackUpAndRememberAsync(vault, workload.A);
        return vault;
    }

    private static async Task<int> CountAsync(MemoryVaultStore vault, Func<IVaultStore, Task> job)
    {
        var counting = new FaultyVaultStore(vault.Clone());
        await job(counting);
        return counting.TotalCalls;
    }

    private static async Task RestoreAsync(IVaultStore store, string target, RestoreConflict conflict, CancellationToken cancellationToken = default)
    {
        UnlockedVault engine = await Workload.OpenAsync(store, cancellationToken: cancellationToken);
        RecoveryPoint point = await engine.GetPointAsync("latest", null, cancellationToken);
        var request = new RestoreRequest { Point = point, TargetFolder = target, Conflict = conflict };
        await engine.RestoreAsync(request, new JobMonitor(), cancellationToken);
    }
}
