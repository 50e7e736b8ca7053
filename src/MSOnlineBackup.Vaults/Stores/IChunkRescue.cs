using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Gives chunks that no pack gives any more, from what was kept beside the packs for that purpose: parity.</summary>
internal interface IChunkRescue
{
    /// <summary>Reads a chunk of which no copy opens. From any thread.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="id">Its name, which is computed again from what is given.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Its plaintext; null where too little is left.</returns>
    /// <exception cref="Errors.BackupException">The vault cannot be read: VaultUnreachable, VaultAccessDenied, … Damage never throws: then it is null.</exception>
    ValueTask<byte[]?> TryReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken);
}
