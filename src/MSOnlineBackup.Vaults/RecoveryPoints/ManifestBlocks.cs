using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Blocks of manifests, decoded, for whoever goes to and fro in them: those used last are kept. Manifests that share blocks share them here. Thread-safe; who asks for a block that is being read waits for that.
/// </summary>
/// <remarks>Memory: about half a megabyte a leaf.</remarks>
/// <param name="chunks">Where the blocks are.</param>
/// <param name="most">How many blocks are kept, from 1.</param>
internal sealed class ManifestBlocks(IChunkReader chunks, int most)
{
    private readonly Lock _gate = new();
    private readonly OrderedDictionary<(ChunkId Id, int Level), Task<DecodedBlock>> _blocks = [];

    /// <summary>A block where a manifest has it.</summary>
    /// <param name="place">The place.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BackupException">VaultUnreachable, … What is damaged or missing is in what is returned.</exception>
    public async ValueTask<DecodedBlock> GetAsync(BlockPlace place, CancellationToken cancellationToken)
    {
        Task<DecodedBlock> reading;
        lock (_gate)
        {
            (ChunkId, int) key = (place.Block.Id, place.Level);
            if (!_blocks.Remove(key, out reading!) || reading.IsFaulted || reading.IsCanceled)
            {
                // Whoever asked first may be gone before others have what they asked for.
                reading = Task.Run(() => DecodedBlock.ReadAsync(chunks, place, CancellationToken.None), CancellationToken.None);
            }

            _blocks.Add(key, reading);
            if (_blocks.Count > most)
            {
                _blocks.RemoveAt(0);
            }
        }

        DecodedBlock block = await reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (block.Damage is not null)
        {
            // It may be mended by the time at which it is asked for again.
            lock (_gate)
            {
                _blocks.Remove((place.Block.Id, place.Level));
            }
        }

        return block.At(place);
    }
}
