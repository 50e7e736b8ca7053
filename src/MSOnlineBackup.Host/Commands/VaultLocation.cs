using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Storage.Azure;
using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary>From what the user calls a vault to its store, which says so where it has to wait.</summary>
internal static class VaultLocation
{
    /// <summary>The store of an existing vault.</summary>
    public static IVaultStore Open(string location, VaultConnection connection, CommandContext context) =>
        VaultStores.Open(location, connection, wait => Note(wait, context));

    /// <summary>The store for a new vault.</summary>
    public static IVaultStore Create(string location, VaultConnection connection, CommandContext context) =>
        VaultStores.Create(location, connection, wait => Note(wait, context));

    /// <summary>A key in Azure Key Vault. Alone in its method, so that nothing of Azure is loaded where no key is named.</summary>
    public static IKeyEncryptionKey OpenKey(string uri, VaultConnection connection) => KeyVaultKey.Open(uri, connection);

    private static void Note(VaultWait wait, CommandContext context) =>
        context.Renderer.Note($"{wait.Cause.Message} Trying again in {Quantity.Duration(wait.Delay)}.");
}
