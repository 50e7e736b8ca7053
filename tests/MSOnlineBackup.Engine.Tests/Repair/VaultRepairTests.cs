using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>What is damaged is found, told and mended: from what opens, from copies, and by the next backup.</summary>
public sealed class VaultRepairTests
{
    private static readonly int[] _contents = [.. Enumerable.Range(1, 24)];

    public static TheoryData<Victim, Damage> Kinds
    {
        get
        {
            var kinds = new TheoryData<Victim, Damage>();
            foreach (Victim victim in Enum.GetValues<Victim>())
            {
                foreach (Damage damage in Enum.GetValues<Damage>())
                {
                    kinds.Add(victim, damage);
                }
            }

            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task After_a_repair_and_a_backup_of_the_same_source_all_is_whole(Victim victim, Damage damage)
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        await vault.BackUpAsync([.. _contents, 30], machine: "other");
        IReadOnlyList<string> struck = new VaultDamager(vault.Objects, new Random(7)).Strike(victim, damage);
        Assert.NotEmpty(struck);

        RepairReport report = await vault.RepairAsync();

        if (victim != Victim.Segment)
        {
            Assert.Equal(struck.Order(StringComparer.Ordinal), report.Packs.Select(pack => pack.Object));
            Assert.DoesNotContain(struck, vault.Objects.Names.Contains);
        }
        else if (damage != Damage.Loss)
        {
            Assert.Equal(struck.Count, report.ObjectsRemoved);
        }

        Assert.Null(report.Unfinished);
        Assert.All(report.Findings, finding => Assert.NotEmpty(finding.Affected));
        Assert.Equal(report.ChunksLost == 0, report.Findings.Count == 0);
        await vault.BackUpAsync(_contents);
        await vault.BackUpAsync([.. _contents, 30], machine: "other");
        await vault.AssertWholeAsync();

        RepairReport again = await vault.RepairAsync();
        Assert.Empty(again.Packs);
        Assert.Empty(again.Findings);
        Assert.Equal((0, 0L, 0), (again.PacksDeleted, again.BytesWritten, again.ObjectsRemoved));
    }

    [Fact]
    public async Task A_backup_sends_exactly_what_is_lost()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        string pack = new VaultDamager(vault.Objects, new Random(1)).Names(Victim.DataPack)[0];
        vault.Objects.FlipBit(pack, PackFormat.HeaderLength + 100);

        RepairReport report = await vault.RepairAsync();
        RecoveryPoint healed = await vault.BackUpAsync(_contents);

        PackRepair repair = Assert.Single(report.Packs);
        Assert.Equal((1, 0, 0), (repair.Lost, repair.FromCopies, repair.FromParity));
        Assert.True(repair.Salvaged > 0);
        Assert.Equal(repair.LostBytes, healed.NewBytes);
        Assert.All(report.Findings, finding => Assert.All(finding.Affected, item => Assert.Equal(vault.Points[0].SessionId, item.PointId)));
        Assert.True(report.FilesAffected > 0);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task What_a_truncated_pack_still_has_is_salvaged_though_its_table_is_gone()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        string pack = new VaultDamager(vault.Objects, new Random(1)).Names(Victim.DataPack)[0];
        vault.Objects.Damage(pack, content => content[..(content.Length - 2000)]);

        RepairReport report = await vault.RepairAsync();

        Assert.True(Assert.Single(report.Packs).Salvaged > 0);
        Assert.DoesNotContain(pack, vault.Objects.Names);
    }

    [Fact]
    public async Task A_copy_in_another_pack_is_found_and_nothing_is_lost()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.CreateAsync();
        var late = new PausedVaultStore(
            vault.Objects, 1, () => vault.BackUpAsync(_contents, machine: "first"), (call, name) => call == MSOnlineBackup.Testing.VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Pack);
        RecoveryPoint second = await vault.BackUpAsync(_contents, late, "second");
        foreach (string pack in vault.Names(StoredKind.Pack).Where(name => name.Contains(second.SessionId.ToString(), StringComparison.Ordinal)))
        {
            vault.Objects.Damage(pack, content => [.. content.Select((b, i) => i > PackFormat.HeaderLength ? (byte)~b : b)]);
        }

        RepairReport report = await vault.RepairAsync();

