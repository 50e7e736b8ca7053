using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// Which chunk is where, and the one piece of shared state of a backup: "new or known?". Thread-safe.
/// </summary>
/// <remarks>
/// Segments lie in a few sorted runs of growing size, merged like a log-structured tree, so that a lookup costs a few
/// cache misses however many segments there are. What this session adds lies in a table until it is written out as a
/// segment, so the table is bounded by the interval between checkpoints.
/// </remarks>
internal sealed class ChunkIndex
{
    private readonly Lock _gate = new();
    private readonly List<PackInfo> _packs = [];
    private readonly Dictionary<(SessionId Session, uint Number), int> _packNumbers = [];
    private readonly List<IndexRun> _runs = [];

    // Claimed and not arrived: null. Arrived and in no segment yet: where it is.
    private readonly Dictionary<ChunkId, ChunkLocation?> _recent = [];
    private readonly List<(PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)> _unwritten = [];

    // Copies that did not open, by where they lie.
    private readonly HashSet<(PackInfo Pack, int Offset)> _distrusted = [];

    /// <summary>The packs that segments name, and those of this session.</summary>
    public IReadOnlyList<PackInfo> Packs
    {
        get
        {
            lock (_gate)
            {
                return [.. _packs];
            }
        }
    }

    /// <summary>Records of chunks, copies included.</summary>
    public long RecordCount
    {
        get
        {
            lock (_gate)
            {
                return _runs.Sum(run => (long)run.Count) + _unwritten.Sum(pack => (long)pack.Chunks.Count);
            }
        }
    }

    public bool Contains(ChunkId id)
    {
        lock (_gate)
        {
            return IsRecent(id) || TryFindInRuns(id, out _);
        }
    }

    /// <summary>Where a chunk is: in a pack that is there.</summary>
    public bool TryFind(ChunkId id, out ChunkLocation location)
    {
        lock (_gate)
        {
            if (_recent.TryGetValue(id, out ChunkLocation? recent) && recent is { Pack.IsAvailable: true } arrived)
            {
                location = arrived;
                return true;
            }

            return TryFindInRuns(id, out location);
        }
    }

    /// <summary>
    /// Notes a copy that did not open. For whoever asks whether its chunk is known it is not there any more, so that the chunk is stored
    /// anew; <see cref="FindAll"/> still gives it.
    /// </summary>
    public void Distrust(in ChunkLocation copy)
    {
        lock (_gate)
        {
            if (_distrusted.Add((copy.Pack, copy.Chunk.Offset)) && IsRecentIn(copy.Pack, copy.Chunk.Id))
            {
                _recent.Remove(copy.Chunk.Id);
            }
        }
    }

    /// <summary>Every copy of a chunk in packs that are there.</summary>
    public IReadOnlyList<ChunkLocation> FindAll(ChunkId id)
    {
        lock (_gate)
        {
            var copies = new List<ChunkLocation>();
            if (_recent.TryGetValue(id, out ChunkLocation? recent) && recent is { Pack.IsAvailable: true } arrived)
            {
                copies.Add(arrived);
            }

            copies.AddRange(InRuns(id));
            return copies;
        }
    }

    /// <summary>True where the chunk is new: the caller has claimed it and must store it. False where it is known or another has claimed it.</summary>
    public bool TryClaim(ChunkId id)
    {
        lock (_gate)
        {
            if (IsRecent(id) || TryFindInRuns(id, out _))
            {
                return false;
            }

            _recent[id] = null;
            return true;
        }
    }

    /// <summary>Takes in a segment that was read from the vault. Returns the packs it was the first to name and that this version cannot read.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    /// <param name="name">The segment's name.</param>
    /// <param name="segment">Its plaintext.</param>
    /// <param name="packs">All packs that it names.</param>
    public IReadOnlyList<PackInfo> AddSegment(string name, ReadOnlySpan<byte> segment, out PackInfo[] packs)
    {
        lock (_gate)
        {
            int before = _packs.Count;
            var named = new List<int>();
            AddRun(IndexSegment.Decode(name, segment, pack =>
            {
                named.Add(Register(pack));
                return named[^1];
            }));
            packs = [.. named.Select(number => _packs[number])];
            return [.. _packs.Skip(before).Where(pack => !pack.IsKnown)];
        }
    }

    /// <summary>Takes in a pack that is durable and in no segment yet.</summary>
    public void AddPack(PackInfo pack, IReadOnlyList<PackedChunk> chunks)
    {
        lock (_gate)
        {
            Register(pack);
            _unwritten.Add((pack, chunks));
            foreach (PackedChunk chunk in chunks)
            {
                _recent[chunk.Id] = new ChunkLocation(pack, chunk);
            }
        }
    }

    /// <summary>Leaves packs out of the segments that are still to be written: nobody needs them.</summary>
    public void Forget(IReadOnlySet<PackInfo> packs)
    {
        lock (_gate)
        {
            _unwritten.RemoveAll(unwritten => packs.Contains(unwritten.Pack));
        }
    }

