using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>What is read back over time, and what is on record of it.</summary>
public sealed class ProofTests
{
    private static readonly ShareRequest _all = new() { Share = 1 };

    // Nothing is repacked, so that packs stay what they are.
    private static MaintenanceRequest Within(int days) => new() { VerifyDays = days, MaxRepackBytes = 0 };

    [Fact]
    public async Task With_a_run_a_day_all_is_read_within_the_days_and_nothing_twice_before_all_was_once()
    {
        using MaintainedVault vault = await MakeAsync(12);
        int packs = vault.Names(StoredKind.Pack).Count;
        var read = new HashSet<(SessionId, uint)>();
        for (int day = 0; day < 10; day++)
        {
            vault.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(1));
            MaintenanceReport report = await vault.MaintainAsync(Within(10));
            Assert.InRange(report.Verified.Packs, day < 9 ? 1 : 0, packs - 1);
            HashSet<(SessionId Session, uint Number)> now = (await ProofsOf(vault)).Sound.Keys.ToHashSet();
            Assert.Equal(Math.Min(packs, read.Count + report.Verified.Packs), now.Count);
            read.UnionWith(now);
        }

        Assert.Equal(packs, read.Count);
    }

    [Fact]
    public async Task Who_runs_seldom_reads_more_each_time_and_who_runs_often_reads_little()
    {
        using MaintainedVault vault = await MakeAsync(12);
        int packs = vault.Names(StoredKind.Pack).Count;
        Assert.InRange((await vault.MaintainAsync(Within(10))).Verified.Packs, 1, packs / 3);
        Assert.InRange((await vault.MaintainAsync(Within(10))).Verified.Packs, 0, 1);
        vault.Clock.Advance(TimeSpan.FromDays(5));
        Assert.InRange((await vault.MaintainAsync(Within(10))).Verified.Packs, packs / 3, packs - 2);
        vault.Clock.Advance(TimeSpan.FromDays(400));
        Assert.Equal(packs, (await vault.MaintainAsync(Within(10))).Verified.Packs);
    }

    [Fact]
    public async Task It_goes_on_wherever_it_is_run_within_its_budget_and_not_at_all_where_it_is_off()
    {
        using MaintainedVault vault = await MakeAsync(6);
        Assert.Equal(0, (await vault.MaintainAsync(Within(0))).Verified.Packs);
        Assert.Equal(0, (await vault.MaintainAsync(Within(1) with { MaxDuration = TimeSpan.Zero })).Verified.Packs);
        Assert.Equal(1, (await vault.MaintainAsync(Within(1) with { MaxVerifyBytes = 1 })).Verified.Packs);
        ShareReport rest = await VerifyAsync(vault, new ShareRequest { OlderThan = TimeSpan.FromMinutes(1.5) });
        Assert.Equal(vault.Names(StoredKind.Pack).Count - 1, rest.Packs);
        Assert.Equal((0, 0L), ((await VerifyAsync(vault, new ShareRequest { OlderThan = TimeSpan.FromDays(1) })).Packs, (await VerifyAsync(vault, new ShareRequest { OlderThan = TimeSpan.FromDays(1) })).Bytes));
    }

    [Fact]
    public async Task A_damaged_pack_is_found_named_kept_in_mind_and_forgotten_once_it_is_whole_again()
    {
        using MaintainedVault vault = await MakeAsync(4);
        vault.IsDamaged = true;
        string name = vault.Names(StoredKind.Pack)[2];
        byte[] whole = vault.Objects.GetContent(name);
        vault.Objects.FlipBit(name, 100);

        ShareReport found = await VerifyAsync(vault, _all);
        Assert.Equal([name], found.DamagedPacks);
        Assert.Equal(name, Assert.Single(found.Findings).Object);
        Assert.Equal([name], (await ReadAsync(vault)).DamagedPacks);

        // Though this run reads nothing.
        ShareReport known = await VerifyAsync(vault, new ShareRequest { OlderThan = TimeSpan.FromDays(1) });
        Assert.Equal((0, 0), (known.Packs, known.Findings.Count));
        Assert.Equal([name], known.DamagedPacks);
        Assert.Equal([name], (await vault.MaintainAsync(Within(1000))).Verified.DamagedPacks);

        vault.Objects.SetContent(name, whole);
        Assert.Empty((await VerifyAsync(vault, _all)).DamagedPacks);
        Assert.Empty((await ReadAsync(vault)).DamagedPacks);
        Assert.Empty((await vault.MaintainAsync(Within(1000))).Verified.DamagedPacks);
        Assert.DoesNotContain(vault.Names(StoredKind.Proof), record => record.EndsWith(".damage", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_pack_that_is_needed_is_damage_and_one_that_was_collected_is_not()
    {
        using MaintainedVault vault = await MakeAsync(3);
        RecoveryPoint gone = await vault.BackUpAsync([91, 92], machine: "other");
        await VerifyAsync(vault, _all);
        await vault.DropAsync(gone);
        Assert.Empty((await vault.MaintainAsync(Within(1000))).Verified.DamagedPacks);
        Assert.Empty((await VerifyAsync(vault, _all)).DamagedPacks);

        vault.IsDamaged = true;
        string name = vault.Names(StoredKind.Pack).MaxBy(pack => vault.Objects.GetContent(pack).Length)!;
        vault.Objects.Remove(name);
        MaintenanceReport report = await vault.MaintainAsync(Within(1000));
        Assert.Equal([name], report.Verified.DamagedPacks);
        Assert.Contains(report.Findings, finding => finding.Object == name);
        Assert.Equal([name], (await ReadAsync(vault)).DamagedPacks);
    }

    [Fact]
    public async Task A_verification_of_all_data_is_on_record_too_where_that_is_asked_for()
    {
        using MaintainedVault vault = await MakeAsync(3);
        using (UnlockedVault unlocked = (await vault.OpenAsync()).Vault)
        {
            await (await unlocked.IndexAsync(Cancel)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
            Assert.Empty(vault.Names(StoredKind.Proof));
            await (await unlocked.IndexAsync(Cancel)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel, keepsRecord: true);
        }

        Assert.Equal(vault.Names(StoredKind.Pack).Count, (await ProofsOf(vault)).Sound.Count);
    }

    [Fact]
    public async Task Many_records_become_one_that_says_the_same_and_of_maintenance_the_last_stays()
    {
        using MaintainedVault vault = await MakeAsync(3);
        for (int run = 0; run < 20; run++)
        {
            vault.Clock.Advance(TimeSpan.FromHours(1));
            await VerifyAsync(vault, new ShareRequest { Share = 0.01 });
        }

        PackProofs before = await ProofsOf(vault);
        Assert.Equal(20, vault.Names(StoredKind.Proof).Count);
        await vault.MaintainAsync(Within(0));
        await vault.MaintainAsync(Within(0));

        PackProofs after = await ProofsOf(vault);
        Assert.Equal(
            before.Sound.ToDictionary(pack => pack.Key, pack => pack.Value.ToUnixTimeMilliseconds()),
            after.Sound.ToDictionary(pack => pack.Key, pack => pack.Value.ToUnixTimeMilliseconds()));
        Assert.Equal([".maintain", ".packs"], vault.Names(StoredKind.Proof).Select(Path.GetExtension).Order());
    }

    [Fact]
    public async Task Two_at_once_and_one_that_is_stopped_do_no_harm()
    {
        using MaintainedVault vault = await MakeAsync(4);
        await Task.WhenAll(VerifyAsync(vault, _all), VerifyAsync(vault, _all));
        await Task.WhenAll(vault.MaintainAsync(Within(1)), vault.MaintainAsync(Within(1)));
        Assert.Equal(vault.Names(StoredKind.Pack).Count, (await ProofsOf(vault)).Sound.Count);

        using MaintainedVault other = await MakeAsync(4);
        using var stop = new CancellationTokenSource();
        string second = other.Names(StoredKind.Pack)[1];
        var watched = new StoppingStore(other.Objects, second, stop);
        IndexedVault indexed = await other.OpenAsync(watched);
        using UnlockedVault unlocked = indexed.Vault;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => unlocked.Proofs.VerifyShareAsync(_all, new JobMonitor(), stop.Token));
        Assert.DoesNotContain((await ProofsOf(other)).Sound, pack => second.EndsWith($"{pack.Key.Session}-{pack.Key.Number:x8}", StringComparison.Ordinal));
        Assert.Empty((await VerifyAsync(other, _all)).DamagedPacks);
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_or_comes_from_the_future_only_has_packs_read_again()
    {
        using MaintainedVault vault = await MakeAsync(4);
        await VerifyAsync(vault, _all);
        string record = Assert.Single(vault.Names(StoredKind.Proof));
        vault.Objects.SetCreated(record, vault.Clock.GetUtcNow().AddYears(10));
        Assert.InRange((await VerifyAsync(vault, new ShareRequest { Days = 10 })).Packs, 1, 3);
        vault.Objects.FlipBit(record, 50);
        Assert.True((await ProofsOf(vault)).Sound.Count < vault.Names(StoredKind.Pack).Count);
        Assert.Equal(vault.Names(StoredKind.Pack).Count, (await VerifyAsync(vault, _all)).Packs);
    }

    [Fact]
    public async Task Of_each_machine_is_known_when_its_newest_point_was_made_verified_and_tried()
    {
        using MaintainedVault vault = await MakeAsync(2);
        await vault.BackUpAsync([50], machine: "other");
        VaultProofSummary nothing = await ReadAsync(vault);
        Assert.Equal([Backup.BackupFixture.Machine, "other"], nothing.Machines.Select(machine => machine.MachineName).Order(StringComparer.Ordinal));
        Assert.All(nothing.Machines, machine => Assert.Equal((null, 0.0, null), (machine.LastVerified, machine.VerifiedShare, machine.LastTrial)));
        Assert.Null(nothing.LastMaintained);

        vault.Clock.Advance(TimeSpan.FromHours(1));
        await VerifyAsync(vault, _all);
        RecoveryPoint newest = await vault.BackUpAsync([60], machine: "other");
        using (UnlockedVault unlocked = (await vault.OpenAsync()).Vault)
        {
            await unlocked.Proofs.RecordTrialAsync(newest, 7, 3, 1000, 0, Cancel);
            await unlocked.Proofs.RecordTrialAsync(newest, 8, 4, 1000, 1, Cancel);
        }

        VaultProofSummary known = await ReadAsync(vault);
        MachineProof whole = known.Machines.Single(machine => machine.MachineName == Backup.BackupFixture.Machine);
        MachineProof part = known.Machines.Single(machine => machine.MachineName == "other");
        Assert.Equal((1.0, null), (whole.VerifiedShare, whole.LastTrial));
        Assert.True(whole.LastVerified > whole.LastBackup);
        Assert.Null(part.LastVerified);
        Assert.InRange(part.VerifiedShare, 0.1, 0.99);
        Assert.Equal((newest.SessionId, newest.SessionId), (part.PointId, part.LastTrial!.PointId));
        Assert.Equal(part.LastTrial.Files == 4 ? 1 : 0, part.LastTrial.Differences);

        await vault.MaintainAsync(Within(0));
        Assert.NotNull((await ReadAsync(vault)).LastMaintained);
    }

    [Fact]
    public async Task Maintenance_is_due_once_a_day_by_the_clock_of_the_store_and_a_clock_that_leapt_holds_nobody_off()
    {
        using MaintainedVault vault = await MakeAsync(1);
        Assert.True(await IsDueAsync(vault));
        await vault.MaintainAsync(Within(0));
        Assert.False(await IsDueAsync(vault));
        vault.Clock.Advance(TimeSpan.FromHours(25));
        Assert.True(await IsDueAsync(vault));
        vault.Objects.SetCreated(Assert.Single(vault.Names(StoredKind.Proof)), vault.Clock.GetUtcNow().AddYears(10));
        Assert.True(await IsDueAsync(vault));
    }

    private static async Task<bool> IsDueAsync(MaintainedVault vault)
    {
        RecoveryPoint point = await vault.BackUpAsync([1]);
        using UnlockedVault unlocked = (await vault.OpenAsync()).Vault;
        return await unlocked.Proofs.IsMaintenanceDueAsync(point, TimeSpan.FromDays(1), Cancel);
    }

    private static async Task<MaintainedVault> MakeAsync(int points)
    {
        var vault = new MaintainedVault();
        for (int point = 0; point < points; point++)
        {
            await vault.BackUpAsync([.. Enumerable.Range(1, point + 1)]);
        }

        return vault;
    }

    private static async Task<ShareReport> VerifyAsync(MaintainedVault vault, ShareRequest request)
    {
        vault.Clock.Advance(TimeSpan.FromSeconds(1));
        using UnlockedVault unlocked = (await vault.OpenAsync()).Vault;
        return await unlocked.Proofs.VerifyShareAsync(request, new JobMonitor(), Cancel);
    }

    private static async Task<VaultProofSummary> ReadAsync(MaintainedVault vault)
    {
        using UnlockedVault unlocked = (await vault.OpenAsync()).Vault;
        return await unlocked.Proofs.ReadAsync(Cancel);
    }

    private static async Task<PackProofs> ProofsOf(MaintainedVault vault)
    {
        IndexedVault indexed = await vault.OpenAsync();
        using UnlockedVault unlocked = indexed.Vault;
        return await (await ProofLog.ListAsync(indexed.Store, Cancel)).ReadPacksAsync(Cancel);
    }

    /// <summary>Stops the job when an object is read.</summary>
    private sealed class StoppingStore(IVaultStore inner, string name, CancellationTokenSource stop) : IVaultStore
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string created, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = default) =>
            inner.TryCreateAsync(created, content, cancellationToken, tier);

        public async ValueTask<int> ReadAsync(string read, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (read == name)
            {
                await stop.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }

            return await inner.ReadAsync(read, offset, destination, cancellationToken);
        }

        public ValueTask<StoredObject?> StatAsync(string asked, CancellationToken cancellationToken) => inner.StatAsync(asked, cancellationToken);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string deleted, CancellationToken cancellationToken) => inner.DeleteAsync(deleted, cancellationToken);
    }
}
