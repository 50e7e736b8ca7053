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
            "This version backs up the system state on Linux only.",
            "Back up the folders that hold the configuration with a policy for files, and make an image of the system with its own tools.",
            Name);
}
