using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary>From what the user calls a vault to its store: the one place that knows which stores there are.</summary>
internal static class VaultLocation
{
    /// <summary>The store of an existing vault.</summary>
    public static IVaultStore Open(string location) => new ResilientVaultStore(new FolderVaultStore(Folder(location)));

    /// <summary>The store for a new vault.</summary>
    public static IVaultStore Create(string location) => new ResilientVaultStore(FolderVaultStore.Create(Folder(location)));

    private static string Folder(string location) => location.Contains("://", StringComparison.Ordinal)
        ? throw new BackupException(
            BackupErrorId.ArgumentInvalid, $"'{location}' is a URL; a vault is a folder.", "Name the folder of the vault.", location)
        : location;
}
