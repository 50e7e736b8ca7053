using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>Reads the long named streams of items, before the entry that gets them is sent. They are cut as the contents of files are.</summary>
/// <param name="drafts">Where what is read goes.</param>
/// <param name="contents">Reads.</param>
/// <param name="stop">Ends the reading between two chunks; the next run reads the item's streams from their beginning, and finds the chunks stored.</param>
internal sealed class StreamReader(SourceDrafts drafts, ContentReader contents, CancellationToken stop)
{
    /// <summary>Takes all long streams of an item whose details were read.</summary>
    /// <param name="entry">The item.</param>
    /// <param name="item">What gives its streams.</param>
    /// <returns>The entry with what is to be doubted of it, and its streams, for the draft of the entry.</returns>
    public async ValueTask<(ManifestEntry Entry, IReadOnlyList<DraftedStream> Streams)> TakeAsync(ManifestEntry entry, SourceItem item)
    {
        if (item.LongStreams.Count == 0)
        {
            return (entry, []);
        }

        var streams = new List<DraftedStream>(item.LongStreams.Count);
        foreach (SourceStream stream in item.LongStreams.OrderBy(stream => stream.Name, NameOrder.Instance))
        {
            using ISourceFile file = item.OpenStream(stream);
            (long length, _) = await contents.ReadAsync(
                file, stream.Size, position: 0, toEnd: false, isProgress: false, AfterChunkAsync).ConfigureAwait(false);
            var drafted = new DraftedStream(stream.Name);
            if (length == 0)
            {
                drafted.Attribute = new EntryAttribute(AttributeTag.NamedStream, stream.Name, default);
            }
            else
            {
                await drafts.SendAsync(new Draft.StreamEnd(drafted)).ConfigureAwait(false);
            }

            streams.Add(drafted);
            entry = CheckAfterRead(entry, stream, length, file.Stat());
        }

        // A file without content and a folder are not looked at again, and equal times prove as little of them.
        bool isRacy = entry.Flags == EntryFlags.None && entry.Metadata.Changed > drafts.Scope.RacySince();
        return (isRacy ? entry with { Flags = EntryFlags.Racy } : entry, streams);
    }

    private async ValueTask AfterChunkAsync()
    {
        stop.ThrowIfCancellationRequested();
        await drafts.CheckpointIfDueAsync(current: null).ConfigureAwait(false);
    }

    // A file is looked at after its content was read, so its times are not compared here.
    private ManifestEntry CheckAfterRead(ManifestEntry entry, SourceStream stream, long length, ManifestEntry now)
    {
        bool isSame = length == stream.Size && now.Size == stream.Size
            && (entry.Kind == EntryKind.File || (now.Metadata.Modified == entry.Metadata.Modified && now.Metadata.Changed == entry.Metadata.Changed));
        if (isSame || entry.Flags.HasFlag(EntryFlags.ChangedWhileRead))
        {
            return entry;
        }

        drafts.Skip(entry, new BackupException(
            BackupErrorId.SourceItemChanged,
            $"The stream '{stream.ShownName}' changed while it was being read; its copy may mix two states.",
            "Back it up again when nothing writes to it, or from a snapshot.",
            drafts.Full(entry)));
        return entry with { Flags = entry.Flags | EntryFlags.ChangedWhileRead };
    }

    private sealed class NameOrder : IComparer<ReadOnlyMemory<byte>>
    {
        public static NameOrder Instance { get; } = new();

        public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);
    }
}
