using System.Diagnostics;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>
/// A crash after every single operation on the vault, and in the middle of it: whatever the instant, every point that was
/// committed is whole, and the next backup works.
/// </summary>
public sealed class PrefixTests : IDisposable
{
    private readonly PrefixWorkload _workload = new();
    private readonly Dictionary<SessionId, SortedDictionary<string, string>> _trees = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_crash_after_or_within_any_operation_costs_no_committed_point()
    {
        RecordingVaultStore vault = await RecordAsync();
        IReadOnlyList<VaultOperation> operations = vault.Operations;
        LastOperation[] endings = Testing.Campaign.IsFull ? Enum.GetValues<LastOperation>() : [LastOperation.Done, LastOperation.Torn];
        var states = new List<(int Count, LastOperation Last)> { (0, LastOperation.Done) };
        for (int count = 1; count <= operations.Count; count++)
        {
            states.AddRange(endings.Select(last => (count, last)));
        }

        Assert.All(["/packs/", "/index/", "/checkpoints/", "/sessions/", "/points/"], part => Assert.Contains(operations, operation => operation.Name.Contains(part, StringComparison.Ordinal)));
        long start = Stopwatch.GetTimestamp();
        SortedDictionary<string, string> now = TreeState.Capture(_workload.Alpha);
        await Parallel.ForEachAsync(states, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Stop }, async (state, _) =>
        {
            string name = $"after {state.Count} operations, the last '{(state.Count == 0 ? "" : operations[state.Count - 1].Name)}' {state.Last}";
            try
            {
                await CheckAsync(vault.Materialise(state.Count, state.Last), operations.Take(state.Count), state.Last, now, restore: Testing.Campaign.IsFull || state.Count % 16 == 0);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"A crash {name}: {e.Message}", e);
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{operations.Count} operations, {states.Count} states, {_trees.Count} points, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
    }

    public void Dispose() => _workload.Dispose();

    private async Task<RecordingVaultStore> RecordAsync()
    {
        var vault = new RecordingVaultStore(new MemoryVaultStore(_workload.Clock));
        await Vault.CreateAsync(vault, PrefixWorkload.Passphrase, _workload.Options, Stop);
        await BackUpAsync(_workload.Alpha);
        _workload.EditAlpha(1);

        // Two machines at once: neither sees what the other is sending.
        await Task.WhenAll(BackUpAsync(_workload.Alpha), BackUpAsync(_workload.Beta));
        UnlockedVault engine = await _workload.OpenAsync(vault, Stop);

        await engine.AddKeyAsync(PrefixWorkload.SecondPassphrase, "second", Stop);
        _workload.EditAlpha(2);
        await BackUpAsync(_workload.Alpha);
        await engine.RemoveKeyAsync((await engine.AddKeyAsync("a third one, soon removed", null, Stop)).KeyId, Stop);
        _workload.EditAlpha(3);
        Assert.Equal(4, _trees.Count);
        return vault;

        async Task BackUpAsync(string tree)
        {
            SortedDictionary<string, string> before = TreeState.Capture(tree);
            BackupResult result = await _workload.BackUpAsync(vault, tree, Stop);
            Assert.Equal(0, result.Point.SkippedCount);
            lock (_trees)
            {
                _trees.Add(result.Point.SessionId, before);
            }
        }
    }

    private static bool IsSlot(string name) => VaultLayout.KindOf(name, out _) == StoredKind.KeySlot;

    private async Task CheckAsync(MemoryVaultStore state, IEnumerable<VaultOperation> done, LastOperation last, SortedDictionary<string, string> now, bool restore)
    {
        List<string> objects = [.. done.Where(operation => operation.Content is not null).Select(operation => operation.Name)];
        string? torn = last == LastOperation.Done || done.Last().Content is null ? null : done.Last().Name;
        objects.Remove(torn ?? "");
        if (!objects.Contains("vault.json") || !objects.Any(IsSlot))
        {
            BackupException refused = await Assert.ThrowsAsync<BackupException>(() => _workload.OpenAsync(state, Stop));
            Assert.NotEqual(BackupErrorId.UnexpectedError, refused.Id);
            return;
        }

        UnlockedVault engine = await _workload.OpenAsync(state, Stop);
        if (objects.Count(IsSlot) > 1)
        {
            engine = await _workload.OpenAsync(state, Stop, PrefixWorkload.SecondPassphrase);
        }

        SessionId[] committed = [.. objects.Where(name => name.Contains("/points/", StringComparison.Ordinal)).Select(name => SessionId.Parse(name.AsSpan(name.LastIndexOf('/') + 1)))];
        await CheckPointsAsync(engine, state, committed);
        await CheckVerifiesAsync(engine, state, VerifyLevel.Data, torn);
        int repeated = (await OpenedVault.OpenAsync(state, PrefixWorkload.Passphrase, Stop)).CountRepeatedContents();

        BackupResult result = await PrefixWorkload.BackUpAsync(engine, _workload.Alpha, Stop);
        OpenedVault after = await OpenedVault.OpenAsync(state, PrefixWorkload.Passphrase, Stop);
        Assert.Equal(now, await after.ReadFirstSourceAsync(result.Point, Stop));
        Assert.Equal(repeated, after.CountRepeatedContents());
        await CheckPointsAsync(engine, state, committed);
        await CheckVerifiesAsync(engine, state, VerifyLevel.Structure, torn);
        if (restore)
        {
            await CheckRestoreAsync(engine, result.Point);
        }
    }

    private async Task CheckPointsAsync(UnlockedVault engine, MemoryVaultStore state, SessionId[] committed)
    {
        IReadOnlyList<RecoveryPoint> points = await engine.ListPointsAsync(null, Stop);
        Assert.Superset(committed.ToHashSet(), points.Select(point => point.SessionId).ToHashSet());
        OpenedVault vault = await OpenedVault.OpenAsync(state, PrefixWorkload.Passphrase, Stop);
        foreach (RecoveryPoint point in points.Where(point => committed.Contains(point.SessionId)))
        {
            Assert.Equal(_trees[point.SessionId], await vault.ReadFirstSourceAsync(point, Stop));
        }
    }

    private static async Task CheckVerifiesAsync(UnlockedVault engine, MemoryVaultStore state, VerifyLevel level, string? torn)
    {
        VerifyReport report = await engine.VerifyAsync(level, new JobMonitor(), Stop);

        // A broken point, key slot or record of a machine may be one that was whole once: that must be said. What nothing needs is no damage.
        string folder = torn is null ? "" : torn[..(torn.LastIndexOf('/') + 1)];
        bool isReplaced = state.Names.Any(name => name.StartsWith(folder, StringComparison.Ordinal) && string.CompareOrdinal(name, torn) > 0);
        bool isMark = torn?.EndsWith(".removed", StringComparison.Ordinal) == true;
        bool isDamage = torn is not null
            && (folder.Contains("/points/", StringComparison.Ordinal)
                || (folder.StartsWith("keys/", StringComparison.Ordinal) && !isMark)
                || (folder.StartsWith("machines/", StringComparison.Ordinal) && !isReplaced));
        Assert.Equal(isDamage ? [torn!] : [], report.Findings.Select(finding => finding.Object));
        Assert.All(report.Findings, finding => Assert.All(finding.Affected, item => Assert.Null(item.Source)));
        // Of what says that there is a point, or that a key slot is being removed, the name says all.
        Assert.Equal(torn is null || isDamage || isMark || folder.Contains("/commits/", StringComparison.Ordinal) ? 0 : 1, report.Leftovers);
    }

    private async Task CheckRestoreAsync(UnlockedVault engine, RecoveryPoint point)
    {
        using var target = new TempFolder();
        var request = new RestoreRequest { Point = point, TargetFolder = target.Path };
        RestoreResult result = await engine.RestoreAsync(request, new JobMonitor(), Stop);
        Assert.Equal(0, result.Skipped);
        Assert.Empty(TreeComparer.Compare(_workload.Alpha, target.Path + _workload.Alpha));
    }
}
