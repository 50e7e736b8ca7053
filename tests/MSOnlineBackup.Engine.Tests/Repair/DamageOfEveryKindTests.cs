using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>
/// The table in docs/operations.md, cell by cell, in a vault that keeps parity: what is said of an object of each kind that is lost or damaged, and what becomes of it by a repair. No
/// recovery point is the worse for any of it.
/// </summary>
public sealed class DamageOfEveryKindTests(VaultOfEveryKind prepared) : IClassFixture<VaultOfEveryKind>
{
    private const int MostOfAKind = 4;

    // What was said before the repair > what is left after it.
    private const string Unnoticed = "nothing>nothing";
    private const string Healed = "named>nothing";
    private const string Stays = "named>named";
    private const string Rebuilt = "told>nothing";
    private const string Reopened = "refused>nothing";

    // A kind; what may come of its loss; what of its damage. Several outcomes: of objects that something needs, and of those that nothing needs any more.
    private static readonly (StoredKind Kind, string[] Loss, string[] Damage)[] _table =
    [
        (StoredKind.Header, [Reopened], [Reopened]),
        (StoredKind.KeySlot, [Healed], [Healed]),
        (StoredKind.KeySlotCopy, [Unnoticed], [Healed]),
        (StoredKind.KeySlotRemoval, [Unnoticed], [Unnoticed]),
        (StoredKind.KeyEpoch, [Unnoticed], [Stays]),
        (StoredKind.KeyOrder, [Stays, Unnoticed], [Stays]),
        (StoredKind.Machine, [Unnoticed], [Stays]),
        (StoredKind.Settings, [Healed, Unnoticed], [Healed, Unnoticed]),
        (StoredKind.Credential, [Healed, Unnoticed], [Healed]),
        (StoredKind.Record, [Healed, Unnoticed], [Healed]),
        (StoredKind.Consent, [Unnoticed], [Unnoticed]),
        (StoredKind.ConsentUse, [Unnoticed], [Unnoticed]),
        (StoredKind.ConsentsOver, [Unnoticed], [Unnoticed]),
        (StoredKind.Session, [Unnoticed], [Healed, Stays, Unnoticed]),
        (StoredKind.SessionEnd, [Unnoticed], [Unnoticed]),
        (StoredKind.Pack, [Healed], [Healed]),
        (StoredKind.Segment, [Rebuilt], [Healed]),
        (StoredKind.Checkpoint, [Unnoticed], [Healed]),
        (StoredKind.Point, [Healed, Unnoticed], [Healed, Unnoticed]),
        (StoredKind.Commit, [Unnoticed], [Unnoticed]),
        (StoredKind.Deletion, [Unnoticed], [Stays, Unnoticed]),
        (StoredKind.Collection, [Unnoticed], ["named>stopped", Stays, Unnoticed]),
        (StoredKind.ParityGroup, [Unnoticed], [Healed]),
        (StoredKind.ParityShards, [Healed], [Healed]),
        (StoredKind.Copy, [Unnoticed], [Healed]),
        (StoredKind.Proof, [Unnoticed], [Unnoticed]),
        (StoredKind.Status, [Unnoticed], [Unnoticed]),
        (StoredKind.Group, [Unnoticed], [Stays, Unnoticed]),
    ];

    public static TheoryData<string, bool> Cells
    {
        get
        {
            var cells = new TheoryData<string, bool>();
            foreach ((StoredKind kind, _, _) in _table)
            {
                cells.Add(kind.ToString(), true);
                cells.Add(kind.ToString(), false);
            }

            return cells;
        }
    }

