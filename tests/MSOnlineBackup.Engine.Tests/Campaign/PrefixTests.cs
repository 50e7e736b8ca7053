using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Campaign;

/// <summary>
/// A crash after every operation: whatever the store holds then, committed points restore bit for bit, a new backup succeeds, and
/// a verification is clean.
/// </summary>
public sealed class PrefixTests
{
    [Fact]
    public async Task A_crash_after_any_operation_loses_nothing_that_was_committed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        using var workload = new Workload();
        var log = new RecordingVaultStore(new MemoryVaultStore { Capabilities = new(PackSize: 5 << 20, MaxConcurrency: 4) });
        await BackupEngine.CreateVaultAsync(log, Workload.Passphrase, Workload.Options, default);
        await workload.BackUpAndRememberAsync(log, workload.A);
        new SourceTreeBuilder(workload.A).Edit(seed: 5, edits: 6, largestFile: 300_000);
        await Task.WhenAll(workload.BackUpAndRememberAsync(log, workload.A), workload.BackUpAndRememberAsync(log, workload.B));
        await (await Workload.OpenAsync(log)).AddKeyAsync("another passphrase!", "second", default);
        new SourceTreeBuilder(workload.B).Edit(seed: 6, edits: 6, largestFile: 300_000);
        await workload.BackUpAndRememberAsync(log, workload.B);

        IReadOnlyList<VaultOperation> operations = log.Operations;
        int crashes = 0;
        foreach (int count in CampaignScope.Spread(1, operations.Count, brief: 20))
        {
            foreach (LastOperation last in Enum.GetValues<LastOperation>())
            {
                await AssertSurvivesAsync(workload, log, count, last);
                crashes++;
            }
        }

        Assert.Contains(operations, operation => operation.Name.Contains("/checkpoints/", StringComparison.Ordinal));
        TestContext.Current.SendDiagnosticMessage($"{crashes} crashes in a log of {operations.Count} operations");
    }

    private static async Task AssertSurvivesAsync(Workload workload, RecordingVaultStore log, int count, LastOperation last)
    {
        string where = $"after operation {count} ({log.Operations[count - 1].Name}, {last})";
        MemoryVaultStore store = log.Materialise(count, last);
        string? torn = last == LastOperation.Torn ? log.Operations[count - 1].Name : null;
        string[] whole = [.. log.Operations.Take(count).Select(operation => operation.Name).Where(name => name != torn)];
        if (!whole.Contains("vault.json") || !whole.Any(name => name.StartsWith("keys/", StringComparison.Ordinal)))
        {
            // There is no vault yet; creating it was what crashed.
            Assert.False(await Workload.SucceedsOrFailsWellAsync(() => Workload.OpenAsync(store)), where);
            return;
        }

        string[] committed = [.. whole.Where(name => name.Contains("/points/", StringComparison.Ordinal)).Select(name => name[^32..])];
        IReadOnlyList<RecoveryPoint> points = await (await Workload.OpenAsync(store)).ListPointsAsync(null, default);
        Assert.Equal(committed.Order(), points.Select(point => point.SessionId).Order());
        await workload.AssertRestoresAsync(store, CampaignScope.IsFull ? committed : committed.TakeLast(1));

        BackupResult next = await Workload.BackUpAsync(store, workload.A);
        Assert.Equal(RecoveryPointStatus.Completed, next.Point.Status);
        await workload.AssertRestoresAsAsync(store, next.Point.SessionId, workload.A, workload.A);
        VerifyReport report = await Workload.VerifyAsync(store);
        Assert.True(report.Findings.All(finding => finding.Object == torn && finding.AffectedPaths.Count == 0), $"{where}: {string.Join("; ", report.Findings)}");
    }
}
