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
        "Get the package of the version that is installed, which Get-OBVersion shows, anew, together with its .sha256 file.",
        name,
        innerException: inner);

    /// <summary>Of a file that cannot be replaced.</summary>
    public static BackupException NotRepaired(string path, Exception inner) => new(
        BackupErrorId.ModuleNotRepaired,
        $"'{path}' cannot be put in the place of what is damaged: {inner.Message.TrimEnd('.')}.",
        "Close all sessions that have the module imported, and run Repair-OBModule again as an account that may write to the module's folder.",
        path,
        innerException: inner);
}
