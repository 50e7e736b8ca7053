using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Composition.Ssh;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Composition;

/// <summary>
/// From what the user calls a vault to its store: the one place that knows which stores there are, that what they are asked is
/// counted, and that it is retried. What a folder needs loads nothing of Azure.
/// </summary>
public static class VaultStores
{
    /// <summary>The store of an existing vault.</summary>
    /// <param name="location">A folder, the URL of a container, or <c>ssh://…</c> for a folder of another machine.</param>
    /// <param name="connection">How it is reached.</param>
    /// <param name="waiting">Told, from any thread, before each wait for another try: nobody shall wonder why nothing moves.</param>
    /// <exception cref="BackupException">ArgumentInvalid; what else a store refuses before it is asked for anything.</exception>
    public static IVaultStore Open(string location, VaultConnection connection, Action<VaultWait> waiting) =>
        new VaultAddress(location) switch
        {
            { IsSsh: true } => Retried(OpenSsh(location, connection, creates: false), isRemote: true, connection, waiting),
            { IsContainer: true } => Retried(OpenContainer(location, connection), isRemote: true, connection, waiting),
            _ => Retried(new FolderVaultStore(Folder(location, connection)), isRemote: false, connection, waiting),
        };

    /// <summary>The store for a new vault.</summary>
    /// <inheritdoc cref="Open"/>
    public static IVaultStore Create(string location, VaultConnection connection, Action<VaultWait> waiting) =>
        new VaultAddress(location) switch
        {
            { IsSsh: true } => Retried(OpenSsh(location, connection, creates: true), isRemote: true, connection, waiting),
            { IsContainer: true } => Retried(CreateContainer(location, connection), isRemote: true, connection, waiting),
            _ => Retried(FolderVaultStore.Create(Folder(location, connection)), isRemote: false, connection, waiting),
        };

    // Returned as what they are, they would have their type loaded with the methods that call these.
    [MethodImpl(MethodImplOptions.NoInlining)]
    [SuppressMessage("Performance", "CA1859", Justification = "See above.")]
    private static IVaultStore OpenContainer(string location, VaultConnection connection) => BlobVaultStore.Open(location, connection);

    [MethodImpl(MethodImplOptions.NoInlining)]
    [SuppressMessage("Performance", "CA1859", Justification = "See above.")]
    private static IVaultStore CreateContainer(string location, VaultConnection connection) => BlobVaultStore.Create(location, connection);

    private static PipedVaultStore OpenSsh(string location, VaultConnection connection, bool creates)
    {
        var place = SshLocation.Parse(location);
        return connection.Secret is null
            ? new PipedVaultStore(location, _ => Task.FromResult<VaultPipe>(SshPipe.Start(place)), creates, connection.TimeProvider)
            : throw NoSecret(location, "is on another machine", "Omit the signature: ssh decides who may log in there.");
    }

    // A share that is away for a moment must not cost a night's backup either.
    private static ResilientVaultStore Retried(IVaultStore store, bool isRemote, VaultConnection connection, Action<VaultWait> waiting)
    {
        VaultRetryOptions options = connection.Patience == VaultPatience.Person ? VaultRetryOptions.Attended
            : isRemote ? VaultRetryOptions.Remote
            : new VaultRetryOptions();
        return new ResilientVaultStore(new MeteredVaultStore(store), options with { Waiting = waiting + connection.Waiting }, connection.TimeProvider);
    }

    private static string Folder(string location, VaultConnection connection) => connection.Secret is null
        ? location
        : throw NoSecret(location, "is a folder", "Omit the signature: the file system decides who may use a folder.");

    private static BackupException NoSecret(string location, string what, string action) => new(
        BackupErrorId.ArgumentInvalid, $"'{location}' {what}, but a shared access signature opens only containers in Azure.", action, location);
}
