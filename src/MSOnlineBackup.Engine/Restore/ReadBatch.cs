using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>A place that needs a part of a chunk.</summary>
/// <param name="File">The file.</param>
/// <param name="FileOffset">Where in the file.</param>
/// <param name="ChunkOffset">Where in the chunk the part begins.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct ChunkUse(RestoreFile? File, long FileOffset, int ChunkOffset, int Length);

/// <summary>A chunk that a batch needs, and what for.</summary>
internal sealed record NeededChunk(ChunkId Id, List<ChunkUse> Uses)
{
    /// <summary>Where it is; default where no pack is known to have it.</summary>
    public ChunkLocation Location { get; set; }

    /// <summary>The number of the last file that needed it.</summary>
    public long LastFile { get; set; }
}

/// <summary>A range of one pack to be fetched at once, and the chunks in it that are needed, by offset.</summary>
internal sealed record PackRead(PackInfo? Pack, int Offset, int Length, IReadOnlyList<NeededChunk> Chunks);

/// <summary>
/// What the next files need from the vault, gathered until it is worth fetching: each chunk once however many files need
/// it, neighbours in a pack together. Its bounds are what bounds a restore's memory.
/// </summary>
internal sealed class ReadBatch(int mostLargeFiles = ReadBatch.MaxLargeFiles)
{
    /// <summary>The longest range that is fetched at once.</summary>
    public const int MaxReadLength = 8 << 20;

    private const int MaxGap = 256 << 10;
    private const long MaxBytes = 512L << 20;
    private const int MaxUses = 20_000;

    // Each may be open until its last chunk has come.
    private const int MaxLargeFiles = 250;

    private readonly int _mostLargeFiles = Math.Min(mostLargeFiles, MaxLargeFiles);

    // Files of a tree that was changed since it was backed up first take turns in old and new bundles.
    private const int OpenBundleFiles = 64;
    private const int LongestBundled = 128 << 10;

    // The first batch is a small one, so that fetching begins while the walk goes on; each is twice as large as the one before.
    private const int FirstPart = 16;

    private readonly Dictionary<ChunkId, NeededChunk> _chunks = [];
    private long _files;
    private long _bytes;
    private int _uses;
    private int _largeFiles;
    private int _part = FirstPart;

    /// <summary>Whether it is time to fetch.</summary>
    public bool IsFull => _bytes >= MaxBytes / _part || _uses >= MaxUses / _part || _largeFiles >= Math.Max(1, _mostLargeFiles / _part);

    /// <summary>Adds a need.</summary>
    public void Add(ChunkId id, ChunkUse use)
    {
        if (!_chunks.TryGetValue(id, out NeededChunk? chunk))
        {
            _chunks.Add(id, chunk = new NeededChunk(id, []));
        }

        chunk.Uses.Add(use);
        chunk.LastFile = _files;
        _bytes += use.Length;
        _uses++;
    }

    /// <summary>Says that the needs of another file follow.</summary>
    public void BeginFile(EntryContent content)
    {
        bool isLarge = IsLarge(content);
        _largeFiles += isLarge ? 1 : 0;
        _files += isLarge ? 0 : 1;
    }

    /// <summary>What is needed, in the order of first need. Bundles that the last files were in stay for the next batch, for the next files
    /// may be in them too.</summary>
    /// <param name="isLast">Whether no batch comes after it.</param>
    public IReadOnlyList<NeededChunk> Take(bool isLast)
    {
        var chunks = new List<NeededChunk>(_chunks.Count);
        _part = Math.Max(1, _part / 2);
        _bytes = 0;
        _uses = 0;
        _largeFiles = 0;
        foreach (NeededChunk chunk in _chunks.Values)
        {
            if (isLast || !IsOpen(chunk) || _uses + chunk.Uses.Count > MaxUses / _part / 2)
            {
                chunks.Add(chunk);
            }
            else
            {
                _bytes += chunk.Uses.Sum(use => (long)use.Length);
                _uses += chunk.Uses.Count;
            }
        }

        if (_uses == 0)
        {
            _chunks.Clear();
        }
        else
        {
            chunks.ForEach(chunk => _chunks.Remove(chunk.Id));
        }

        return chunks;
    }

    private static bool IsLarge(EntryContent content) => content.Slices.Count > 1 || content.Lists.Count > 0;

    private bool IsOpen(NeededChunk chunk) => _files - chunk.LastFile < OpenBundleFiles && chunk.Uses[^1].Length <= LongestBundled;

    /// <summary>The fetches that bring chunks. One that no pack has stands in a fetch of nothing.</summary>
    public static async ValueTask<List<PackRead>> GroupAsync(
        IReadOnlyCollection<NeededChunk> needed, ChunkStore store, CancellationToken cancellationToken)
    {
        var packs = new OrderedDictionary<PackInfo, List<NeededChunk>>(ReferenceEqualityComparer.Instance);
        var missing = new List<NeededChunk>();
        foreach (NeededChunk chunk in needed)
        {
            IReadOnlyList<ChunkLocation> copies = await store.LocateAsync(chunk.Id, cancellationToken).ConfigureAwait(false);
            chunk.Location = copies.FirstOrDefault(copy => copy.Chunk.Kind == ChunkKind.Content);
            if (chunk.Location.Pack is not { } pack)
            {
                missing.Add(chunk);
                continue;
            }

            if (!packs.TryGetValue(pack, out List<NeededChunk>? inPack))
            {
                packs.Add(pack, inPack = []);
            }

            inPack.Add(chunk);
        }

        var reads = new List<PackRead>();
        foreach ((PackInfo pack, List<NeededChunk> chunks) in packs)
        {
            chunks.Sort((left, right) => left.Location.Chunk.Offset.CompareTo(right.Location.Chunk.Offset));
            reads.AddRange(Coalesce(pack, chunks));
        }

        if (missing.Count > 0)
        {
            // Where parity gives them, it gives one pack after the other.
            reads.Add(new PackRead(null, 0, 0, [.. missing.OrderBy(chunk => PlaceOf(chunk, store))]));
        }

        return reads;
    }

    private static (SessionId Session, uint Number, int Offset) PlaceOf(NeededChunk chunk, ChunkStore store) =>
        store.Index.FindEver(chunk.Id) is [{ Pack: { } pack } place, ..] ? (pack.Session, pack.Number, place.Chunk.Offset) : default;

    private static IEnumerable<PackRead> Coalesce(PackInfo pack, List<NeededChunk> chunks)
    {
        int first = 0;
        for (int i = 1; i <= chunks.Count; i++)
        {
            int start = chunks[first].Location.Chunk.Offset;
            int end = EndOf(chunks[i - 1]);
            if (i == chunks.Count
                || chunks[i].Location.Chunk.Offset - end > MaxGap
                || EndOf(chunks[i]) - start > MaxReadLength)
            {
                yield return new PackRead(pack, start, end - start, chunks.GetRange(first, i - first));
                first = i;
            }
        }
    }

    private static int EndOf(NeededChunk chunk) => chunk.Location.Chunk.Offset + chunk.Location.Chunk.StoredLength;
}
