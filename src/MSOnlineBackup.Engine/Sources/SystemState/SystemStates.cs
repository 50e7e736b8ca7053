using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Sources.SystemState;

/// <summary>The system state of each platform that has one.</summary>
internal static class SystemStates
{
    /// <summary>What the set is called in policies and jobs.</summary>
    public const string Name = "System State";

    /// <summary>That of this platform.</summary>
    /// <exception cref="BackupException">NotAvailable: there is no set for this platform.</exception>
    public static ISystemState Open() => OperatingSystem.IsLinux()
        ? new LinuxSystemState(new SystemCommands())
        : throw new BackupException(
            BackupErrorId.NotAvailable,
            "Backups of the system state are made on Linux only in this version.",
            "Back up the folders that hold the configuration with a policy for files, and keep an image of the system by its own means.",
            Name);
}
