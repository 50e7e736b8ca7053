using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// Salvages damaged packs chunk by chunk: what opens in them and no other pack has is written anew; what does not open is taken from a rescuer where no other pack has it.
/// For one run over the packs.
/// </summary>
/// <param name="store">The store; the packs must count as unavailable in it, so that nothing in them is taken for stored.</param>
/// <param name="session">Writes; null where nothing is to be written.</param>
/// <param name="rescue">Gives what no pack has; null for nobody.</param>
internal sealed class PackSalvage(ChunkStore store, WriteSession? session, IPackRescue? rescue)
{
    private readonly HashSet<ChunkId> _safe = [];
    private readonly List<(PackRepair Repair, List<PackedChunk> Missed)> _done = [];
    private readonly Dictionary<PackInfo, BackupException> _unreadable = new(ReferenceEqualityComparer.Instance);

    /// <summary>What became of each pack, once all are done.</summary>
    public IReadOnlyList<PackRepair> Repairs => [.. _done.Select(Settle).OrderBy(repair => repair.Object, StringComparer.Ordinal)];

    /// <summary>The chunks that nothing gives any more, once all packs are done.</summary>
    public IReadOnlySet<ChunkId> Lost => _done.SelectMany(pack => pack.Missed).Select(chunk => chunk.Id).Where(id => !_safe.Contains(id)).ToHashSet();

    /// <summary>The chunks that were kept.</summary>
    public IReadOnlySet<ChunkId> Safe => _safe;

    /// <summary>Packs that cannot be read, while others can: the medium or a permission may be mended, so they stay.</summary>
    public IReadOnlyDictionary<PackInfo, BackupException> Unreadable => _unreadable;

    /// <summary>Salvages packs that the index knows.</summary>
    public async Task RunAsync(IReadOnlyDictionary<PackInfo, BackupException> damaged, CancellationToken cancellationToken)
    {
        HashSet<PackInfo> left = new(damaged.Keys, ReferenceEqualityComparer.Instance);
        foreach (PackContents contents in PackContents.Of(store.Index, [.. damaged.Keys]))
        {
            // Two segments may name one pack.
            left.Remove(contents.Pack);
            await SalvageAsync(contents.Pack, damaged[contents.Pack], [.. contents.Chunks.DistinctBy(chunk => chunk.Offset)], cancellationToken).ConfigureAwait(false);
        }

        _done.AddRange(left.Select(empty => (new PackRepair(store.NameOf(empty), damaged[empty].Message), new List<PackedChunk>())));
    }

    /// <summary>Takes from the rescuer what a pack held of which nobody else knows: no segment names it, and its own table cannot be read.</summary>
    public async Task RescueUnknownAsync(BackupException damage, CancellationToken cancellationToken)
    {
        string name = damage.Target!;
        if (rescue is null
            || !VaultLayout.TryParseNumbered(name, out SessionId writer, out uint number)
            || await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is not { } found
            || await RecoverAsync(name, writer, number, found.Length, cancellationToken).ConfigureAwait(false) is not { } recovered
            || recovered.ReadOwnTable() is not { } own)
        {
            return;
        }

        int taken = 0;
        foreach ((PackedChunk chunk, byte[] encoded) in recovered.Open(own.Kind, own.Salt, own.Epoch, own.Chunks))
        {
            await KeepAsync(chunk, encoded, cancellationToken).ConfigureAwait(false);
            taken++;
        }

        _done.Add((new PackRepair(name, damage.Message) { FromParity = taken }, []));
    }

    private async Task SalvageAsync(PackInfo pack, BackupException damage, IReadOnlyList<PackedChunk> chunks, CancellationToken cancellationToken)
    {
        string name = store.NameOf(pack);
        PackRemains remains;
        try
        {
            remains = await PackRemains.ReadAsync(store, name, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataUnreadable)
        {
            _unreadable[pack] = e;
            return;
        }

        HashSet<ChunkId> opened = [];
        foreach ((PackedChunk chunk, byte[] encoded) in remains.Open(pack.Kind, pack.Salt.ToArray(), pack.Epoch, chunks))
        {
            await KeepAsync(chunk, encoded, cancellationToken).ConfigureAwait(false);
            opened.Add(chunk.Id);
        }

        int salvaged = opened.Count;
        if (opened.Count < chunks.Count && remains.ReadOwnTable() is { } own && !own.Salt.AsSpan().SequenceEqual(pack.Salt))
        {
            // Another pack's content, which lies under the wrong name.
            foreach ((PackedChunk chunk, byte[] encoded) in remains.Open(own.Kind, own.Salt, own.Epoch, own.Chunks))
            {
                await KeepAsync(chunk, encoded, cancellationToken).ConfigureAwait(false);
                salvaged++;
            }
        }

        int copies = 0;
        List<PackedChunk> missed = [];
        foreach (PackedChunk chunk in chunks.Where(chunk => !opened.Contains(chunk.Id)))
        {
            if (_safe.Contains(chunk.Id) || await ChunkCopies.HasSoundAsync(store, session?.Id, chunk, cancellationToken).ConfigureAwait(false))
            {
                copies++;
            }
            else
            {
                missed.Add(chunk);
            }
        }

        int rescued = 0;
        if (missed.Count > 0 && await RecoverAsync(name, pack.Session, pack.Number, pack.Length, cancellationToken).ConfigureAwait(false) is { } recovered)
        {
            foreach ((PackedChunk chunk, byte[] encoded) in recovered.Open(pack.Kind, pack.Salt.ToArray(), pack.Epoch, missed))
            {
                await KeepAsync(chunk, encoded, cancellationToken).ConfigureAwait(false);
                rescued++;
            }

            missed.RemoveAll(chunk => _safe.Contains(chunk.Id));
        }

        _done.Add((new PackRepair(name, damage.Message) { Salvaged = salvaged, FromCopies = copies, FromParity = rescued }, missed));
    }

    private async ValueTask<PackRemains?> RecoverAsync(string name, SessionId writer, uint number, long length, CancellationToken cancellationToken) =>
        rescue is not null && await rescue.RecoverAsync((writer, number), length, cancellationToken).ConfigureAwait(false) is { } content
            ? new PackRemains(store, name, content)
            : null;

    private async ValueTask KeepAsync(PackedChunk chunk, byte[] encoded, CancellationToken cancellationToken)
    {
        if (_safe.Add(chunk.Id) && session is not null && !await ChunkCopies.HasSoundAsync(store, session.Id, chunk, cancellationToken).ConfigureAwait(false))
        {
            byte[] buffer = await session.Chunks.RentBufferAsync().ConfigureAwait(false);
            encoded.CopyTo(buffer, 0);
            await session.Chunks.CopyAsync(chunk, buffer, encoded.Length, cancellationToken).ConfigureAwait(false);
        }
    }

    // What one damaged pack does not have, another may have had.
    private PackRepair Settle((PackRepair Repair, List<PackedChunk> Missed) pack)
    {
        List<PackedChunk> lost = [.. pack.Missed.Where(chunk => !_safe.Contains(chunk.Id))];
        return pack.Repair with
        {
            FromCopies = pack.Repair.FromCopies + pack.Missed.Count - lost.Count,
            Lost = lost.Count,
            LostBytes = lost.Sum(chunk => (long)chunk.RawLength),
        };
    }
}
