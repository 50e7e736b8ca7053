using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Storage.Azure.KeyVault;

namespace MSOnlineBackup.Host.Commands;

/// <summary>From what the user calls a vault to its store: the one place that knows which stores there are, and that they are retried.</summary>
internal static class VaultLocation
{
    /// <summary>The store of an existing vault.</summary>
    public static IVaultStore Open(string location, CommandContext context) => Retried(new FolderVaultStore(Folder(location)), context);

    /// <summary>The store for a new vault.</summary>
    public static IVaultStore Create(string location, CommandContext context) => Retried(FolderVaultStore.Create(Folder(location)), context);

    /// <summary>A key in Azure Key Vault. Alone in its method, so that nothing of Azure is loaded where no key is named.</summary>
    public static IKeyEncryptionKey OpenKey(string uri, CommandContext context) =>
        KeyVaultKey.Open(uri, new VaultConnection { TimeProvider = context.Environment.Time });

    // A share that is away for a moment must not cost a night's backup; nor may anybody wonder why nothing moves.
    private static ResilientVaultStore Retried(FolderVaultStore store, CommandContext context) => new(
        store,
        new VaultRetryOptions
        {
            Waiting = wait => context.Renderer.Note($"{wait.Cause.Message} Trying again in {Quantity.Duration(wait.Delay)}."),
        },
        context.Environment.Time);

    private static string Folder(string location) => location.Contains("://", StringComparison.Ordinal)
        ? throw new BackupException(
            BackupErrorId.ArgumentInvalid, $"'{location}' is a URL; a vault is a folder.", "Name the folder of the vault.", location)
        : location;
}
