using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>
/// Reads chunks from the packs of one vault, opens their seals, which shows that they are what was stored, and hands them over to be sealed for another: still compressed. What does
/// not open where it lies is taken from another copy, or from parity.
/// </summary>
/// <remarks>Memory: a range of 4 MiB for each reader, and some 2 MiB for what is to be read next.</remarks>
/// <param name="from">The chunk store that is read; its index was read.</param>
/// <param name="readers">How many packs are read at a time.</param>
/// <param name="monitor">Counts what was read.</param>
internal sealed class ChunkTransfer(ChunkStore from, int readers, JobMonitor monitor)
{
    // Half a megabyte of what is not needed is read sooner than asked around.
    private const int LargestGap = 512 << 10;

    // Of one pass over the index. What they are is durable and indexed in the twin before the next ones.
    private const int MostRecords = 1 << 15;

    // Of what is read one by one.
    private const int MostLeft = 1 << 12;

    // So many say enough; where a vault has lost more than that, the rest of them is not looked for one by one.
    private const int MostLost = 1 << 10;

    // The longest chunk fits; what lies together is read in parts of this length.
    private readonly ConcurrentBag<byte[]> _ranges = [];
    private readonly Dictionary<ChunkId, BackupException> _lost = [];
    private volatile bool _isLeft;
    private long _chunks;
    private long _bytes;

    /// <summary>Chunks that were handed over.</summary>
    public long Chunks => Interlocked.Read(ref _chunks);

    /// <summary>Their bytes, as they are stored.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What cannot be read anywhere, as far as it was asked for. It is not asked for again.</summary>
    public IReadOnlyDictionary<ChunkId, BackupException> Lost => _lost;

    /// <summary>Copies what is marked and the twin lacks. What cannot be read keeps nothing else from being copied.</summary>
    /// <param name="to">The twin.</param>
    /// <param name="marks">What is needed.</param>
    /// <param name="strays">What is needed beside that, and lies in no pack that is there.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Null where the twin has all of it now, or will have once the session is flushed; else why something cannot be read.</returns>
    public async Task<BackupException?> RunAsync(CopySession to, ChunkMarks marks, IReadOnlyCollection<ChunkId> strays, CancellationToken cancellationToken)
    {
        _isLeft = false;
        await CopyPacksAsync(to, marks, cancellationToken).ConfigureAwait(false);
        for (List<(ChunkId Id, ChunkKind Kind)> left; _isLeft && _lost.Count < MostLost && (left = FindLeft(to, marks)).Count > 0;)
        {
            foreach ((ChunkId id, ChunkKind kind) in left.TakeWhile(_ => _lost.Count < MostLost))
            {
                await CopyOneAsync(to, id, kind, cancellationToken).ConfigureAwait(false);
            }
        }

        foreach (ChunkId id in strays.Where(id => !_lost.ContainsKey(id) && !to.Store.Index.Contains(id)))
        {
            // The packs themselves are asked, and what is known of packs that are gone.
            IReadOnlyList<ChunkLocation> places = await from.LocateAsync(id, cancellationToken).ConfigureAwait(false);
            places = places.Count > 0 ? places : from.Index.FindEver(id);
            if (places.Count == 0)
            {
                _lost.TryAdd(id, VaultDamage.Missing(id.ToString(), "Chunk"));
            }
            else
            {
                await CopyOneAsync(to, id, places[0].Chunk.Kind, cancellationToken).ConfigureAwait(false);
            }
        }

        return FindLost(to, marks, strays);
    }

    // The first of what is lost and needed.
    private BackupException? FindLost(CopySession to, ChunkMarks marks, IReadOnlyCollection<ChunkId> strays)
    {
        if (_lost.Count == 0)
        {
            return null;
        }

        ChunkId? first = strays.Where(_lost.ContainsKey).Select(id => (ChunkId?)id).FirstOrDefault();
        ChunkCopies.Visit(from.Index, marks, (isNeeded, copies) =>
        {
            if (isNeeded && first is null && !to.Store.Index.Contains(copies[0].Chunk.Id))
            {
                first = copies[0].Chunk.Id;
            }
        });
        return first is not { } id ? null : _lost.GetValueOrDefault(id) ?? VaultDamage.Missing(id.ToString(), "Chunk");
    }

