using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// The records of an index, in a few sorted runs. Those in memory are merged as they grow, like a log-structured tree; those in files are the larger ones. Not
/// thread-safe.
/// </summary>
internal sealed class IndexRuns
{
    private readonly List<MemoryRun> _memory = [];
    private readonly List<FileRun> _files = [];

    /// <summary>How many records there are.</summary>
    public long Count => All.Sum(run => (long)run.Count);

    /// <summary>How many of them lie in the cache.</summary>
    public int Cached { get; private set; }

    /// <summary>The runs, the largest first.</summary>
    public IEnumerable<IndexRun> All => _files.Concat<IndexRun>(_memory);

    /// <summary>Adds records.</summary>
    public void Add(byte[] records)
    {
        if (records.Length == 0)
        {
            return;
        }

        _memory.Add(new MemoryRun(records));
        while (_memory.Count > 1 && _memory[^2].Count <= 2 * _memory[^1].Count)
        {
            MergeLast();
        }
    }

    /// <summary>Puts all records into the cache's place.</summary>
    public void MoveTo(FileRun cache)
    {
        _files.Clear();
        _memory.Clear();
        _files.Add(cache);
        Cached = cache.Count;
    }

    /// <summary>Takes records out of memory where there are many, into a temporary file.</summary>
    public void Spill(IndexCache cache)
    {
        if (_memory.Sum(run => (long)run.Count) >= cache.Bounds.MostInMemory && cache.TrySpill(new IndexRecords([.. _memory])) is { } file)
        {
            _files.Add(file);
            _memory.Clear();
        }
    }

    /// <summary>As few runs as there can be without writing.</summary>
    public IndexRun[] Consolidate()
    {
        while (_memory.Count > 1)
        {
            MergeLast();
        }

        return [.. All];
    }

    /// <summary>Gives back the memory that look-ups in files have filled.</summary>
    public void Release() => _files.ForEach(file => file.Release());

    /// <summary>The records of a chunk.</summary>
    public IEnumerable<(int Pack, PackedChunk Chunk)> Find(ChunkId id)
    {
        foreach (IndexRun run in All)
        {
            for (int i = run.LowerBound(id); i < run.Count; i++)
            {
                PackedChunk chunk = run.Get(i, out int pack);
                if (chunk.Id != id)
                {
                    break;
                }

                yield return (pack, chunk);
            }
        }
    }

    private void MergeLast()
    {
        var merged = MemoryRun.Merge(_memory[^2], _memory[^1]);
        _memory.RemoveRange(_memory.Count - 2, 2);
        _memory.Add(merged);
    }
}