    /// <summary>The next segment to write: the packs taken in since the last, as many as fit one. Null where there are none.</summary>
    public byte[]? TakeSegment()
    {
        lock (_gate)
        {
            if (_unwritten.Count == 0)
            {
                return null;
            }

            int taken = 0;
            int records = 0;
            do
            {
                records += _unwritten[taken++].Chunks.Count;
            }
            while (taken < _unwritten.Count && records + _unwritten[taken].Chunks.Count <= IndexSegment.MaxRecords);

            List<(PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)> part = _unwritten.GetRange(0, taken);
            _unwritten.RemoveRange(0, taken);
            byte[] segment = IndexSegment.Encode(part);
            AddRun(IndexSegment.Decode("(new)", segment, Register));
            foreach ((PackInfo pack, IReadOnlyList<PackedChunk> chunks) in part)
            {
                // What was claimed since, because this copy did not open, stays claimed.
                foreach (PackedChunk chunk in chunks.Where(chunk => IsRecentIn(pack, chunk.Id)))
                {
                    _recent.Remove(chunk.Id);
                }
            }

            return segment;
        }
    }

    /// <summary>Whether any segment, or this session, names the pack.</summary>
    public bool TryGetPack(SessionId session, uint number, [NotNullWhen(true)] out PackInfo? pack)
    {
        lock (_gate)
        {
            pack = _packNumbers.TryGetValue((session, number), out int index) ? _packs[index] : null;
            return pack is not null;
        }
    }

    /// <summary>All locations in the order of ids: what a verification walks.</summary>
    public IEnumerable<ChunkLocation> All()
    {
        IndexRun[] runs;
        lock (_gate)
        {
            runs = [.. _runs];
        }

        foreach (IndexRun run in runs)
        {
            for (int i = 0; i < run.Count; i++)
            {
                PackedChunk chunk = IndexSegment.ReadRecord(run[i], out int pack);
                yield return new ChunkLocation(PackAt(pack), chunk);
            }
        }

        (PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)[] unwritten;
        lock (_gate)
        {
            unwritten = [.. _unwritten];
        }

        foreach ((PackInfo pack, IReadOnlyList<PackedChunk> chunks) in unwritten)
        {
            foreach (PackedChunk chunk in chunks)
            {
                yield return new ChunkLocation(pack, chunk);
            }
        }
    }

    /// <summary>
    /// All records in one run in the order of ids, those that no segment has yet included: for whoever passes over them often, or numbers them. The run stays as it is,
    /// whatever is added later.
    /// </summary>
    public IndexRun Consolidate()
    {
        lock (_gate)
        {
            while (_runs.Count > 1)
            {
                IndexRun merged = IndexRun.Merge(_runs[^2], _runs[^1]);
                _runs.RemoveRange(_runs.Count - 2, 2);
                _runs.Add(merged);
            }

            IndexRun all = _runs.Count == 0 ? new IndexRun(ReadOnlyMemory<byte>.Empty) : _runs[0];
            return _unwritten.Count == 0 ? all : IndexRun.Merge(all, new IndexRun(IndexSegment.Decode("(new)", IndexSegment.Encode(_unwritten), Register)));
        }
    }

    /// <summary>The pack of a record's number.</summary>
    public PackInfo PackAt(int index)
    {
        lock (_gate)
        {
            return _packs[index];
        }
    }

    private int Register(PackInfo pack)
    {
        if (_packNumbers.TryGetValue((pack.Session, pack.Number), out int known))
        {
            return known;
        }

        _packNumbers.Add((pack.Session, pack.Number), _packs.Count);
        _packs.Add(pack);
        return _packs.Count - 1;
    }

    private void AddRun(byte[] records)
    {
        if (records.Length == 0)
        {
            return;
        }

        _runs.Add(new IndexRun(records));
        while (_runs.Count > 1 && _runs[^2].Count <= 2 * _runs[^1].Count)
        {
            IndexRun merged = IndexRun.Merge(_runs[^2], _runs[^1]);
            _runs.RemoveRange(_runs.Count - 2, 2);
            _runs.Add(merged);
        }
    }

    // Claimed, or arrived in a pack that is there.
    private bool IsRecent(ChunkId id) => _recent.TryGetValue(id, out ChunkLocation? recent) && recent is null or { Pack.IsAvailable: true };

    private bool IsRecentIn(PackInfo pack, ChunkId id) =>
        _recent.TryGetValue(id, out ChunkLocation? recent) && recent is { } arrived && ReferenceEquals(arrived.Pack, pack);

    private bool TryFindInRuns(ChunkId id, out ChunkLocation location)
    {
        foreach (ChunkLocation copy in InRuns(id))
        {
            if (_distrusted.Count == 0 || !_distrusted.Contains((copy.Pack, copy.Chunk.Offset)))
            {
                location = copy;
                return true;
            }
        }

        location = default;
        return false;
    }

    private IEnumerable<ChunkLocation> InRuns(ChunkId id)
    {
        foreach (IndexRun run in _runs)
        {
            for (int i = run.LowerBound(id); i < run.Count; i++)
            {
                PackedChunk chunk = IndexSegment.ReadRecord(run[i], out int pack);
                if (chunk.Id != id)
                {
                    break;
                }

                if (_packs[pack].IsAvailable)
                {
                    yield return new ChunkLocation(_packs[pack], chunk);
                }
            }
        }
    }
}
