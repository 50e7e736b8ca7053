using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Host.Commands;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Drill;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Tests.Drill;

public sealed class DrillVerdictTests
{
    private static readonly TreeDifference _different = new("/a", "has different content", ChangedMeanwhile: false);
    private static readonly TreeDifference _changed = new("/b", "has different content", ChangedMeanwhile: true);
    private static readonly VerifyFinding _damage = new("packs/1", "does not verify", []);

    [Fact]
    public void Identical_ends_with_0()
    {
        DrillSummary summary = Conclude();

        Assert.Equal(0, summary.ExitCode);
        Assert.True(summary.Identical);
    }

    [Fact]
    public void What_changed_meanwhile_or_was_skipped_ends_with_3()
    {
        Assert.Equal(3, Conclude(differences: [_changed]).ExitCode);
        Assert.Equal(3, Conclude(skippedByBackup: 1).ExitCode);
        Assert.Equal(3, Conclude(skippedByRestore: 1).ExitCode);
        Assert.False(Conclude(differences: [_changed]).Identical);
    }

    [Fact]
    public void A_difference_or_a_damaged_vault_ends_with_1()
    {
        Assert.Equal(1, Conclude(differences: [_different, _changed]).ExitCode);
        Assert.Equal(1, Conclude(findings: [_damage]).ExitCode);
        Assert.False(Conclude(findings: [_damage]).Identical);
    }

    private static DrillSummary Conclude(
        TreeDifference[]? differences = null, VerifyFinding[]? findings = null, long skippedByBackup = 0, long skippedByRestore = 0)
    {
        var point = new RecoveryPoint
        {
            SessionId = SessionId.Parse("0123456789abcdef0123456789abcdef"),
            MachineId = MachineId.Parse("0123456789abcdef0123456789abcdef"),
            MachineName = "m",
            OperatingSystem = "os",
            AgentVersion = "1",
            Started = DateTimeOffset.UnixEpoch,
            Ended = DateTimeOffset.UnixEpoch,
            Status = RecoveryPointStatus.Completed,
            Sources = [new RecoveryPointSource { Path = "/", Manifest = new ManifestRoot(default(ChunkId), 0, 3, 2, 1, 10) }],
            SkippedCount = skippedByBackup,
        };
        var restored = new RestoreResult(2, 1, 0, 10, 10, 0, skippedByRestore, 0, 0, RestoreLayout.FullPath, 0);
        var verified = new VerifyReport(VerifyLevel.Data, 1, 5, 2, 10, 0, 0, findings ?? []);
        return (DrillSummary)DrillCommand.Conclude(point, restored, verified, differences ?? [], keptIn: null).Summary;
    }
}
