using MSOnlineBackup.Vaults.Cryptography;


namespace MSOnlineBackup.Vaults.Registers;

/// <summary>The owner of a vault that is being created.</summary>
/// <param name="Key">The owner's key; to be kept before the call returns, and not used after it.</param>
/// <param name="VaultId">32 hexadecimal digits.</param>
/// <param name="VaultName">What the vault is called; null where nobody said.</param>
/// <param name="Location">Where it is.</param>
/// <param name="Created">When it is created.</param>
public sealed record NewOwner(OwnerKey Key, string VaultId, string? VaultName, string Location, DateTimeOffset Created);
