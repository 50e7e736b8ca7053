using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>Who reads and meets damage takes what is needed from another copy or from parity, goes on, says so, and puts on record what is to be mended.</summary>
public sealed class HealingWhileReadingTests
{
    private static readonly MaintenanceRequest _nothingWritten = new() { MaxRepackBytes = 0, VerifyDays = 0 };

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

    // Swapped packs are two that are lost.
    private static async Task<MaintainedVault> PrepareAsync(int parity = 25)
    {
        var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3, 4, 5]);
        await vault.BackUpAsync([1, 7, 8], machine: "other");
        await vault.SetParityAsync(parity);
        await vault.MaintainAsync(_nothingWritten);
        return vault;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_parity_a_restore_gives_everything_whatever_is_damaged(Victim victim, Damage damage)
    {
        for (int seed = 0; seed < 3; seed++)
        {
            using MaintainedVault vault = await PrepareAsync();
            IReadOnlyList<string> struck = new VaultDamager(vault.Objects, new Random(seed)).Strike(victim, damage);

            long healed = 0;
            foreach (RecoveryPoint point in vault.Points)
            {
                (RestoreResult result, IReadOnlyList<SkippedItem> skipped, int whole) = await vault.RestoreAsync(point);
                Assert.Empty(skipped);
                Assert.Equal((result.Files, 0L), ((long)whole, result.Skipped));
                healed += result.ChunksFromParity;
            }

            if (damage is Damage.Loss or Damage.Swap && victim != Victim.Segment)
            {
                Assert.True(healed > 0);
                Assert.NotEmpty(await vault.ReadRecordedAsync());
                Assert.Subset(struck.ToHashSet(), (await vault.ReadRecordedAsync()).ToHashSet());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_parity_a_verification_names_what_is_damaged_and_nothing_suffers(Victim victim, Damage damage)
    {
        foreach (VerifyLevel level in (VerifyLevel[])[VerifyLevel.Structure, VerifyLevel.Data])
        {
            using MaintainedVault vault = await PrepareAsync();
            IReadOnlyList<string> struck = new VaultDamager(vault.Objects, new Random(1)).Strike(victim, damage);

            VerifyReport report = await vault.VerifyOnRecordAsync(level);

            Assert.All(report.Findings, finding => Assert.Empty(finding.Affected));
            if (victim != Victim.Segment && (level == VerifyLevel.Data || damage == Damage.Loss))
            {
                Assert.Superset(struck.ToHashSet(), report.Findings.Select(finding => finding.Object).ToHashSet());
                Assert.Equal(struck.Order(StringComparer.Ordinal), await vault.ReadRecordedAsync());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_parity_a_backup_takes_over_what_the_damaged_point_says_and_relies_on_nothing_damaged(Victim victim, Damage damage)
    {
        using MaintainedVault vault = await PrepareAsync();
        new VaultDamager(vault.Objects, new Random(2)).Strike(victim, damage);

        RecoveryPoint point = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);

        // What only parity gave is stored again: the new point needs none.
        if (victim != Victim.DataPack)
        {
            foreach (string name in vault.Names(StoredKind.ParityShards))
            {
                vault.Objects.Remove(name);
            }
        }

        Assert.Equal((6, 0), await RestoreAsync(vault, point));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Without_parity_what_is_lost_is_an_error_a_file_and_the_rest_goes_on(Victim victim, Damage damage)
    {
        if (victim == Victim.MetadataPack)
        {
            return;
        }

        using MaintainedVault vault = new() { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3, 4, 5]);
        await vault.BackUpAsync([1, 7, 8], machine: "other");
        IReadOnlyList<string> struck = new VaultDamager(vault.Objects, new Random(3)).Strike(victim, damage);
        int lost = 0;
        foreach (RecoveryPoint point in vault.Points)
        {
            (RestoreResult result, IReadOnlyList<SkippedItem> skipped, int whole) = await vault.RestoreAsync(point);
            Assert.Equal(result.Skipped, (long)skipped.Count);
            Assert.Equal(0L, result.ChunksFromParity);
            Assert.All(skipped, item => Assert.True(item.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing));
            lost += skipped.Count;
        }

        Assert.True(victim == Victim.Segment ? lost == 0 : lost > 0 || damage is Damage.Flip or Damage.ZeroedBlock or Damage.Truncation);
        Assert.Subset(struck.ToHashSet(), (await vault.ReadRecordedAsync()).ToHashSet());
        Assert.Equal(lost > 0, (await vault.ReadRecordedAsync()).Count > 0);
    }

    [Fact]
    public async Task What_is_whole_is_read_without_a_look_at_parity_or_records()
    {
        using MaintainedVault vault = await PrepareAsync();
        var asked = new AskedVaultStore(vault.Objects);

        await vault.RestoreAsync(vault.Points[0], asked);

        Assert.DoesNotContain(asked.Asked, name => name.Contains("/parity/", StringComparison.Ordinal) || name.Contains("/proofs/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_pack_costs_its_group_once_and_not_for_each_chunk()
    {
        using MaintainedVault vault = await PrepareAsync();
        vault.Objects.Remove(new VaultDamager(vault.Objects, new Random(0)).Names(Victim.DataPack).MaxBy(name => vault.Objects.GetContent(name).Length)!);
        var asked = new AskedVaultStore(vault.Objects);

        (RestoreResult result, _, _) = await vault.RestoreAsync(vault.Points[0], asked);

        Assert.True(result.ChunksFromParity > 1);
        Assert.Single(asked.Asked, name => name.EndsWith("/parity/", StringComparison.Ordinal));
        Assert.All(vault.Names(StoredKind.ParityGroup), name => Assert.Single(asked.Asked, name));
    }

    [Fact]
    public async Task Who_may_only_read_restores_all_the_same()
    {
        using MaintainedVault vault = await PrepareAsync();
        vault.Objects.Remove(new VaultDamager(vault.Objects, new Random(0)).Names(Victim.DataPack)[0]);
        var told = new List<BackupException>();

        (RestoreResult result, IReadOnlyList<SkippedItem> skipped, int whole) = await vault.RestoreAsync(
            vault.Points[0], new AskedVaultStore(vault.Objects, isReadOnly: true), told.Add);

        Assert.Empty(skipped);
        Assert.Equal(result.Files, (long)whole);
        Assert.Contains(told, damage => damage.Message.Contains("parity", StringComparison.Ordinal));
        Assert.Empty(await vault.ReadRecordedAsync());
    }

    [Fact]
    public async Task A_repair_of_what_is_on_record_reads_nothing_else_and_mends_it()
    {
        using MaintainedVault vault = await PrepareAsync();
        string pack = new VaultDamager(vault.Objects, new Random(0)).Names(Victim.DataPack)[0];
        vault.Objects.FlipBit(pack, vault.Objects.GetContent(pack).Length / 2);
        await vault.VerifyOnRecordAsync(VerifyLevel.Data);

        RepairReport foreseen = await vault.RepairAsync(new RepairRequest { RecordedOnly = true, IsRehearsal = true });
        RepairReport report = await vault.RepairAsync(new RepairRequest { RecordedOnly = true });

        Assert.Equal((1, 1), (foreseen.PacksRead, report.PacksRead));
        Assert.Equal(pack, Assert.Single(report.Packs).Object);
        Assert.Equal(0, report.ChunksLost);
        Assert.Empty(report.Findings);
        Assert.Empty(await vault.ReadRecordedAsync());
        await vault.AssertWholeAsync();
        Assert.Equal(0, (await vault.RepairAsync(new RepairRequest { RecordedOnly = true })).PacksRead);
    }

    [Fact]
    public async Task A_full_repair_mends_what_is_on_record_before_it_reads_the_rest_and_tells_of_both()
    {
        using MaintainedVault vault = await PrepareAsync(parity: 5);
        string[] packs = [.. vault.Names(StoredKind.Pack)];
        vault.Objects.FlipBit(packs[0], vault.Objects.GetContent(packs[0]).Length / 2);
        await vault.VerifyOnRecordAsync(VerifyLevel.Data);
        vault.Objects.FlipBit(packs[^1], vault.Objects.GetContent(packs[^1]).Length / 2);
        var asked = new AskedVaultStore(vault.Objects);

        RepairReport report = await vault.RepairAsync(through: asked);

        Assert.Equal(packs.Length, report.PacksRead);
        Assert.Equal([packs[0], packs[^1]], report.Packs.Select(pack => pack.Object).Order(StringComparer.Ordinal));
        Assert.Equal(0, report.ChunksLost);
        string[] order = [.. asked.Asked];
        Assert.True(Array.FindIndex(order, name => name.EndsWith(".condemn", StringComparison.Ordinal)) < Array.FindIndex(order, name => name == packs[^1]));
        Assert.Empty(report.Findings);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task What_is_on_record_and_whole_again_is_not_read_a_second_time()
    {
        using MaintainedVault vault = await PrepareAsync();
        string pack = vault.Names(StoredKind.Pack)[0];
        byte[] whole = vault.Objects.GetContent(pack);
        vault.Objects.FlipBit(pack, whole.Length / 2);
        await vault.VerifyOnRecordAsync(VerifyLevel.Data);
        vault.Objects.SetContent(pack, whole);

        RepairReport first = await vault.RepairAsync(new RepairRequest { RecordedOnly = true });
        RepairReport second = await vault.RepairAsync(new RepairRequest { RecordedOnly = true });

        Assert.Equal((1, 0), (first.PacksRead, second.PacksRead));
        Assert.Empty(first.Packs);
        Assert.Contains(pack, vault.Names(StoredKind.Pack));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Maintenance_begins_with_what_is_on_record_and_leaves_alone_what_would_lose_something(bool hasParity)
    {
        using MaintainedVault vault = await PrepareAsync(hasParity ? 5 : 0);
        string pack = new VaultDamager(vault.Objects, new Random(0)).Names(Victim.DataPack)[0];
        vault.Objects.FlipBit(pack, vault.Objects.GetContent(pack).Length / 2);
        await vault.VerifyOnRecordAsync(VerifyLevel.Data);

        MaintenanceReport report = await vault.MaintainAsync(_nothingWritten);

        if (hasParity)
        {
            Assert.Equal(1, report.PacksMended);
            Assert.DoesNotContain(pack, vault.Names(StoredKind.Pack));
            Assert.Empty(await vault.ReadRecordedAsync());
            await vault.AssertWholeAsync();
            await vault.AssertProtectedAsync();
        }
        else
        {
            int packs = vault.Names(StoredKind.Pack).Count;
            Assert.Equal(0, report.PacksMended);
            Assert.Contains(pack, vault.Names(StoredKind.Pack));
            Assert.Equal([pack], await vault.ReadRecordedAsync());
            Assert.Equal(0, (await vault.MaintainAsync(_nothingWritten)).PacksMended);
            Assert.Equal(packs, vault.Names(StoredKind.Pack).Count);
        }
    }

    private static async Task<(int Whole, int Skipped)> RestoreAsync(MaintainedVault vault, RecoveryPoint point)
    {
        (_, IReadOnlyList<SkippedItem> skipped, int whole) = await vault.RestoreAsync(point);
        return (whole, skipped.Count);
    }
}
