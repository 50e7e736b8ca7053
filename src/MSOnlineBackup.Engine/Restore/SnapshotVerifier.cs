using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Reads restored files again, under the names that they got, and compares every byte with the snapshot that they came from.</summary>
/// <param name="target">Where they are.</param>
/// <param name="tally">Told what was found.</param>
/// <param name="current">The item that the walk is at.</param>
internal sealed class SnapshotVerifier(IRestoreTarget target, RestoreTally tally, Func<SourceItem> current) : IRestoreVerifier
{
    /// <inheritdoc/>
    public ValueTask VerifyAsync(RestoreItem item, IReadOnlyDictionary<long, byte[]> digests, CancellationToken cancellationToken)
    {
        byte[] there = System.Buffers.ArrayPool<byte>.Shared.Rent(SnapshotContents.ReadLength);
        byte[] wanted = System.Buffers.ArrayPool<byte>.Shared.Rent(SnapshotContents.ReadLength);
        try
        {
            using Stream file = target.OpenRead(item.Entry.Path);
            using ISourceFile source = current().Open();
            long offset = 0;
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int length = source.Read(offset, wanted.AsSpan(0, SnapshotContents.ReadLength));
                int read = file.ReadAtLeast(there.AsSpan(0, Math.Max(length, 1)), Math.Max(length, 1), throwOnEndOfStream: false);
                if (read != length || !there.AsSpan(0, length).SequenceEqual(wanted.AsSpan(0, length)))
                {
                    throw RestoreVerifier.Differs(item, read > length ? "it is longer" : $"from byte {offset} onward");
                }

                if (length == 0)
                {
                    break;
                }

                offset += length;
            }

            tally.CountVerified();
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault) || fault.IsOfSourceItem)
        {
            tally.Report(item, fault);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(there);
            System.Buffers.ArrayPool<byte>.Shared.Return(wanted);
        }

        return ValueTask.CompletedTask;
    }
}
