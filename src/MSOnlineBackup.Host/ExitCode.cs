using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host;

/// <summary>How the process ends. Scripts test these numbers; docs/cli.md lists them and they never change.</summary>
internal enum ExitCode
{
    /// <summary>Everything was done.</summary>
    Success = 0,

    /// <summary>Nothing, or not all, was done; the error says why.</summary>
    Failed = 1,

    /// <summary>The command line, or something it names, is not valid; nothing was begun.</summary>
    Usage = 2,

    /// <summary>Done, but items were skipped, or changed meanwhile; they are listed.</summary>
    CompletedWithSkips = 3,

    /// <summary>Done, but without a whole source, which could not be read; it is named.</summary>
    SourceLost = 4,

    /// <summary>A schedule wanted a backup, and none was begun: backups are stopped until somebody sees to it.</summary>
    BackupsStopped = 5,

    /// <summary>There is no vault, or what is there is none, or its header is damaged.</summary>
    NoVault = 10,

    /// <summary>Somebody else's work is in the way; the same command may succeed later.</summary>
    Busy = 11,

    /// <summary>The passphrase opens nothing, or cannot be a passphrase.</summary>
    PassphraseRejected = 12,

    /// <summary>Stopped by Ctrl+C or a signal.</summary>
    Stopped = 130,
}

/// <summary>The one mapping from errors to exit codes.</summary>
internal static class ExitCodes
{
    /// <summary>The exit code of an error.</summary>
    public static ExitCode Of(BackupErrorId id) => id switch
    {
        BackupErrorId.VaultNotFound or BackupErrorId.VaultHeaderInvalid or BackupErrorId.VaultHeaderDamaged => ExitCode.NoVault,
        BackupErrorId.SessionFenced or BackupErrorId.JobInProgress => ExitCode.Busy,
        BackupErrorId.PassphraseRejected or BackupErrorId.PassphraseInvalid => ExitCode.PassphraseRejected,
        BackupErrorId.ArgumentInvalid or BackupErrorId.PatternInvalid or BackupErrorId.SourceMissing or BackupErrorId.KeyVaultUriInvalid
            or BackupErrorId.OwnerRequired or BackupErrorId.OwnerFileInvalid => ExitCode.Usage,
        _ => ExitCode.Failed,
    };
}
