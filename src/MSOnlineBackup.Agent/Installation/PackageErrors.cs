using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Installation;

/// <summary>What is said of packages, lists of hashes, and files of the module.</summary>
internal static class PackageErrors
{
    /// <summary>Of a package or list that does not serve.</summary>
    /// <param name="name">Which.</param>
    /// <param name="why">The end of "… cannot be used: ".</param>
    /// <param name="inner">The cause, where there is one.</param>
    public static BackupException Invalid(string name, string why, Exception? inner = null) => new(
        BackupErrorId.PackageInvalid,
        $"'{name}' cannot be used: {why}. Nothing was changed.",
        "Get the package anew, together with its .sha256 file. A repair needs that of the version that is installed, which Get-OBVersion shows.",
        name,
        innerException: inner);

    /// <summary>Of a file that cannot be replaced.</summary>
    public static BackupException NotRepaired(string path, Exception inner) => new(
        BackupErrorId.ModuleNotRepaired,
        $"'{path}' cannot be put in the place of what is damaged: {inner.Message.TrimEnd('.')}.",
        "Close all sessions that have the module imported, and run Repair-OBModule again as an account that may write to the module's folder.",
        path,
        innerException: inner);

    /// <summary>Of an update that the system refused.</summary>
    public static BackupException NotUpdated(string path, Exception inner) => NotUpdated(
        path,
        inner.Message.TrimEnd('.'),
        "Run it as an account that may write there, while no other update runs. On Windows, close all sessions that have the module imported.",
        inner);

    /// <summary>Of an update that was not made.</summary>
    /// <param name="path">What it failed at.</param>
    /// <param name="why">The end of "… ends at '…': ".</param>
    /// <param name="action">What to do.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public static BackupException NotUpdated(string path, string why, string action, Exception? inner = null) => new(
        BackupErrorId.ModuleNotUpdated,
        $"The module was not updated; it ended at '{path}': {why}. The version that was in use is whole, and still used.",
        action,
        path,
        innerException: inner);

    /// <summary>Of a package that is older than what is installed.</summary>
    public static BackupException Outdated(string path, string version, string installed) => new(
        BackupErrorId.PackageOutdated,
        $"'{path}' is of version {version}, and {installed} is installed: that would be a step back. Nothing was changed.",
        "Get a newer package. To go back to the version before, use Update-OBAgent -Rollback or 'obengine update --rollback'; to any other, add -AllowDowngrade or --allow-downgrade.",
        path);

    /// <summary>Of going back where there is nothing to go back to.</summary>
    public static BackupException NoPrevious(string folder) => new(
        BackupErrorId.PreviousVersionMissing,
        $"No version before the one in '{folder}' is kept. Nothing was changed.",
        "Update with the package of the version that is wanted: Update-OBAgent -AllowDowngrade, or 'obengine update --allow-downgrade'.",
        folder);
}
