using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>Brings back what a pack held from what was kept beside it for that purpose: parity.</summary>
internal interface IPackRescue
{
    /// <summary>Recovers a pack that is missing or damaged. It reads what it needs of the vault itself, the damaged pack included.</summary>
    /// <param name="pack">The session that wrote it, and its number within the session.</param>
    /// <param name="length">Its length in bytes, as the index or its footer says.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The pack, byte for byte as it was written, of that length and with a sound checksum; null where too little of it can be recovered.</returns>
    /// <exception cref="Errors.BackupException">The vault cannot be read: VaultUnreachable, VaultAccessDenied, … Damage never throws: then it is null.</exception>
    ValueTask<byte[]?> RecoverAsync((SessionId Session, uint Number) pack, long length, CancellationToken cancellationToken);
}
