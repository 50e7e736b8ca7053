using System.Management.Automation;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Errors;

/// <summary>
/// The one place where an error of the engine becomes an ErrorRecord. Its FullyQualifiedErrorId is the <see cref="BackupErrorId"/>'s name and the
/// cmdlet; the original's number, where there is one, ends the message and is <c>$_.Exception.ErrorCode</c>. The target is the
/// thing that the error is about, and <c>$_.ErrorDetails.RecommendedAction</c> says what to do.
/// </summary>
internal static class ErrorRecords
{
    /// <summary>The record of an error; a bug, where the engine does not know it.</summary>
    public static ErrorRecord From(Exception exception) => exception is BackupException known ? From(known) : Unexpected(exception);

    /// <summary>What kind of error an id is.</summary>
    public static ErrorCategory Category(BackupErrorId id) => id switch
    {
        BackupErrorId.VaultNotFound or BackupErrorId.KeySlotNotFound or BackupErrorId.SourceNotFound or BackupErrorId.SourceItemVanished
            or BackupErrorId.RecoveryPointNotFound or BackupErrorId.RecoveryPointGone or BackupErrorId.RecoverableItemNotFound or BackupErrorId.PolicyNotFound or BackupErrorId.JobNotFound
            or BackupErrorId.VaultDataMissing or BackupErrorId.KeyVaultNotFound or BackupErrorId.KeyVaultSecretNotFound or BackupErrorId.KeyVaultSecretDeleted
            or BackupErrorId.KeyVaultKeyNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.JobHostMissing or BackupErrorId.KeyDerivationUnavailable => ErrorCategory.NotInstalled,
        BackupErrorId.VaultExists or BackupErrorId.RestoreItemExists or BackupErrorId.MachineNameTaken or BackupErrorId.KeyVaultSecretForeign
            or BackupErrorId.KeyVaultKeyTaken or BackupErrorId.PassphraseTaken => ErrorCategory.ResourceExists,
        BackupErrorId.VaultHeaderInvalid or BackupErrorId.VaultHeaderDamaged or BackupErrorId.VaultFormatUnsupported or BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataUnreadable
            or BackupErrorId.KeySlotDamaged
            or BackupErrorId.RestoreVerifyFailed or BackupErrorId.PolicyFileInvalid or BackupErrorId.StateInvalid or BackupErrorId.KeyFileInvalid
            or BackupErrorId.ActivationDamaged or BackupErrorId.PriceTableInvalid or BackupErrorId.KeySlotContradicted
            or BackupErrorId.VaultHeaderNotRepaired or BackupErrorId.OwnerFileInvalid or BackupErrorId.MonitoringCredentialInvalid
            or BackupErrorId.AlarmSettingsInvalid => ErrorCategory.InvalidData,
        BackupErrorId.VaultUnreachable or BackupErrorId.VaultContactLost or BackupErrorId.ProxyRefused or BackupErrorId.KeyVaultUnreachable => ErrorCategory.ConnectionError,
        BackupErrorId.SecureConnectionFailed or BackupErrorId.PublicAddressRefused or BackupErrorId.KeyVaultUntrusted
            or BackupErrorId.ChunkStoreExchanged or BackupErrorId.OwnerForeign => ErrorCategory.SecurityError,
        BackupErrorId.VaultAccessDenied or BackupErrorId.VaultAccountDisabled or BackupErrorId.SubscriptionExpired or BackupErrorId.SubscriptionDeprovisioned or BackupErrorId.VaultDataProtected or BackupErrorId.StateAccessDenied
            or BackupErrorId.KeyVaultAccessDenied or BackupErrorId.KeyVaultFirewalled or BackupErrorId.OwnerRequired
            or BackupErrorId.VaultImmutable => ErrorCategory.PermissionDenied,
        BackupErrorId.VaultFull or BackupErrorId.RestoreTargetFull or BackupErrorId.ScratchFull or BackupErrorId.MachineLimitReached
            or BackupErrorId.SourceTooLarge or BackupErrorId.PolicyLimitExceeded or BackupErrorId.KeySlotsNotTried or BackupErrorId.OpenFileLimitLow => ErrorCategory.LimitsExceeded,
        BackupErrorId.PassphraseRejected or BackupErrorId.VaultCredentialInvalid or BackupErrorId.IdentityNotFound or BackupErrorId.IdentityRejected
            or BackupErrorId.StorageSecretForeign or BackupErrorId.StorageSecretExpired or BackupErrorId.ProxyAuthenticationRequired
            or BackupErrorId.KeyVaultIdentityMissing or BackupErrorId.SecurityPinRejected or BackupErrorId.ApprovalRejected => ErrorCategory.AuthenticationError,
        BackupErrorId.BackupUnusual or BackupErrorId.RetentionShortened or BackupErrorId.PointsDeletedAtOnce => ErrorCategory.SecurityError,
        BackupErrorId.SourceNotMounted or BackupErrorId.VaultDataArchived or BackupErrorId.SourceItemChanged or BackupErrorId.JobInProgress => ErrorCategory.ResourceBusy,
        BackupErrorId.SourceUnreadable or BackupErrorId.SourceItemUnreadable or BackupErrorId.SourceAttributeUnreadable or BackupErrorId.SourceItemLocked or BackupErrorId.SourceLocked
            or BackupErrorId.CommandFailed => ErrorCategory.ReadError,
        BackupErrorId.RestoreTargetUnwritable or BackupErrorId.RestoreItemFailed or BackupErrorId.RestoreMetadataFailed
            or BackupErrorId.RestoreNameImpossible or BackupErrorId.RestoreItemRenamed or BackupErrorId.RestoredByFullPath
            or BackupErrorId.ActivationFailed or BackupErrorId.OutputFailed
            or BackupErrorId.ScheduleNotRegistered or BackupErrorId.StatusNotWritten or BackupErrorId.AlarmNotDelivered
            or BackupErrorId.JobLogIncomplete or BackupErrorId.SystemLogUnwritable or BackupErrorId.MetricsFileUnwritable => ErrorCategory.WriteError,
        BackupErrorId.PassphraseInvalid or BackupErrorId.SourceMissing or BackupErrorId.PatternInvalid or BackupErrorId.RecoveryPointAmbiguous
            or BackupErrorId.RestoreTargetInvalid or BackupErrorId.ArgumentInvalid or BackupErrorId.PolicyIncomplete or BackupErrorId.PolicyInvalid
            or BackupErrorId.VaultCredentialForeign or BackupErrorId.ScratchInvalid or BackupErrorId.RecoveryOptionMissing
            or BackupErrorId.StorageSecretInvalid or BackupErrorId.KeyVaultUriInvalid or BackupErrorId.MachineNameChanged => ErrorCategory.InvalidArgument,
        BackupErrorId.KeySlotIsLast or BackupErrorId.RecoveryPointIsNewest or BackupErrorId.VaultSettingFixed or BackupErrorId.SessionFenced or BackupErrorId.PolicyPaused or BackupErrorId.MachineNotRegistered
            or BackupErrorId.SourceRefused or BackupErrorId.SourceItemRefused or BackupErrorId.SourceDoubtful
            or BackupErrorId.KeyEpochOutdated or BackupErrorId.MachineNotActivated or BackupErrorId.KeyVaultSecretUnusable or BackupErrorId.KeyVaultKeyUnusable => ErrorCategory.InvalidOperation,
        BackupErrorId.JobLost or BackupErrorId.RemoteJobLost or BackupErrorId.ScheduleMissed => ErrorCategory.OperationStopped,
        BackupErrorId.AgentOutdated or BackupErrorId.AgentMachineUnsuitable or BackupErrorId.AgentVersionDiffers => ErrorCategory.InvalidOperation,
        BackupErrorId.AgentUnreachable => ErrorCategory.ConnectionError,
        BackupErrorId.AgentAccessDenied => ErrorCategory.PermissionDenied,
        BackupErrorId.AgentNoSpace => ErrorCategory.LimitsExceeded,
        BackupErrorId.AgentNotInstalled or BackupErrorId.RemotePointMissing => ErrorCategory.ObjectNotFound,
        BackupErrorId.AgentNotUpdated => ErrorCategory.WriteError,
        BackupErrorId.DriveReadOnly => ErrorCategory.PermissionDenied,
        BackupErrorId.PackageInvalid => ErrorCategory.InvalidData,
        BackupErrorId.ModuleNotRepaired or BackupErrorId.ModuleNotUpdated => ErrorCategory.WriteError,
        BackupErrorId.PackageOutdated => ErrorCategory.InvalidArgument,
        BackupErrorId.PreviousVersionMissing => ErrorCategory.ObjectNotFound,
        BackupErrorId.JobLost or BackupErrorId.ScheduleMissed or BackupErrorId.BackupLate or BackupErrorId.BackupFailing or BackupErrorId.BackupNeverMade
            or BackupErrorId.BackupShrinking => ErrorCategory.OperationStopped,
        BackupErrorId.SchedulerUnavailable or BackupErrorId.ProcessNot64Bit => ErrorCategory.NotInstalled,
        BackupErrorId.SnapshotUnavailable or BackupErrorId.MountFolderInvalid => ErrorCategory.ResourceUnavailable,
        BackupErrorId.MountUnavailable => ErrorCategory.NotInstalled,
        BackupErrorId.MountBusy => ErrorCategory.ResourceBusy,
        BackupErrorId.MountNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.MountFailed => ErrorCategory.OpenError,
        BackupErrorId.ScriptSettingsInvalid => ErrorCategory.InvalidData,
        BackupErrorId.ScriptNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.ScriptUntrusted => ErrorCategory.SecurityError,
        BackupErrorId.ScriptFailed => ErrorCategory.OperationStopped,
        BackupErrorId.ScriptTimedOut => ErrorCategory.OperationTimeout,
        BackupErrorId.ServerAddressTaken => ErrorCategory.ResourceExists,
        BackupErrorId.ServerAddressRefused => ErrorCategory.ResourceUnavailable,
        BackupErrorId.VaultProgramUnusable => ErrorCategory.ProtocolError,
        BackupErrorId.VaultHostUntrusted => ErrorCategory.SecurityError,
        BackupErrorId.VaultNotTwin => ErrorCategory.InvalidArgument,
        BackupErrorId.CopyIncomplete => ErrorCategory.ResourceUnavailable,
        BackupErrorId.WorkloadUnreachable => ErrorCategory.ResourceUnavailable,
        BackupErrorId.WorkloadAccessDenied => ErrorCategory.PermissionDenied,
        BackupErrorId.WorkloadUnfit => ErrorCategory.InvalidOperation,
        BackupErrorId.WorkloadProgramUnusable => ErrorCategory.NotInstalled,
        BackupErrorId.WorkloadCommandFailed => ErrorCategory.OperationStopped,
        BackupErrorId.WorkloadFileUnreadable => ErrorCategory.ReadError,
        BackupErrorId.WorkloadLogGap => ErrorCategory.InvalidData,
        BackupErrorId.WorkloadNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.WorkloadTimeOutside => ErrorCategory.InvalidArgument,
        BackupErrorId.WorkloadTargetNotEmpty => ErrorCategory.ResourceExists,
        BackupErrorId.WorkloadIncomplete => ErrorCategory.InvalidData,
        BackupErrorId.WorkloadRecoveryFailed => ErrorCategory.InvalidResult,
        BackupErrorId.GroupNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.GroupExists or BackupErrorId.GroupMachineTaken => ErrorCategory.ResourceExists,
        BackupErrorId.PoolOverflow => ErrorCategory.LimitsExceeded,
        BackupErrorId.VolumeCorrupt => ErrorCategory.InvalidData,
        BackupErrorId.VolumeUnsupported => ErrorCategory.NotImplemented,
        BackupErrorId.VolumeItemNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.VolumeInUse => ErrorCategory.InvalidData,
        BackupErrorId.VirtualMachineUnreachable => ErrorCategory.ConnectionError,
        BackupErrorId.VirtualMachineBusy => ErrorCategory.ResourceBusy,
        BackupErrorId.VirtualMachineCommandFailed => ErrorCategory.OperationStopped,
        BackupErrorId.VirtualMachineUnfit => ErrorCategory.InvalidOperation,
        BackupErrorId.VirtualMachineProgramUnusable => ErrorCategory.NotInstalled,
        BackupErrorId.GuestNotFrozen => ErrorCategory.ResourceUnavailable,
        BackupErrorId.GuestNotThawed => ErrorCategory.OperationTimeout,
        BackupErrorId.VirtualMachineNotInPolicy => ErrorCategory.ObjectNotFound,
        BackupErrorId.MachinePointUnfit => ErrorCategory.ObjectNotFound,
        BackupErrorId.MachineTargetTaken => ErrorCategory.ResourceExists,
        BackupErrorId.MachineNotOff => ErrorCategory.ResourceBusy,
        BackupErrorId.DiskNotReplaced => ErrorCategory.InvalidOperation,
        BackupErrorId.InstantMachineEnded => ErrorCategory.OperationStopped,
        BackupErrorId.InstantDiskIncomplete => ErrorCategory.InvalidData,
        BackupErrorId.InstantMachineWaits => ErrorCategory.ResourceUnavailable,
        BackupErrorId.VirtualMachineAccessDenied => ErrorCategory.PermissionDenied,
        BackupErrorId.VirtualMachineNotFound => ErrorCategory.ObjectNotFound,
        BackupErrorId.VirtualDiskExists => ErrorCategory.ResourceExists,
        BackupErrorId.MaintenanceUnfinished => ErrorCategory.OperationTimeout,
        BackupErrorId.NotAvailable => ErrorCategory.NotImplemented,
        BackupErrorId.UnexpectedError or _ => ErrorCategory.NotSpecified,
    };

    private static ErrorRecord From(BackupException error) => Record(
        error,
        error.Id,
        error.ErrorCode is string code && !error.Message.Contains(code, StringComparison.OrdinalIgnoreCase) ? $"{error.Message} ({code})" : error.Message,
        error.RecommendedAction,
        error.Target);

    private static ErrorRecord Unexpected(Exception bug) => Record(
        bug,
        BackupErrorId.UnexpectedError,
        $"An unexpected error occurred: {bug.Message}",
        "This is a bug in the module, not a mistake of yours. Run Get-Error right away, and report what it shows.",
        target: null);

    private static ErrorRecord Record(Exception exception, BackupErrorId id, string message, string action, string? target) =>
        new(exception, id.ToString(), Category(id), target) { ErrorDetails = new ErrorDetails(message) { RecommendedAction = action } };
}
