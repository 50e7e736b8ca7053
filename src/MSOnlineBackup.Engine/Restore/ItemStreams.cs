using System.Buffers;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// Long named streams of the items of a restore: written, before the item is complete, by whoever completes it; compared with what is there; and read again
/// where a restore is verified. A stream that fails is reported for its item, and costs the item nothing else, unless something would give way to it.
/// </summary>
/// <remarks>For several threads, an item each. Memory: a part of one stream for each.</remarks>
/// <param name="job">The restore.</param>
/// <param name="contents">Where the streams are.</param>
/// <param name="tellsImpossible">Whether a stream that the target cannot have is reported.</param>
internal sealed class ItemStreams(RestoreJob job, IItemContents contents, bool tellsImpossible)
{
    private const int BufferLength = 256 << 10;

    /// <summary>Whether an item at the target has all long streams that it should have and can have, byte for byte.</summary>
    /// <exception cref="BackupException">The vault does not give all of a stream: what is there is better left alone.</exception>
    /// <param name="entry">The item.</param>
    /// <param name="place">Where it is.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<bool> AreAtAsync(ManifestEntry entry, EntryPath place, CancellationToken cancellationToken)
    {
        foreach (StreamToRestore stream in StreamsOf(entry))
        {
            try
            {
                if (job.Target.CanHaveStream(stream.Name.Span) && await FindDifferenceAsync(stream, place, cancellationToken).ConfigureAwait(false) is not null)
                {
                    return false;
                }
            }
            catch (BackupException fault) when (fault.IsDamage)
            {
                throw Failed(place, stream, fault);
            }
        }

        return true;
    }

    /// <summary>Writes the long streams of a file that is not complete yet.</summary>
    /// <returns>Why one could not be written; null where all that the target can have are.</returns>
    public ValueTask<BackupException?> WriteAsync(RestoreItem item, IRestoreFile file, CancellationToken cancellationToken) =>
        WriteAsync(item, file.CreateStream, cancellationToken);

