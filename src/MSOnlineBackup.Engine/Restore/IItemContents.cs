using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Where a restore has the contents of files from: a vault, or a snapshot of this machine.</summary>
internal interface IItemContents
{
    /// <summary>Whether a file at the target has all of an entry's content. What cannot be read has not.</summary>
    /// <param name="entry">The entry that is restored.</param>
    /// <param name="existing">What is at its place; of the same size.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">What concerns more than this file.</exception>
    ValueTask<bool> IsAtAsync(ManifestEntry entry, ManifestEntry existing, CancellationToken cancellationToken);

    /// <summary>The long named streams of an item that the walk is at, or has come by.</summary>
    IReadOnlyList<StreamToRestore> StreamsOf(ManifestEntry entry);
}

/// <summary>Reads restored files again, under the names that they got, and compares every byte with what they were restored from.</summary>
internal interface IRestoreVerifier
{
    /// <summary>Verifies one file that is complete; reports it where it is not the same.</summary>
    /// <param name="item">The file.</param>
    /// <param name="digests">SHA-256 of the parts that are no whole chunks, by their offset in the file.</param>
    /// <param name="cancellationToken">Stops.</param>
    ValueTask VerifyAsync(RestoreItem item, IReadOnlyDictionary<long, byte[]> digests, CancellationToken cancellationToken);
}
