using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Writes what is needed of some packs into new ones, sealed anew and otherwise as it is. A chunk of which another pack has a copy that opens is not written; where that
/// copy does not open, it is.
/// </summary>
/// <param name="store">The store; the packs must count as unavailable in it, so that nothing in them is taken for stored.</param>
/// <param name="session">Writes.</param>
/// <param name="marks">What is needed.</param>
internal sealed class Repacker(ChunkStore store, WriteSession session, ChunkMarks marks)
{
    // Half a megabyte of what is not needed is read sooner than asked around.
    private const int LargestGap = 512 << 10;

    // The longest chunk fits; what lies together is read in parts of this length.
    private readonly byte[] _range = GC.AllocateUninitializedArray<byte>(PackFormat.MaxStoredLength);

    // Of one pass over the index: some 16 MiB.
    private const int MostRecords = 1 << 18;

    /// <summary>Bytes that were copied.</summary>
    public long Copied { get; private set; }

    /// <summary>Writes anew. Returns the packs of which everything that is needed is elsewhere now, or will be once the session is flushed.</summary>
    /// <param name="packs">The packs.</param>
    /// <param name="goesOn">Asked before each pack; false ends it.</param>
    /// <param name="damaged">Gets what could not be copied: such a pack stays.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<PackInfo>> RunAsync(
        IReadOnlyList<PackInfo> packs, Func<bool> goesOn, Action<BackupException> damaged, CancellationToken cancellationToken)
    {
        var emptied = new List<PackInfo>();
        Dictionary<PackInfo, int> counts = CountNeeded(packs);
        for (int from = 0; from < packs.Count;)
        {
            Dictionary<PackInfo, List<PackedChunk>> part = ReadPart(packs, counts, ref from);
            foreach ((PackInfo pack, List<PackedChunk> chunks) in part)
            {
                if (!goesOn())
                {
                    return emptied;
                }

                if (await TryCopyAsync(pack, chunks, damaged, cancellationToken).ConfigureAwait(false))
                {
                    emptied.Add(pack);
                }
            }
        }

        return emptied;
    }

    // Most packs that go have nothing that is needed, and no pass is made for those.
    private Dictionary<PackInfo, int> CountNeeded(IReadOnlyList<PackInfo> packs)
    {
        var counts = new Dictionary<PackInfo, int>(ReferenceEqualityComparer.Instance);
        foreach (PackInfo pack in packs)
        {
            counts.Add(pack, 0);
        }

        VisitNeeded(copy =>
        {
            if (counts.TryGetValue(copy.Pack, out int count))
            {
                counts[copy.Pack] = count + 1;
            }
        });
        return counts;
    }

    private Dictionary<PackInfo, List<PackedChunk>> ReadPart(IReadOnlyList<PackInfo> packs, Dictionary<PackInfo, int> counts, ref int from)
    {
        var part = new Dictionary<PackInfo, List<PackedChunk>>(ReferenceEqualityComparer.Instance);
        int records = 0;
        for (; from < packs.Count && (records == 0 || records + counts[packs[from]] <= MostRecords); from++)
        {
            records += counts[packs[from]];
            part.Add(packs[from], new List<PackedChunk>(counts[packs[from]]));
        }

        if (records > 0)
        {
            VisitNeeded(copy =>
            {
                if (part.TryGetValue(copy.Pack, out List<PackedChunk>? chunks))
                {
                    chunks.Add(copy.Chunk);
                }
            });
        }

        return part;
    }

    private void VisitNeeded(Action<ChunkLocation> visit) => ChunkCopies.Visit(store.Index, marks, (isNeeded, copies) =>
    {
        foreach (ChunkLocation copy in isNeeded ? copies : [])
        {
            visit(copy);
        }
    });

    private async Task<bool> TryCopyAsync(PackInfo pack, List<PackedChunk> needed, Action<BackupException> damaged, CancellationToken cancellationToken)
    {
        var missing = new List<PackedChunk>();
        foreach (PackedChunk chunk in needed)
        {
            if (!await ChunkCopies.HasSoundAsync(store, session.Id, chunk, cancellationToken).ConfigureAwait(false))
            {
                missing.Add(chunk);
            }
        }

        missing.Sort((x, y) => x.Offset.CompareTo(y.Offset));
        try
        {
            using AesGcm aes = PackReader.OpenPack(store.Keys, pack);
            for (int first = 0, next; first < missing.Count; first = next)
            {
                int end = EndOf(missing[first]);
                for (next = first + 1; next < missing.Count && missing[next].Offset - end <= LargestGap && EndOf(missing[next]) - missing[first].Offset <= _range.Length; next++)
                {
                    end = EndOf(missing[next]);
                }

                Memory<byte> range = _range.AsMemory(0, end - missing[first].Offset);
                await store.FetchAsync(pack, missing[first].Offset, range, cancellationToken).ConfigureAwait(false);
                foreach (PackedChunk chunk in missing[first..next])
                {
                    await CopyAsync(pack, aes, chunk, range.Slice(chunk.Offset - missing[first].Offset, chunk.StoredLength), cancellationToken).ConfigureAwait(false);
                }
            }

            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            // It was there when this run began: another one took this one for dead and collected it, or the next run tells that it was lost.
            return false;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            damaged(e);
            return false;
        }
    }

    // It is opened before it is claimed: what does not open must not count as stored.
    private async ValueTask CopyAsync(PackInfo pack, AesGcm aes, PackedChunk chunk, ReadOnlyMemory<byte> stored, CancellationToken cancellationToken)
    {
        int length = chunk.StoredLength - PackFormat.TagLength;
        byte[] buffer = await session.Chunks.RentBufferAsync().ConfigureAwait(false);
        if (!PackReader.TryUnseal(store.Keys, aes, pack.Kind, chunk, stored.Span, buffer.AsSpan(0, length)))
        {
            session.Chunks.ReturnBuffer(buffer);
            throw VaultDamage.Corrupt(store.NameOf(pack), $"the chunk {chunk.Id} at offset {chunk.Offset} does not authenticate");
        }

        if (await session.Chunks.CopyAsync(chunk, buffer, length, cancellationToken).ConfigureAwait(false))
        {
            Copied += length;
        }
    }

    private static int EndOf(PackedChunk chunk) => chunk.Offset + chunk.StoredLength;
}
