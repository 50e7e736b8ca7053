using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>Says of points that could not be copied what is wrong in the vault, and which of their items suffer by it: as a verification would, of these points alone.</summary>
internal static class CopyFindings
{
    /// <summary>Goes through the manifests of the points.</summary>
    /// <param name="from">The vault's chunk store; its index was read.</param>
    /// <param name="points">The points, and, as far as they can be read, what they went on from.</param>
    /// <param name="lost">Chunks that cannot be read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<IReadOnlyList<VerifyFinding>> FindAsync(
        ChunkStore from, IReadOnlyCollection<(PointName Name, SessionId? Parent)> points, IEnumerable<ChunkId> lost, CancellationToken cancellationToken)
    {
        var problems = new ProblemList();
        var chunks = new PointChunks(from, new HashSet<Packs.PackInfo>(ReferenceEqualityComparer.Instance));
        var verifier = new PointVerifier(from, new JobMonitor(), problems, chunks, lost.ToHashSet());

        // What a point went on from may be gone; that harms no copy.
        HashSet<(MachineId, SessionId)> known = [.. points.Where(point => point.Parent is not null).Select(point => (point.Name.MachineId, point.Parent!.Value))];
        await verifier.RunAsync([.. points.Select(point => point.Name).OrderByDescending(name => name.SessionId)], known, cancellationToken).ConfigureAwait(false);
        return problems.ToFindings();
    }
}
