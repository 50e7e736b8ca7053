using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A block of a manifest that was read: a leaf, a node, or what is wrong with it.</summary>
/// <param name="Place">Where the manifest has it.</param>
/// <param name="Leaf">Its entries; null where it is no leaf, or cannot be read.</param>
/// <param name="Children">The places of the blocks below it; null where it is no node, or cannot be read.</param>
/// <param name="Damage">Why it cannot be read.</param>
internal readonly record struct OpenedBlock(BlockPlace Place, LeafReader? Leaf, BlockPlace[]? Children, BackupException? Damage)
{
    /// <summary>Reads a block. What is damaged or missing is returned; other failures are thrown.</summary>
    public static async Task<OpenedBlock> ReadAsync(IChunkReader chunks, BlockPlace place, CancellationToken cancellationToken)
    {
        ManifestBlock block = place.Block;
        try
        {
            ChunkKind kind = place.Level == 0 ? ChunkKind.ManifestLeaf : ChunkKind.ManifestNode;
            ReadOnlyMemory<byte> content = await chunks.ReadAsync(kind, block.Id, cancellationToken).ConfigureAwait(false);
            return place.Level == 0
                ? new OpenedBlock(place, new LeafReader(block.Id, content), null, null)
                : new OpenedBlock(place, null, place.Children(NodeBlock.Read(content, block.Id, place.Level, block.Totals)), null);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return new OpenedBlock(place, null, null, e);
        }
    }
}