    /// <summary>Whether nothing need be said of an object of a kind by its own name: because nothing needs it, or because what depends on it is told.</summary>
    internal static bool MayGoUnnamed(StoredKind kind, bool isLoss) =>
        _table.Single(row => row.Kind == kind) is var (_, ofLoss, ofDamage) && (isLoss ? ofLoss : ofDamage).Any(outcome => outcome is Unnoticed or Rebuilt or Reopened);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task What_is_lost_or_damaged_is_told_and_healed_as_the_table_says(string kindName, bool isLoss)
    {
        (StoredKind kind, string[] ofLoss, string[] ofDamage) = _table.Single(row => row.Kind.ToString() == kindName);
        MaintainedVault vault = prepared.Vault;
        IReadOnlyList<string> names = vault.Names(kind);
        Assert.NotEmpty(names);
        foreach (string name in names.Take(MostOfAKind))
        {
            MemoryVaultStore struck = vault.Objects.Clone();
            if (isLoss)
            {
                struck.Remove(name);
            }
            else
            {
                struck.FlipBit(name, struck.GetContent(name).Length / 2);
            }

            string before = await LookAsync(vault, struck, name);
            string outcome = $"{before}>{(await RepairAsync(vault, struck) ? await LookAsync(vault, struck, name) : "stopped")}";

            Assert.True((isLoss ? ofLoss : ofDamage).Contains(outcome), $"{name}: {outcome}");
        }
    }

    // Nobody looks for months, and maintenance runs: what it takes for over, dead or not needed must not be what was damaged.
    [Theory]
    [MemberData(nameof(Cells))]
    public async Task However_late_it_is_met_no_maintenance_lets_go_of_what_a_point_needs(string kindName, bool isLoss)
    {
        MaintainedVault vault = prepared.Vault;
        foreach (string name in vault.Names(Enum.Parse<StoredKind>(kindName)).Take(MostOfAKind))
        {
            MemoryVaultStore struck = vault.Objects.Clone();
            if (isLoss)
            {
                struck.Remove(name);
            }
            else
            {
                struck.FlipBit(name, struck.GetContent(name).Length / 2);
            }

            // Its second copy, too: nothing is left that says what it said.
            if (struck.Names.FirstOrDefault(copy => VaultLayout.TryParseCopy(copy, out string original) && original == name) is { } twin)
            {
                struck.Remove(twin);
            }

            for (int run = 0; run < 3; run++)
            {
                vault.Clock.Advance(TimeSpan.FromDays(50));
                await MaintainUnlessRefusedAsync(vault, struck);
            }

            struck.SetContent(name, vault.Objects.GetContent(name));
            foreach (RecoveryPoint point in vault.Points)
            {
                await vault.AssertHoldsAsync(await vault.OpenAsync(struck), point);
            }
        }
    }

    [Fact]
    public void Every_kind_is_in_the_table() =>
        Assert.Equal(Enum.GetValues<StoredKind>().Where(kind => kind is not (StoredKind.Unknown or StoredKind.Probe)), _table.Select(row => row.Kind).Order());

    private static async Task<bool> RepairAsync(MaintainedVault vault, MemoryVaultStore struck)
    {
        try
        {
            await Vault.RepairHeaderAsync(struck, vault.Clock, Cancel);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultHeaderNotRepaired)
        {
            // It is sound.
        }

        try
        {
            Assert.Equal(0, (await vault.RepairAsync(through: struck)).ChunksLost);
            return true;
        }
        catch (BackupException)
        {
            return false;
        }
    }

    private static async Task MaintainUnlessRefusedAsync(MaintainedVault vault, MemoryVaultStore struck)
    {
        try
        {
            await vault.MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 }, struck);
        }
        catch (BackupException e) when (e.IsDamage || e.Id is BackupErrorId.VaultHeaderDamaged or BackupErrorId.KeySlotDamaged)
        {
            // It does nothing before somebody has looked.
        }
    }

    private static async Task<string> LookAsync(MaintainedVault vault, MemoryVaultStore struck, string name)
    {
        try
        {
            VerifyReport report = await (await vault.OpenAsync(struck)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
            foreach (RecoveryPoint point in vault.Points)
            {
                await vault.AssertHoldsAsync(await vault.OpenAsync(struck), point);
            }

            return report.Findings.Count == 0 ? "nothing" : report.Findings.Any(finding => finding.Object == name) ? "named" : "told";
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultHeaderDamaged or BackupErrorId.KeySlotDamaged or BackupErrorId.PassphraseRejected)
        {
            return "refused";
        }
    }
}