    /// <summary>Writes the long streams of a folder that is open, where it does not have them.</summary>
    public async ValueTask WriteFolderAsync(RestoreItem item, CancellationToken cancellationToken)
    {
        EntryPath place = item.Entry.Path;
        try
        {
            if (StreamsOf(item.Entry).Count == 0 || (item.Existing is not null && await AreAtAsync(item.Entry, place, cancellationToken).ConfigureAwait(false)))
            {
                return;
            }
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            job.Tally.Report(item, fault);
            return;
        }

        if (await WriteAsync(item, (name, length) => job.Target.CreateStream(place, name, length), cancellationToken).ConfigureAwait(false) is { } failure)
        {
            job.Tally.Report(item, failure);
        }
        else
        {
            await VerifyAsync(item, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the long streams of an item again where the restore is verified, and reports the first that differs.</summary>
    public async ValueTask VerifyAsync(RestoreItem item, CancellationToken cancellationToken)
    {
        if (job.Verifier is null)
        {
            return;
        }

        foreach (StreamToRestore stream in StreamsOf(item.Entry).Where(stream => job.Target.CanHaveStream(stream.Name.Span)))
        {
            try
            {
                if (await FindDifferenceAsync(stream, item.Entry.Path, cancellationToken).ConfigureAwait(false) is { } difference)
                {
                    job.Tally.Report(item, RestoreVerifier.Differs(item, $"its stream '{stream.ShownName}' {difference}"));
                }
            }
            catch (BackupException fault) when (fault.IsDamage)
            {
                job.Tally.Report(item, Failed(item.Entry.Path, stream, fault));
            }
        }
    }

    /// <summary>Gives a copy of a file, which this restore wrote under another name, the streams that this one has.</summary>
    public void Copy(RestoreItem item, EntryPath from, IRestoreFile file)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            foreach (StreamToRestore stream in StreamsOf(item.Entry).Where(stream => job.Target.CanHaveStream(stream.Name.Span)))
            {
                using Stream? source = job.Target.OpenStream(from, stream.Name);
                using IRestoreStream? copy = source is null ? null : file.CreateStream(stream.Name, stream.Length);
                for (long offset = 0; copy is not null && source!.Read(buffer, 0, BufferLength) is > 0 and int read; offset += read)
                {
                    if (buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
                    {
                        copy.Write(offset, buffer.AsSpan(0, read));
                    }
                }

                copy?.Complete();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private IReadOnlyList<StreamToRestore> StreamsOf(ManifestEntry entry) =>
        entry.Kind is EntryKind.File or EntryKind.Directory ? contents.StreamsOf(entry) : [];

    private async ValueTask<BackupException?> WriteAsync(RestoreItem item, Func<ReadOnlyMemory<byte>, long, IRestoreStream?> create, CancellationToken cancellationToken)
    {
        BackupException? failure = null;
        foreach (StreamToRestore stream in StreamsOf(item.Entry))
        {
            try
            {
                if (job.Target.CanHaveStream(stream.Name.Span))
                {
                    await WriteAsync(stream, create, cancellationToken).ConfigureAwait(false);
                }
                else if (tellsImpossible)
                {
                    job.Tally.Report(item, Impossible(item, stream));
                }
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault) || fault.IsOfSourceItem)
            {
                failure ??= Failed(item.Entry.Path, stream, fault);
            }
        }

        return failure;
    }

    private static async ValueTask WriteAsync(
        StreamToRestore stream, Func<ReadOnlyMemory<byte>, long, IRestoreStream?> create, CancellationToken cancellationToken)
    {
        using IRestoreStream? written = create(stream.Name, stream.Length);
        if (written is null)
        {
            return;
        }

        long offset = 0;
        await foreach (StreamPart part in stream.Read(cancellationToken).ConfigureAwait(false))
        {
            if (!part.IsHole)
            {
                written.Write(offset, part.Bytes.Span);
            }

            offset += part.Length;
        }

        written.Complete();
    }

    // How what is there differs; null where it does not. What cannot be read is not known to be the same.
    private async ValueTask<string?> FindDifferenceAsync(StreamToRestore stream, EntryPath place, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            using Stream? there = job.Target.OpenStream(place, stream.Name);
            if (there is null)
            {
                return "is missing";
            }

            long offset = 0;
            await foreach (StreamPart part in stream.Read(cancellationToken).ConfigureAwait(false))
            {
                for (long done = 0; done < part.Length;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Memory<byte> bytes = buffer.AsMemory(0, (int)Math.Min(BufferLength, part.Length - done));
                    bool isSame = there.ReadAtLeast(bytes.Span, bytes.Length, throwOnEndOfStream: false) == bytes.Length
                        && (part.IsHole ? !bytes.Span.ContainsAnyExcept((byte)0) : bytes.Span.SequenceEqual(part.Bytes.Span.Slice((int)done, bytes.Length)));
                    if (!isSame)
                    {
                        return $"differs from byte {offset + done} onward";
                    }

                    done += bytes.Length;
                }

                offset += part.Length;
            }

            return there.ReadByte() < 0 ? null : "is longer";
        }
        catch (BackupException fault) when (!fault.IsDamage && (RestoreFault.IsOfOneItem(fault) || fault.IsOfSourceItem))
        {
            return "could not be compared: " + fault.Message;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static BackupException Failed(EntryPath place, StreamToRestore stream, BackupException fault) => new(
        fault.Id,
        $"The stream '{stream.ShownName}' of '{PathText.Show(place)}' could not be restored. {fault.Message}",
        fault.RecommendedAction,
        PathText.Show(place),
        innerException: fault);

    private static BackupException Impossible(RestoreItem item, StreamToRestore stream) => new(
        BackupErrorId.RestoreMetadataFailed,
        $"The stream '{stream.ShownName}' of '{PathText.Show(item.Entry.Path)}' was not restored: the target has no such streams.",
        "If it matters, restore the item on the system that it comes from, onto a file system with streams.",
        item.FullPath);
}
