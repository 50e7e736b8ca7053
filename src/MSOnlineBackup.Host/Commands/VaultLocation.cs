using MSOnlineBackup.Composition;
using MSOnlineBackup.Host.Rendering;
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

    /// <summary>A place as it is kept: a URL as it is, and a folder by its absolute path.</summary>
    public static string Full(string location) => new VaultAddress(location).IsRemote ? location : Path.GetFullPath(location);

    /// <summary>Says that a vault is waited for.</summary>
    public static void Note(VaultWait wait, CommandContext context) =>
        context.Renderer.Note($"{wait.Cause.Message} Trying again in {Quantity.Duration(wait.Delay)}.");
}
