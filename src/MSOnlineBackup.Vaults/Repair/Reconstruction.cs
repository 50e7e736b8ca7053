using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// Reads chunks of damaged and lost packs from parity, for whoever only reads: nothing is written. A pack is reconstructed as a whole, one at a time, and the last ones are kept:
/// its group is read once, and not for each chunk.
/// </summary>
/// <remarks>Costs nothing before something is missed. Memory from then on: at most 64 MiB of packs, and what the reconstruction of one takes (the parity of its group).</remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for has nothing to free.")]
internal sealed class Reconstruction : IChunkRescue
{
    private const long MostBytes = 64 << 20;

    private readonly ChunkStore _store;
    private readonly ParityRescue _parity;
    private readonly SemaphoreSlim _gate = new(1);

    // The one used last stands last.
    private readonly OrderedDictionary<PackInfo, byte[]> _packs = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<PackInfo> _hopeless = new(ReferenceEqualityComparer.Instance);

    private Reconstruction(ChunkStore store) => (_store, _parity) = (store, new ParityRescue(store));

    /// <summary>Has a store give from parity what its packs do not. Not for whoever decides by it what is stored.</summary>
    public static ChunkStore On(ChunkStore store)
    {
        store.Rescue ??= new Reconstruction(store);
        return store;
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> TryReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        foreach (ChunkLocation place in _store.Index.FindEver(id))
        {
            if (place.Chunk.Kind == kind && place.Pack.IsKnown && await TryReadAsync(place, cancellationToken).ConfigureAwait(false) is { } plaintext)
            {
                BackupException told = VaultDamage.Reconstructed(_store.NameOf(place.Pack));
                if (_store.Broken.NoteParity(place.Pack, told))
                {
                    _store.Report(told);
                }

                return plaintext;
            }
        }

        return null;
    }

    private async ValueTask<byte[]?> TryReadAsync(ChunkLocation place, CancellationToken cancellationToken)
    {
        if (!_store.Keys.Knows(place.Pack.Epoch) || await RecoverAsync(place.Pack, cancellationToken).ConfigureAwait(false) is not { } content)
        {
            return null;
        }

        PackedChunk chunk = place.Chunk;
        byte[] plaintext = new byte[chunk.RawLength];
        using AesGcm aes = PackReader.OpenPack(_store.Keys, place.Pack);
        return (long)chunk.Offset + chunk.StoredLength <= content.Length
            && PackReader.TryOpenChunk(
                _store.Keys, aes, place.Pack.Kind, chunk, content.AsSpan(chunk.Offset, chunk.StoredLength), new byte[chunk.StoredLength], plaintext)
            && _store.Identity.Compute(chunk.Kind, plaintext) == chunk.Id
            ? plaintext
            : null;
    }

    private async Task<byte[]?> RecoverAsync(PackInfo pack, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_hopeless.Contains(pack))
            {
                return null;
            }

            if (!_packs.Remove(pack, out byte[]? content))
            {
                Trim(MostBytes - pack.Length);
                content = await _parity.RecoverAsync((pack.Session, pack.Number), pack.Length, cancellationToken).ConfigureAwait(false);
            }

            if (content is not null)
            {
                _packs.Add(pack, content);
            }
            else
            {
                _hopeless.Add(pack);
            }

            return content;
        }
        catch (BackupException e) when (e.IsOfOneObject || e.Id == BackupErrorId.VaultDataArchived)
        {
            _hopeless.Add(pack);
            return null;
        }
        finally
        {
            _gate.Release();
        }
    }

    private void Trim(long most)
    {
        while (_packs.Count > 0 && _packs.Values.Sum(kept => (long)kept.Length) > most)
        {
            _packs.RemoveAt(0);
        }
    }
}
