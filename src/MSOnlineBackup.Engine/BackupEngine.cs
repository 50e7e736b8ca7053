using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine;

/// <summary>
/// The one public entry to the engine. Every failure is a <see cref="Errors.BackupException"/>; stopping is an
/// <see cref="OperationCanceledException"/>, and what had arrived in the vault stays usable.
/// </summary>
public sealed class BackupEngine
{
    private BackupEngine()
    {
    }

    /// <summary>Facts of the opened vault.</summary>
    public VaultInfo Info => throw new NotImplementedException();

    /// <summary>Creates a vault in an empty store, with a first chunk store and a key slot for the passphrase.</summary>
    public static Task<VaultInfo> CreateVaultAsync(IVaultStore store, string passphrase, EngineOptions options, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Reads what can be known of a vault without a passphrase.</summary>
    public static Task<VaultInfo> InspectVaultAsync(IVaultStore store, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Opens a vault: finds the key slot that the passphrase opens.</summary>
    public static Task<BackupEngine> OpenAsync(IVaultStore store, string passphrase, EngineOptions options, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Checks the SHA-256 of every stored object; needs no passphrase.</summary>
    public static Task<VerifyReport> VerifyPacksAsync(IVaultStore store, JobMonitor monitor, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Backs up: returns when the recovery point is durable.</summary>
    public Task<BackupResult> BackUpAsync(BackupRequest request, JobMonitor monitor, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>What a backup would take; reads no content and writes nothing.</summary>
    public IAsyncEnumerable<BackupPreviewItem> PreviewAsync(BackupRequest request, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>The recovery points of this store, newest first; of one machine where a name is given.</summary>
    public Task<IReadOnlyList<RecoveryPoint>> ListPointsAsync(string? machineName, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>The point whose session id begins with the text; "latest" is the newest.</summary>
    public Task<RecoveryPoint> GetPointAsync(string idPrefixOrLatest, string? machineName, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>The items of a point at or below a full path; null for the roots. Direct children only unless recursive.</summary>
    public IAsyncEnumerable<RecoverableItem> ListItemsAsync(RecoveryPoint point, string? path, bool recursive, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>The items of a point whose name (or, where the pattern has a '/', whose full path) matches a wildcard pattern.</summary>
    public IAsyncEnumerable<RecoverableItem> FindItemsAsync(RecoveryPoint point, string pattern, bool ignoreCase, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>What a backup skipped.</summary>
    public IAsyncEnumerable<SkippedItem> ListSkippedAsync(RecoveryPoint point, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>What a restore would do.</summary>
    public Task<RestorePlan> PlanRestoreAsync(RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Does it.</summary>
    public Task<RestoreResult> RestoreAsync(RestorePlan plan, JobMonitor monitor, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Verifies the store.</summary>
    public Task<VerifyReport> VerifyAsync(VerifyLevel level, JobMonitor monitor, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Writes index segments for all packs that no sound segment names, from the packs alone.</summary>
    public Task<IndexRebuildReport> RebuildIndexAsync(JobMonitor monitor, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>The key slots of the opened chunk store.</summary>
    public Task<IReadOnlyList<KeySlotInfo>> ListKeysAsync(CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Adds a key slot for another passphrase.</summary>
    public Task<KeySlotInfo> AddKeyAsync(string passphrase, string? label, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Adds a slot for the new passphrase, verifies it, then removes the slot that opened this engine.</summary>
    public Task<KeySlotInfo> ChangeKeyAsync(string newPassphrase, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>Removes a key slot; the last one cannot be removed.</summary>
    public Task RemoveKeyAsync(string keyId, CancellationToken cancellationToken)
        => throw new NotImplementedException();
}
