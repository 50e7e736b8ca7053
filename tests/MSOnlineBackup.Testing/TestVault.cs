using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Testing;

/// <summary>Short ways through a vault for tests that are about something else: each call opens it anew, as a process of its own would.</summary>
public static class TestVault
{
    public static async Task<UnlockedVault> UnlockAsync(
        IVaultStore store, string passphrase, VaultOptions options, CancellationToken cancellationToken, VaultUse? use = null) =>
        await (await Vault.OpenAsync(store, options, cancellationToken)).UnlockAsync(passphrase, cancellationToken, use);

    public static async Task<UnlockedVault> UnlockAsync(IVaultStore store, IKeyEncryptionKey key, VaultOptions options, CancellationToken cancellationToken) =>
        await (await Vault.OpenAsync(store, options, cancellationToken)).UnlockAsync(key, cancellationToken);

    public static async Task<UnlockedVault> UnlockAsync(IVaultStore store, UnlockedKey key, VaultOptions options, CancellationToken cancellationToken) =>
        await (await Vault.OpenAsync(store, options, cancellationToken)).UnlockAsync(key, cancellationToken);

    public static async Task<VaultInfo> InspectAsync(IVaultStore store, CancellationToken cancellationToken) =>
        await (await OpenAsync(store, cancellationToken)).InspectAsync(cancellationToken);

    public static async Task<IReadOnlyList<VaultMachine>> ListMachinesAsync(IVaultStore store, CancellationToken cancellationToken) =>
        await (await OpenAsync(store, cancellationToken)).ListMachinesAsync(cancellationToken);

    public static async Task<VaultSettings> ReadSettingsAsync(IVaultStore store, CancellationToken cancellationToken) =>
        await (await OpenAsync(store, cancellationToken)).ReadSettingsAsync(cancellationToken);

    public static async Task<VaultSettings> ChangeSettingsAsync(
        IVaultStore store, OwnerKey owner, Func<VaultSettings, VaultSettings> change, CancellationToken cancellationToken) =>
        await (await OpenAsync(store, cancellationToken)).ChangeSettingsAsync(owner, change, cancellationToken);

    public static async Task UnregisterMachineAsync(
        IVaultStore store, OwnerKey owner, string machineName, TimeProvider clock, CancellationToken cancellationToken) =>
        await (await Vault.OpenAsync(store, new VaultOptions { TimeProvider = clock }, cancellationToken))
            .UnregisterMachineAsync(owner, machineName, cancellationToken);

    public static async Task<RestorePlan> PlanRestoreAsync(
        this UnlockedVault vault, RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken) =>
        await (await vault.IndexAsync(cancellationToken)).PlanRestoreAsync(request, monitor, cancellationToken);

    public static async Task<RestoreResult> RestoreAsync(
        this UnlockedVault vault, RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken) =>
        await (await vault.IndexAsync(cancellationToken)).RestoreAsync(request, monitor, cancellationToken);

    public static IAsyncEnumerable<RecoverableItem> ListItemsAsync(
        this UnlockedVault vault, RecoveryPoint point, string? path, bool recursive, CancellationToken cancellationToken, Action<BackupException>? damaged = null) =>
        vault.ManyAsync(index => index.ListItemsAsync(point, path, recursive, cancellationToken, damaged), cancellationToken);

    public static IAsyncEnumerable<RecoverableItem> FindItemsAsync(
        this UnlockedVault vault, RecoveryPoint point, string pattern, bool ignoreCase, CancellationToken cancellationToken) =>
        vault.ManyAsync(index => index.FindItemsAsync(point, pattern, ignoreCase, cancellationToken), cancellationToken);

    public static IAsyncEnumerable<FoundItem> FindItemsAsync(
        this UnlockedVault vault, IEnumerable<RecoveryPoint> points, string pattern, bool ignoreCase, CancellationToken cancellationToken, Action<BackupException>? damaged = null) =>
        vault.ManyAsync(index => index.FindItemsAsync(points, pattern, ignoreCase, cancellationToken, damaged), cancellationToken);

    public static IAsyncEnumerable<SkippedItem> ListSkippedAsync(
        this UnlockedVault vault, RecoveryPoint point, CancellationToken cancellationToken, Action<BackupException>? damaged = null) =>
        vault.ManyAsync(index => index.ListSkippedAsync(point, cancellationToken, damaged), cancellationToken);

    public static async Task<VerifyReport> VerifyAsync(this UnlockedVault vault, VerifyLevel level, JobMonitor monitor, CancellationToken cancellationToken) =>
        await (await vault.IndexAsync(cancellationToken)).VerifyAsync(level, monitor, cancellationToken);

    public static async Task<IndexRebuildReport> RebuildIndexAsync(this UnlockedVault vault, JobMonitor monitor, CancellationToken cancellationToken) =>
        await (await vault.IndexAsync(cancellationToken)).RebuildIndexAsync(monitor, cancellationToken);

    /// <summary>A vault whose header is known, with key slots that cost little.</summary>
    internal static KnownVault Of(IVaultStore store, VaultHeader header, TimeProvider? clock = null, int iterations = 1) =>
        new(store, header, new VaultOptions { TimeProvider = clock ?? TimeProvider.System, KeyDerivationIterations = iterations });

    /// <summary>A chunk store whose index was not read.</summary>
    internal static ChunkStore StoreOf(IVaultStore store, VaultHeader header, StoreId storeId, byte[] masterKey) =>
        new(Of(store, header), storeId, new StoreKeys(masterKey, Convert.FromHexString(header.VaultId), storeId));

    /// <summary>A chunk store whose index was read.</summary>
    internal static async Task<ChunkStore> OpenStoreAsync(
        IVaultStore store, VaultHeader header, StoreId storeId, byte[] masterKey, CancellationToken cancellationToken)
    {
        ChunkStore opened = StoreOf(store, header, storeId, masterKey);
        await opened.ReadIndexAsync(cancellationToken);
        return opened;
    }

    /// <summary>A chunk store whose index was read, with every master key that a key leads to.</summary>
    internal static async Task<ChunkStore> OpenStoreAsync(IVaultStore store, VaultHeader header, UnlockedKey key, CancellationToken cancellationToken)
    {
        var opened = new ChunkStore(Of(store, header), key.StoreId, key.KeysIn(header));
        await opened.ReadIndexAsync(cancellationToken);
        return opened;
    }

    private static Task<Vault> OpenAsync(IVaultStore store, CancellationToken cancellationToken) =>
        Vault.OpenAsync(store, new VaultOptions(), cancellationToken);

    private static async IAsyncEnumerable<T> ManyAsync<T>(
        this UnlockedVault vault, Func<IndexedVault, IAsyncEnumerable<T>> ask, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (T item in ask(await vault.IndexAsync(cancellationToken)))
        {
            yield return item;
        }
    }
}
