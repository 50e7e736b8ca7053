using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Is shown each chunk that a session stores, and may keep it for a place of its own. Called by several threads at once.</summary>
internal interface IChunkTap
{
    /// <summary>Shows a chunk that was sealed. Neither waits nor throws: whoever stores must not suffer by it.</summary>
    /// <param name="chunk">What the pack's table says of it.</param>
    /// <param name="encoded">Its bytes as they were sealed; they are gone once this returns.</param>
    void Offer(PackedChunk chunk, ReadOnlySpan<byte> encoded);
}
