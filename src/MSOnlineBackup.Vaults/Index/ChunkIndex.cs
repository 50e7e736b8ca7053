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
/// Segments lie in a few sorted runs, so that a lookup costs a few cache misses however many segments there are. Those of a
/// great store lie in a file (<see cref="IndexCache"/>), and in memory only what has come since. What this session adds lies in a table until it is written out as a segment, so the table is
/// bounded by the interval between checkpoints.
/// </remarks>
internal sealed class ChunkIndex(Func<byte, bool> knowsEpoch)
{
    private readonly Lock _gate = new();
    private readonly IndexRuns _runs = new();
    private PackTable _packs = new();

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
                return [.. _packs.All];
            }
        }
    }

    /// <summary>The packs by the numbers that records have for them; null for one that nothing names any more, whose records do not count.</summary>
    public IReadOnlyList<PackInfo?> PacksByNumber
    {
        get
        {
            lock (_gate)
            {
                return [.. _packs.ByNumber];
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
                return _runs.Count + _unwritten.Sum(pack => (long)pack.Chunks.Count);
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

    /// <summary>Every place where a chunk is or was: in packs that are not there any more, too.</summary>
    public IReadOnlyList<ChunkLocation> FindEver(ChunkId id)
    {
        lock (_gate)
        {
            IEnumerable<ChunkLocation> recent = _recent.TryGetValue(id, out ChunkLocation? found) && found is { } arrived ? [arrived] : [];
            return [.. recent, .. InRuns(id, thatAreThere: false)];
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
            int before = _packs.ByNumber.Count;
            var named = new List<int>();
            _runs.Add(IndexSegment.Decode(name, segment, knowsEpoch, pack =>
            {
                named.Add(_packs.Register(pack));
                return named[^1];
            }));
            packs = [.. named.Select(number => _packs.ByNumber[number]!)];
            return [.. _packs.ByNumber.Skip(before).Where(pack => pack is { IsKnown: false })!];
        }
    }

    /// <summary>Takes in what a cache holds, before anything else.</summary>
    /// <param name="cached">What it holds.</param>
    /// <param name="counts">Whether a pack counts: one that no segment names any more does not, nor do its records.</param>
    public void AddCached(CachedIndex cached, Func<int, bool> counts)
    {
        lock (_gate)
        {
            for (int i = 0; i < cached.Packs.Count; i++)
            {
                if (counts(i))
                {
                    // Whoever wrote the cache may have had a newer master key.
                    cached.Packs[i].IsAvailable &= knowsEpoch(cached.Packs[i].Epoch);
                    _packs.Register(cached.Packs[i]);
                }
                else
                {
                    _packs.Skip();
                }
            }

            _runs.MoveTo(cached.Records);
        }
    }

    /// <summary>Takes records out of memory where there are many, into a temporary file.</summary>
    public void Spill(IndexCache cache)
    {
        lock (_gate)
        {
            _runs.Spill(cache);
        }
    }

    /// <summary>
    /// Moves all records into the cache, where enough of them are not there. Before anything else is added. What a newer version wrote is not kept: it would have to be told
    /// each time.
    /// </summary>
    /// <param name="cache">The cache.</param>
    /// <param name="segments">All segments that were read, with the packs that they name.</param>
    public void Save(IndexCache cache, IEnumerable<(string Name, long Length, PackInfo[] Packs)> segments)
    {
        lock (_gate)
        {
            int counting = _packs.All.Count();
            long stale = _runs.Count - ((long)_runs.Cached * counting / Math.Max(1, _packs.ByNumber.Count));
            if (_runs.Count < cache.Bounds.Smallest
                || stale < Math.Max(cache.Bounds.Smallest, _runs.Count * cache.Bounds.MostStale)
                || _packs.All.Any(pack => !pack.IsKnown))
            {
                return;
            }

            var packs = new PackTable();
            int[] numbers = [.. _packs.ByNumber.Select(pack => pack is null ? -1 : packs.Register(pack))];
            IEnumerable<CachedSegment> cached = segments.Select(segment => new CachedSegment(segment.Name, segment.Length, [.. segment.Packs.Select(packs.Register)]));
            if (cache.TryWrite(new IndexRecords([.. _runs.All]), numbers, [.. packs.All], cached) is { } written)
            {
                _packs = packs;
                _runs.MoveTo(written);
            }
        }
    }

    /// <summary>Takes in a pack that is durable and in no segment yet.</summary>
    public void AddPack(PackInfo pack, IReadOnlyList<PackedChunk> chunks)
    {
        lock (_gate)
        {
            _packs.Register(pack);
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
            _runs.Add(IndexSegment.Decode("(new)", segment, knowsEpoch, _packs.Register));
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
            return _packs.TryGet(session, number, out pack);
        }
    }

    /// <summary>All locations in the order of ids: what a verification walks.</summary>
    public IEnumerable<ChunkLocation> All()
    {
        IndexRun[] runs;
        lock (_gate)
        {
            runs = [.. _runs.All];
        }

        IReadOnlyList<PackInfo?> packs = PacksByNumber;
        foreach (IndexRun run in runs)
        {
            for (var cursor = new RunCursor(run); cursor.MoveNext();)
            {
                PackedChunk chunk = IndexSegment.ReadRecord(cursor.Record, out int pack);
                if (packs[pack] is { } known)
                {
                    yield return new ChunkLocation(known, chunk);
                }
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

    /// <summary>All records, those that no segment has yet included: for whoever passes over them often, or numbers them.</summary>
    public IndexRecords Consolidate()
    {
        lock (_gate)
        {
            IndexRun[] written = _runs.Consolidate();
            return _unwritten.Count == 0
                ? new IndexRecords(written)
                : new IndexRecords([.. written, new MemoryRun(IndexSegment.Decode("(new)", IndexSegment.Encode(_unwritten), knowsEpoch, _packs.Register))]);
        }
    }

    /// <summary>Gives back the memory that look-ups in a file have filled: for whoever is done with many of them, and goes on. The next ones fill it again.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _runs.Release();
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

    private IEnumerable<ChunkLocation> InRuns(ChunkId id, bool thatAreThere = true)
    {
        foreach ((int number, PackedChunk chunk) in _runs.Find(id))
        {
            if (_packs.ByNumber[number] is { } pack && (pack.IsAvailable || !thatAreThere))
            {
                yield return new ChunkLocation(pack, chunk);
            }
        }
    }
}