    private async Task CopyPacksAsync(CopySession to, ChunkMarks marks, CancellationToken cancellationToken)
    {
        // Mostly it is little, and known by one pass.
        var counts = new Dictionary<PackInfo, int>(ReferenceEqualityComparer.Instance);
        var part = new Dictionary<PackInfo, List<PackedChunk>>(ReferenceEqualityComparer.Instance);
        int total = 0;
        VisitLacking(to, marks, copy =>
        {
            counts[copy.Pack] = counts.GetValueOrDefault(copy.Pack) + 1;
            if (++total <= MostRecords)
            {
                (CollectionsMarshal.GetValueRefOrAddDefault(part, copy.Pack, out _) ??= []).Add(copy.Chunk);
            }
        });
        if (total <= MostRecords)
        {
            await CopyPartAsync(to, part, cancellationToken).ConfigureAwait(false);
            return;
        }

        List<PackInfo> packs = [.. counts.Keys.OrderBy(pack => pack.Key)];
        for (int next = 0; next < packs.Count;)
        {
            if (next > 0)
            {
                await to.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            part.Clear();
            for (int records = 0; next < packs.Count && (records == 0 || records + counts[packs[next]] <= MostRecords); next++)
            {
                records += counts[packs[next]];
                part.Add(packs[next], new List<PackedChunk>(counts[packs[next]]));
            }

            VisitLacking(to, marks, copy =>
            {
                if (part.TryGetValue(copy.Pack, out List<PackedChunk>? chunks))
                {
                    chunks.Add(copy.Chunk);
                }
            });
            await CopyPartAsync(to, part, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task CopyPartAsync(CopySession to, Dictionary<PackInfo, List<PackedChunk>> part, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = readers, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(
            part.OrderBy(pack => pack.Key.Key), options, async (pack, token) => await CopyPackAsync(to, pack.Key, pack.Value, token).ConfigureAwait(false));
    }

    // Of each chunk the first copy that is there.
    private void VisitLacking(CopySession to, ChunkMarks marks, Action<ChunkLocation> visit) => ChunkCopies.Visit(from.Index, marks, (isNeeded, copies) =>
    {
        if (isNeeded && !_lost.ContainsKey(copies[0].Chunk.Id) && !to.Store.Index.Contains(copies[0].Chunk.Id))
        {
            ChunkLocation? copy = copies.Where(copy => copy.Pack.IsAvailable).Select(copy => (ChunkLocation?)copy).FirstOrDefault();
            _isLeft |= copy is null;
            if (copy is { } found)
            {
                visit(found);
            }
        }
    });

    private async Task CopyPackAsync(CopySession to, PackInfo pack, List<PackedChunk> chunks, CancellationToken cancellationToken)
    {
        chunks.Sort((x, y) => x.Offset.CompareTo(y.Offset));
        using AesGcm aes = PackReader.OpenPack(from.Keys, pack);
        byte[] range = _ranges.TryTake(out byte[]? used) ? used : GC.AllocateUninitializedArray<byte>(PackFormat.MaxStoredLength);
        for (int first = 0, next; first < chunks.Count; first = next)
        {
            int begin = chunks[first].Offset;
            int end = EndOf(chunks[first]);
            for (next = first + 1; next < chunks.Count && chunks[next].Offset - end <= LargestGap && EndOf(chunks[next]) - begin <= range.Length; next++)
            {
                end = Math.Max(end, EndOf(chunks[next]));
            }

            try
            {
                await from.FetchAsync(pack, begin, range.AsMemory(0, end - begin), cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.IsDamage)
            {
                // Each of them is asked for again, by itself. What was given up may still be written to.
                _isLeft = true;
                range = GC.AllocateUninitializedArray<byte>(PackFormat.MaxStoredLength);
                continue;
            }

            foreach (PackedChunk chunk in chunks[first..next])
            {
                await CopyChunkAsync(to, pack, aes, chunk, range.AsMemory(chunk.Offset - begin, chunk.StoredLength), cancellationToken).ConfigureAwait(false);
            }
        }

        _ranges.Add(range);
    }

    // It is opened before it is claimed: what does not open must not count as stored.
    private async ValueTask CopyChunkAsync(CopySession to, PackInfo pack, AesGcm aes, PackedChunk chunk, ReadOnlyMemory<byte> stored, CancellationToken cancellationToken)
    {
        int length = chunk.StoredLength - PackFormat.TagLength;
        byte[] buffer = await to.Chunks.RentBufferAsync().ConfigureAwait(false);
        if (!PackReader.TryUnseal(from.Keys, aes, pack.Kind, chunk, stored.Span, buffer.AsSpan(0, length)))
        {
            to.Chunks.ReturnBuffer(buffer);
            _isLeft = true;
            return;
        }

        if (await to.Chunks.CopyAsync(chunk, buffer, length, cancellationToken).ConfigureAwait(false))
        {
            Count(length);
        }
    }

    // What did not open, or could not be read, where it was looked for first.
    private List<(ChunkId Id, ChunkKind Kind)> FindLeft(CopySession to, ChunkMarks marks)
    {
        var left = new List<(ChunkId, ChunkKind)>();
        ChunkCopies.Visit(from.Index, marks, (isNeeded, copies) =>
        {
            if (isNeeded && left.Count < MostLeft && !_lost.ContainsKey(copies[0].Chunk.Id) && !to.Store.Index.Contains(copies[0].Chunk.Id))
            {
                left.Add((copies[0].Chunk.Id, copies[0].Chunk.Kind));
            }
        });
        return left;
    }

    private async Task CopyOneAsync(CopySession to, ChunkId id, ChunkKind kind, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> plaintext;
        try
        {
            plaintext = await from.ReadAsync(kind, id, identify: true, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            _lost.TryAdd(id, e);
            return;
        }

        await to.Chunks.WriteAsync(kind, plaintext, cancellationToken).ConfigureAwait(false);
        Count(plaintext.Length);
    }

    private void Count(long bytes)
    {
        Interlocked.Increment(ref _chunks);
        Interlocked.Add(ref _bytes, bytes);
        monitor.AddBytes(bytes);
    }

    private static int EndOf(PackedChunk chunk) => chunk.Offset + chunk.StoredLength;
}
