using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>
/// Random damages to objects of all kinds, in a vault that keeps parity. What is damaged is named; where parity or a second copy has it, nothing is lost at any moment, and a
/// repair and a maintenance make it whole; where they do not, what is lost is named, file by file.
/// </summary>
public sealed class DamageOfAllKindsCampaignTests(VaultOfEveryKind prepared) : IClassFixture<VaultOfEveryKind>
{
    private static readonly StoredKind[] _kinds = [.. Enum.GetValues<StoredKind>().Where(kind => kind is not (StoredKind.Unknown or StoredKind.Probe))];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Campaign.Rounds(40, 1000))];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_is_damaged_is_named_and_nothing_is_lost_that_parity_or_a_copy_has(int seed)
    {
        var random = new Random(seed);
        MaintainedVault vault = prepared.Vault;
        MemoryVaultStore struck = vault.Objects.Clone();
        var damager = new VaultDamager(struck, random);

        // Time passes until somebody looks: whoever said nothing for long counts for dead.
        vault.Clock.Advance(TimeSpan.FromDays(seed % 2 * 2));

        // The first goes through all kinds and damages; up to two more are left to chance.
        List<StoredKind> kinds = [_kinds[seed % _kinds.Length], .. random.GetItems(_kinds, random.Next(3))];
        foreach ((int i, StoredKind kind) in kinds.Distinct().Index())
        {
            IReadOnlyList<string> names = damager.Names(kind);
            var damage = (Damage)(i == 0 ? seed / _kinds.Length % 5 : random.Next(5));
            damager.Strike(names[random.Next(names.Count)], names, damage);
        }

        (string Name, StoredKind Kind, bool IsLoss)[] changed =
        [
            .. vault.Objects.Names.Select(name => (Name: name, Kind: VaultLayout.KindOf(name, out _), IsLoss: !struck.Names.Contains(name)))
                .Where(item => item.IsLoss || !struck.GetContent(item.Name).AsSpan().SequenceEqual(vault.Objects.GetContent(item.Name))),
        ];
        string told = string.Join(", ", changed.Select(item => $"{item.Name}{(item.IsLoss ? " lost" : "")}"));

        if (changed.Any(item => item.Kind == StoredKind.Header))
        {
            await Vault.RepairHeaderAsync(struck, vault.Clock, Cancel);
        }

        if (await TryVerifyAsync(vault, struck) is not { } before)
        {
            // Neither a slot of this passphrase nor a record of its key is left.
            Assert.True(changed.Any(item => item.Kind == StoredKind.KeySlot) || changed.Count(item => item.Kind == StoredKind.KeyEpoch) > 1, told);
            return;
        }

        foreach ((string name, StoredKind kind, bool isLoss) in changed)
        {
            // Shards are judged by the record of their group.
            bool isJudged = kind != StoredKind.ParityShards || !changed.Any(item => item.Name == Path.ChangeExtension(name, ".group"));
            Assert.True(
                before.Findings.Any(finding => finding.Object == name) || !isJudged || DamageOfEveryKindTests.MayGoUnnamed(kind, isLoss), $"{name} is not named; {told}");
        }

        await DamageCampaignTests.AssertNamedOrWholeAsync(vault, before, struck);
        bool isCovered = IsCovered(changed);
        if (isCovered)
        {
            Assert.True(before.Findings.All(finding => finding.Affected.Count == 0 || changed.Any(item => item.Name == finding.Object)), told);
            await AssertHoldsAsync(vault, struck);
        }

        RepairReport report = await RepairAsync(vault, struck, changed);
        Assert.True(!isCovered || report.ChunksLost == 0, told);
        bool isMaintained = await TryMaintainAsync(vault, struck, changed) && await TryMaintainAsync(vault, struck, changed);
        VerifyReport after = await VerifyAsync(vault, struck);
        await DamageCampaignTests.AssertNamedOrWholeAsync(vault, after, struck);
        if (isCovered)
        {
            await AssertHoldsAsync(vault, struck);
            Assert.True(!isMaintained || after.Findings.All(finding => IsPlain(VaultLayout.KindOf(finding.Object, out _))), $"{told}: {string.Join('\n', after.Findings)}");
        }
    }

    // One damage of what parity and copies stand in for, and none of theirs.
    private static bool IsCovered(IReadOnlyCollection<(string Name, StoredKind Kind, bool IsLoss)> changed) =>
        changed.Count(item => item.Kind is StoredKind.Pack or StoredKind.Segment or StoredKind.Point) <= 1
        && (changed.All(item => item.Kind is not (StoredKind.Pack or StoredKind.Segment or StoredKind.Point))
            || changed.All(item => item.Kind is not (StoredKind.ParityGroup or StoredKind.ParityShards or StoredKind.Copy)));

    // What only its owner, or a machine, writes anew; and records that are kept until the next has come.
    private static bool IsPlain(StoredKind kind) => kind is StoredKind.KeySlot or StoredKind.KeySlotCopy or StoredKind.KeyEpoch or StoredKind.KeyOrder or StoredKind.Machine or StoredKind.Settings
        or StoredKind.Credential or StoredKind.Record or StoredKind.Deletion or StoredKind.Collection or StoredKind.Session or StoredKind.Group;

    // A record of what is condemned stops it: it is deleted while nothing else runs.
    private static async Task<RepairReport> RepairAsync(
        MaintainedVault vault, MemoryVaultStore struck, IReadOnlyCollection<(string Name, StoredKind Kind, bool IsLoss)> changed)
    {
        foreach ((string name, _, _) in changed.Where(item => item is { Kind: StoredKind.Collection, IsLoss: false } && item.Name.EndsWith(".condemn", StringComparison.Ordinal)))
        {
            BackupException stop = await Assert.ThrowsAsync<BackupException>(() => vault.RepairAsync(through: struck));
            Assert.Equal(BackupErrorId.VaultDataCorrupt, stop.Id);
            Assert.Contains(changed, item => item.Name == stop.Target);
            struck.Remove(name);
        }

        return await vault.RepairAsync(through: struck);
    }

    // Without knowing what its owner has decided, nothing is let go.
    private static async Task<bool> TryMaintainAsync(
        MaintainedVault vault, MemoryVaultStore struck, IReadOnlyCollection<(string Name, StoredKind Kind, bool IsLoss)> changed)
    {
        try
        {
            await vault.MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 }, struck);
            return true;
        }
        catch (BackupException e) when (e.IsDamage && changed.Any(item => item.Kind is StoredKind.Record or StoredKind.Settings && item.Name == e.Target))
        {
            return false;
        }
    }

    private static async Task AssertHoldsAsync(MaintainedVault vault, MemoryVaultStore struck)
    {
        foreach (RecoveryPoint point in vault.Points)
        {
            await vault.AssertHoldsAsync(await vault.OpenAsync(struck), point);
        }
    }

    private static async Task<VerifyReport?> TryVerifyAsync(MaintainedVault vault, MemoryVaultStore struck)
    {
        try
        {
            return await VerifyAsync(vault, struck);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.PassphraseRejected or BackupErrorId.VaultDataCorrupt or BackupErrorId.KeyEpochOutdated)
        {
            return null;
        }
    }

    private static async Task<VerifyReport> VerifyAsync(MaintainedVault vault, MemoryVaultStore struck) =>
        await (await vault.OpenAsync(struck)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
}
