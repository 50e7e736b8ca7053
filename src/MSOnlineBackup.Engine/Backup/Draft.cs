using System.Threading.Channels;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// What flows from the reader to the manifest, in path order. Names of chunks are promises: the reader goes on while
/// the workers compute them.
/// </summary>
internal abstract record Draft
{
    private Draft()
    {
    }

    /// <summary>Of a draft that is an entry: its long streams, each of which has ended before it.</summary>
    public IReadOnlyList<DraftedStream> Streams { get; init; } = [];

    /// <summary>An entry that is complete: unchanged, or without content.</summary>
    public sealed record Complete(ManifestEntry Entry) : Draft;

    /// <summary>A small file: its content is a slice of a bundle.</summary>
    public sealed record Bundled(ManifestEntry Entry, Task<ChunkId> Bundle, int Offset) : Draft;

    /// <summary>A further link to a file whose content is read under another path.</summary>
    public sealed record Linked(ManifestEntry Entry, Task<EntryContent> Content) : Draft;

    /// <summary>The next chunk of the large file whose <see cref="FileEnd"/> will follow.</summary>
    public sealed record FileChunk(Task<ChunkId> Chunk, int Length) : Draft;

    /// <summary>The next slice of the large file, known already: a hole, or what a checkpoint had.</summary>
    public sealed record FileSlice(ContentSlice Slice) : Draft;

    /// <summary>The next slices of the large file, as a slice list that the vault has.</summary>
    /// <param name="Reference">The list.</param>
    /// <param name="Slices">What it holds.</param>
    /// <param name="UnderWay">Has an item for each list that the manifest does not have yet: lists are large, so that there are few.</param>
    public sealed record FileList(SliceListReference Reference, IReadOnlyList<ContentSlice> Slices, ChannelReader<bool> UnderWay) : Draft;

    /// <summary>The end of a large file.</summary>
    public sealed record FileEnd(ManifestEntry Entry, TaskCompletionSource<EntryContent>? Content) : Draft;

    /// <summary>The end of a long named stream, whose chunks and slices went before it as those of a large file do.</summary>
    public sealed record StreamEnd(DraftedStream Stream) : Draft;

    /// <summary>The large file or stream under way could not be read to its end: its chunks are to be forgotten.</summary>
    public sealed record FileGivenUp : Draft;

    /// <summary>A good place for a checkpoint: no bundle is open.</summary>
    /// <param name="Current">The large file under way, if any, with the bytes read so far as its size.</param>
    public sealed record Checkpoint(ManifestEntry? Current) : Draft;
}

/// <summary>A long named stream on its way to the manifest.</summary>
/// <param name="name">Its raw name.</param>
internal sealed class DraftedStream(ReadOnlyMemory<byte> name)
{
    /// <summary>Its raw name.</summary>
    public ReadOnlyMemory<byte> Name => name;

    /// <summary>What its entry gets: there once <see cref="Draft.StreamEnd"/> has come to the manifest.</summary>
    public EntryAttribute? Attribute { get; set; }
}
