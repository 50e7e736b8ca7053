using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Registers;


namespace MSOnlineBackup.Testing;

/// <summary>Keeps the key of a new vault's owner in memory.</summary>
public sealed class KeptOwner
{
    private OwnerKey? _key;

    /// <summary>The key.</summary>
    public OwnerKey Key => _key ?? throw new InvalidOperationException("No vault was created.");

    /// <summary>To be told when the vault is created.</summary>
    public void Keep(NewOwner made) => _key = OwnerKey.TryImport(made.Key.ExportSecret(), made.Key.Identity);
}