        Assert.True(report.ChunksFromCopies > 0);
        Assert.Equal(0, report.Packs.Where(pack => pack.FromCopies > 0).Sum(pack => pack.Lost));
        await vault.BackUpAsync(_contents, machine: "second");
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task What_a_rescuer_gives_is_written_back()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        var rescue = new KeptPacks();
        ChunkStore store = await vault.OpenStoreAsync();
        foreach (PackInfo pack in store.Index.Packs)
        {
            rescue.Kept[(pack.Session, pack.Number)] = vault.Objects.GetContent(store.NameOf(pack));
            vault.Objects.Remove(store.NameOf(pack));
        }

        RepairReport report = await vault.RepairAsync(rescue);

        Assert.Equal((0L, store.Index.RecordCount), (report.ChunksLost, report.ChunksFromParity));
        Assert.Empty(report.Findings);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_rehearsal_says_the_same_and_changes_nothing()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        var damager = new VaultDamager(vault.Objects, new Random(3));
        damager.Strike(Victim.DataPack, Damage.ZeroedBlock);
        damager.Strike(Victim.Segment, Damage.Flip);
        IReadOnlyList<string> before = vault.Objects.Names;

        RepairReport planned = await vault.RepairAsync(new RepairRequest { IsRehearsal = true });

        Assert.Equal(before, vault.Objects.Names);
        Assert.True(planned.IsRehearsal);
        RepairReport done = await vault.RepairAsync();
        Assert.Equal(planned.Packs, done.Packs);
        Assert.Equal((planned.PacksIndexed, planned.ObjectsRemoved, planned.PacksRead), (done.PacksIndexed, done.ObjectsRemoved, done.PacksRead));
        Assert.Equal(planned.Findings.Select(finding => finding.Object), done.Findings.Select(finding => finding.Object));
    }

    [Fact]
    public async Task Without_reading_packs_only_what_is_missing_is_found()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        IReadOnlyList<string> packs = new VaultDamager(vault.Objects, new Random(3)).Names(Victim.DataPack);
        vault.Objects.FlipBit(packs[0], 1000);
        vault.Objects.Remove(packs[1]);

        RepairReport report = await vault.RepairAsync(new RepairRequest { Share = 0 });

        Assert.Equal((packs[1], 0L), (Assert.Single(report.Packs).Object, report.PacksRead));
    }

    [Fact]
    public async Task What_nobody_has_any_more_is_named_file_by_file_and_stays_named()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint old = await vault.BackUpAsync(_contents);
        string pack = new VaultDamager(vault.Objects, new Random(1)).Names(Victim.DataPack)[0];
        vault.Objects.FlipBit(pack, PackFormat.HeaderLength + 100);

        RepairReport report = await vault.RepairAsync();
        await vault.BackUpAsync([100, 101]);

        VerifyReport after = await vault.VerifyAsync();
        Assert.Equal(report.Findings.Select(finding => finding.Object), after.Findings.Select(finding => finding.Object));
        Assert.All(after.Findings.SelectMany(finding => finding.Affected), item => Assert.Equal(old.SessionId, item.PointId));
        Assert.Contains(after.Findings.SelectMany(finding => finding.Affected), item => item.Path is not null);
    }

    [Fact]
    public async Task Who_may_not_delete_mends_by_adding_and_says_who_must_finish()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        var damager = new VaultDamager(vault.Objects, new Random(3));
        IReadOnlyList<string> struck = damager.Strike(Victim.DataPack, Damage.Flip);
        damager.Strike(Victim.Segment, Damage.Flip);

        RepairReport report = await vault.RepairAsync(null, new AddOnlyStore(vault.Objects));

        Assert.Contains("owner", report.Unfinished, StringComparison.Ordinal);
        Assert.Contains(struck[0], vault.Objects.Names);
        Assert.Equal((0, 0), (report.PacksDeleted, report.ObjectsRemoved));
        RecoveryPoint next = await vault.BackUpAsync(_contents);
        Assert.Equal(report.Packs.Sum(pack => pack.LostBytes), next.NewBytes);

        // The owner's maintenance finishes it.
        await vault.MaintainAsync();
        Assert.DoesNotContain(struck[0], vault.Objects.Names);
        await vault.RepairAsync();
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_rebuilt_index_does_not_take_in_again_what_is_damaged()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        string pack = new VaultDamager(vault.Objects, new Random(1)).Names(Victim.DataPack)[0];
        vault.Objects.FlipBit(pack, PackFormat.HeaderLength + 100);
        RepairReport report = await vault.RepairAsync(null, new AddOnlyStore(vault.Objects));
        foreach (string segment in vault.Names(StoredKind.Segment))
        {
            vault.Objects.Remove(segment);
        }

        await (await vault.OpenAsync()).RebuildIndexAsync(new(), TestContext.Current.CancellationToken);

        ChunkStore store = await vault.OpenStoreAsync();
        Assert.DoesNotContain(pack, store.Index.Packs.Select(store.NameOf));
        RecoveryPoint next = await vault.BackUpAsync(_contents);
        Assert.Equal(report.Packs.Sum(repair => repair.LostBytes), next.NewBytes);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task While_a_job_is_at_work_the_damaged_pack_stays_and_nothing_relies_on_it()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync(_contents);
        string pack = new VaultDamager(vault.Objects, new Random(1)).Names(Victim.DataPack)[0];
        vault.Objects.FlipBit(pack, PackFormat.HeaderLength + 100);
        RepairReport? report = null;
        var paused = new PausedVaultStore(
            vault.Objects,
            1,
            async () => report = await vault.RepairAsync(),
            (call, name) => call == MSOnlineBackup.Testing.VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Point);

        await vault.BackUpAsync([1, 2], paused, machine: "other");

        Assert.Single(report!.WaitingFor);
        Assert.Contains(pack, vault.Objects.Names);
        await vault.BackUpAsync(_contents);
        await vault.AssertWholeAsync();
        await vault.RepairAsync();
        Assert.DoesNotContain(pack, vault.Objects.Names);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_missing_confirmation_a_damaged_checkpoint_and_a_damaged_record_of_a_session_are_mended()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint point = await vault.BackUpAsync(_contents);
        string commit = vault.Names(StoredKind.Commit)[0];
        vault.Objects.Remove(commit);
        string record = vault.Names(StoredKind.Session).Single(name => name.EndsWith(point.SessionId.ToString(), StringComparison.Ordinal));
        vault.Objects.FlipBit(record, 40);
        string checkpoint = VaultLayout.Checkpoint((await vault.OpenStoreAsync()).StoreId, point.SessionId, 9);
        vault.Objects.SetContent(checkpoint, new byte[200]);

        RepairReport report = await vault.RepairAsync();

        Assert.Equal((1, 2), (report.CommitsRestored, report.ObjectsRemoved));
        Assert.Contains(commit, vault.Objects.Names);
        Assert.DoesNotContain(vault.Objects.Names, name => name == record || name == checkpoint);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_damaged_point_is_named()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint lost = await vault.BackUpAsync(_contents);
        await vault.BackUpAsync(_contents);
        vault.Objects.FlipBit(vault.Names(StoredKind.Point)[0], 200);

        RepairReport report = await vault.RepairAsync();

        Assert.Contains(report.Findings, finding => finding.Affected.Any(item => item.PointId == lost.SessionId));
        Assert.Contains(vault.Names(StoredKind.Point), name => name.Contains(lost.SessionId.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_vault_that_is_whole_stays_as_it_is()
    {
        using var vault = new MaintainedVault();
        await vault.BackUpAsync(_contents);
        IReadOnlyList<string> before = vault.Names(StoredKind.Pack);

        RepairReport report = await vault.RepairAsync();

        Assert.Empty(report.Packs);
        Assert.Empty(report.Findings);
        Assert.Equal((before.Count, 0L, 0, 0), ((int)report.PacksRead, report.BytesWritten, report.PacksIndexed, report.ObjectsRemoved));
        Assert.Equal(before, vault.Names(StoredKind.Pack));
        Assert.Empty(vault.Names(StoredKind.Collection));
    }

    private sealed class KeptPacks : IPackRescue
    {
        public Dictionary<(SessionId Session, uint Number), byte[]> Kept { get; } = [];

        public ValueTask<byte[]?> RecoverAsync((SessionId Session, uint Number) pack, long length, CancellationToken cancellationToken) =>
            new(Kept.TryGetValue(pack, out byte[]? content) && content.Length == length ? content : null);
    }
}
