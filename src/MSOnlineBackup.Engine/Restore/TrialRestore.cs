using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What of a recovery point a trial restores.</summary>
public sealed record TrialRequest
{
    /// <summary>How many files a sample has unless something else is said.</summary>
    public const int UsualFiles = 100;

    /// <summary>The most files that a sample has.</summary>
    public const int MostFiles = 100_000;

    /// <summary>The most bytes of a sample unless something else is said: 1 GiB.</summary>
    public const long UsualBytes = 1L << 30;

    /// <summary>The recovery point.</summary>
    public required RecoveryPoint Point { get; init; }

    /// <summary>A folder below which a folder for the trial is made, and removed again. It is made if it is not there, and then removed too.</summary>
    public required string Folder { get; init; }

    /// <summary>Full paths of what is restored, all of it; empty for everything. Not with a sample.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>A random sample of so many files; null for none.</summary>
    public int? Files { get; init; }

    /// <summary>A random sample of this share of the files, above 0 and up to 1; null for none.</summary>
    public double? Share { get; init; }

    /// <summary>The most bytes of a sample. A file that is larger is in none.</summary>
    public long MaxBytes { get; init; } = UsualBytes;

    /// <summary>By which the sample is drawn: the same seed gives the same files of the same point. Null for a random one.</summary>
    public int? Seed { get; init; }
}

/// <summary>What a trial restore has found.</summary>
/// <param name="Seed">By which the sample was drawn; 0 where all was restored.</param>
/// <param name="Files">Files that were restored.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Verified">Files whose content was read again and is as it was backed up.</param>
/// <param name="Differences">What could not be restored, or is not as the point says.</param>
public sealed record TrialResult(int Seed, long Files, long Bytes, long Verified, IReadOnlyList<SkippedItem> Differences);

/// <summary>
/// A restore whose only purpose is to see that it works: by the way that every restore takes, into a folder of its own, which is removed again. Contents are
/// read back and compared with the names of their chunks, and what the files say of themselves with the manifest.
/// </summary>
internal static class TrialRestore
{
    /// <summary>Tries it.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="request">What of it.</param>
    /// <param name="restore">Restores, as always.</param>
    /// <param name="monitor">Is told how far it is. What is skipped stands in the result.</param>
    /// <param name="cancellationToken">Stops it; the folder is removed all the same.</param>
    public static async Task<TrialResult> RunAsync(
        IndexedVault vault, TrialRequest request, Func<RestoreRequest, JobMonitor, CancellationToken, Task<RestoreResult>> restore, JobMonitor monitor, CancellationToken cancellationToken)
    {
        bool isSample = request.Files is not null || request.Share is not null;
        int seed = isSample ? request.Seed ?? RandomNumberGenerator.GetInt32(1, int.MaxValue) : 0;
        IReadOnlyList<RecoverableItem> sample = isSample ? await new TrialSample(request, seed).DrawAsync(vault, cancellationToken).ConfigureAwait(false) : [];
        if (isSample && sample.Count == 0)
        {
            return new TrialResult(seed, 0, 0, 0, []);
        }

        bool wasThere = Directory.Exists(request.Folder);
        string folder = Path.Combine(
            request.Folder, string.Create(
                CultureInfo.InvariantCulture, $"trial-{request.Point.SessionId.ToShortString()}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}"));
        var differences = new ConcurrentQueue<SkippedItem>();
        try
        {
            var all = new RestoreRequest
            {
                Point = request.Point,
                Paths = isSample ? [.. sample.Select(item => item.FullPath)] : request.Paths,
                TargetFolder = folder,
                SkipSecurity = true,

                // What this system cannot name is tried all the same.
                MapNames = OperatingSystem.IsWindows(),
                Verify = true,
                ToleratesMissingStreams = true,
                Synchronize = false,
            };
            var watched = new JobMonitor { ItemSkipped = differences.Enqueue, IsExpected = _ => true };
            RestoreResult result = await restore(all, watched, cancellationToken).ConfigureAwait(false);
            foreach (SkippedItem difference in CompareMetadata(sample, folder, [.. differences.Select(item => item.Path)], cancellationToken))
            {
                differences.Enqueue(difference);
            }

            monitor.AddBytes(result.Bytes);
            return new TrialResult(seed, result.Files, result.Bytes, result.Verified, [.. differences]);
        }
        finally
        {
            RestoredFolder.Remove(folder);
            if (!wasThere && Directory.Exists(request.Folder))
            {
                Directory.Delete(request.Folder);
            }
        }
    }

    // What every account may set of a file that it makes: whether it is a file, its size, when it was modified.
    private static IEnumerable<SkippedItem> CompareMetadata(
        IReadOnlyList<RecoverableItem> sample, string folder, HashSet<string> known, CancellationToken cancellationToken)
    {
        Dictionary<EntryPath, RecoverableItem> expected = sample.Where(item => !known.Contains(item.FullPath)).DistinctBy(PlaceOf).ToDictionary(PlaceOf);
        using ISourceTree tree = SourceTrees.Open(folder, SourceSelection.Everything);
        foreach (SourceItem found in tree.Walk(cancellationToken))
        {
            if (!expected.Remove(found.Entry.Path, out RecoverableItem? item))
            {
                continue;
            }

            ManifestEntry entry = item.Entry;
            string? difference = found.Failure is { } failure ? failure.Message
                : found.Entry.Kind != entry.Kind ? $"it is a {entry.Kind} and was restored as a {found.Entry.Kind}"
                : found.Entry.Size != entry.Size ? $"it has {entry.Size} bytes, and {found.Entry.Size} were restored"
                : found.Entry.Metadata.Modified != entry.Metadata.Modified ? $"it was modified at {entry.Metadata.Modified}, and was "
                    + $"restored as {found.Entry.Metadata.Modified}"
                : null;
            if (difference is not null)
            {
                yield return new SkippedItem(
                    item.FullPath, BackupErrorId.RestoreVerifyFailed, $"The restored file is not as the recovery point says: {difference}.");
            }
        }

        // Names that this system does not have were changed, so they are not looked for.
        foreach (RecoverableItem missing in expected.Values.Where(_ => !OperatingSystem.IsWindows()))
        {
            yield return new SkippedItem(missing.FullPath, BackupErrorId.RestoreVerifyFailed, "The restored file is not where it should be.");
        }
    }

    private static EntryPath PlaceOf(RecoverableItem item)
    {
        ReadOnlySpan<byte> source = SourcePath.ToTarget(item.Source).Bytes;
        ReadOnlySpan<byte> below = item.Entry.Path.Bytes;
        return new EntryPath(source.IsEmpty ? below.ToArray() : below.IsEmpty ? source.ToArray() : [.. source, (byte)'/', .. below]);
    }
}
