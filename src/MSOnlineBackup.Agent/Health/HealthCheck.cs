namespace MSOnlineBackup.Agent.Health;

/// <summary>What is checked, in the order in which it is told. The names never change.</summary>
public enum HealthCheck
{
    /// <summary>That the process has 64 bits.</summary>
    Process,

    /// <summary>That the operating system is one that this runs on.</summary>
    OperatingSystem,

    /// <summary>That its maker still mends it.</summary>
    EndOfSupport,

    /// <summary>That no update waits for a restart.</summary>
    PendingRestart,

    /// <summary>That .NET is new enough.</summary>
    DotNet,

    /// <summary>That PowerShell is new enough.</summary>
    PowerShell,

    /// <summary>That keys are derived from passphrases by the better method.</summary>
    KeyDerivation,

    /// <summary>That what mounts recovery points is there.</summary>
    Mount,

    /// <summary>That the account may read the whole machine.</summary>
    Account,

    /// <summary>That the time zone of the machine is one that there is.</summary>
    TimeZone,

    /// <summary>That something can run schedules.</summary>
    Scheduler,

    /// <summary>That the scratch folder is one that may be used.</summary>
    ScratchFolder,

    /// <summary>That its volume has room.</summary>
    ScratchRoom,

    /// <summary>That the module's files are those that were shipped.</summary>
    ModuleFiles,

    /// <summary>That the state of this machine can be read.</summary>
    State,

    /// <summary>That this machine is registered with a vault.</summary>
    Registration,

    /// <summary>That a passphrase is set.</summary>
    Passphrase,

    /// <summary>That the key file opens this machine's chunk store.</summary>
    KeyFile,

    /// <summary>That the vault knows this machine by the name that it has.</summary>
    MachineName,

    /// <summary>That the vault's host can be reached.</summary>
    Network,

    /// <summary>That the proxy lets this machine pass, and scheduled backups use the same.</summary>
    Proxy,

    /// <summary>That the clock agrees with the vault's.</summary>
    Clock,

    /// <summary>That this machine may read the vault.</summary>
    VaultAccess,

    /// <summary>That the vault takes backups of this version.</summary>
    AgentVersion,

    /// <summary>That contact with the vault is not lost, and the subscription that pays for it holds.</summary>
    Contact,

    /// <summary>That a policy says what to protect.</summary>
    Policy,

    /// <summary>That what it names is there, and meant.</summary>
    Sources,

    /// <summary>That the scheduler has the schedule, unchanged and switched on.</summary>
    ScheduleRegistered,

    /// <summary>With whose rights the schedule runs.</summary>
    ScheduleAccount,

    /// <summary>That the program that it runs is there, and new enough.</summary>
    ScheduleProgram,

    /// <summary>That this program finds the module.</summary>
    ScheduleModulePath,

    /// <summary>That no policy of the system keeps the script from running.</summary>
    ScheduleExecutionPolicy,

    /// <summary>That no other program backs up by a schedule.</summary>
    OtherBackups,

    /// <summary>How the last backup ended, and when.</summary>
    LastBackup,

    /// <summary>That the folder for temporary files is not full of them.</summary>
    TemporaryFiles,

    /// <summary>That nothing keeps the files of this machine's state from being read: a virus scanner, for one.</summary>
    LocalFiles,

    /// <summary>That no snapshot was left behind.</summary>
    Snapshots,
}

/// <summary>Which row of docs/operations.md has a check.</summary>
internal static class HealthRows
{
    /// <summary>The row.</summary>
    public static string Of(HealthCheck check) => check switch
    {
        HealthCheck.Process => "A24",
        HealthCheck.OperatingSystem => "A25, A26",
        HealthCheck.EndOfSupport => "A28",
        HealthCheck.DotNet => "A27",
        HealthCheck.PowerShell => "A27, A74",
        HealthCheck.KeyDerivation => "A27",
        HealthCheck.Mount => "A27, A78",
        HealthCheck.Account => "A73",
        HealthCheck.TimeZone => "A58, A64",
        HealthCheck.Scheduler => "A58, E44",
        HealthCheck.ScratchFolder => "A8, A68",
        HealthCheck.ScratchRoom => "A8, A58",
        HealthCheck.ModuleFiles => "A77",
        HealthCheck.State => "A69",
        HealthCheck.Registration => "A57, A59",
        HealthCheck.Passphrase => "A57, A67",
        HealthCheck.KeyFile => "A69, A70",
        HealthCheck.MachineName => "E9",
        HealthCheck.Network => "A58, A61",
        HealthCheck.Proxy => "A65, A66",
        HealthCheck.Clock => "A64",
        HealthCheck.VaultAccess => "A58, E4",
        HealthCheck.AgentVersion => "A53, E36",
        HealthCheck.Contact => "V16, D26",
        HealthCheck.Sources => "A58, E19",
        HealthCheck.ScheduleRegistered => "A72",
        HealthCheck.ScheduleAccount => "A73",
        HealthCheck.ScheduleProgram => "A74",
        HealthCheck.ScheduleModulePath => "A75",
        HealthCheck.ScheduleExecutionPolicy => "A76",
        HealthCheck.OtherBackups => "A71",
        HealthCheck.TemporaryFiles => "A63",
        HealthCheck.LocalFiles => "A62",
        HealthCheck.Snapshots => "E21",
        HealthCheck.PendingRestart or HealthCheck.Policy or HealthCheck.LastBackup or _ => "A58",
    };
}
