using System.Management.Automation;
using System.Net.NetworkInformation;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Storage.Azure;
using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup;

/// <summary>The one place that puts the engine together for the cmdlets: stores, retries, limits, and the program for background jobs.</summary>
internal static class Composition
{
    /// <summary>Names the limits that policies are held to: <c>Open</c> (the default) or <c>Mars</c>.</summary>
    public const string ProfileVariable = "MSONLINEBACKUP_PROFILE";

    /// <summary>Names this machine where its host name will not do, as in a container that has a new one at each start.</summary>
    public const string MachineVariable = "MSONLINEBACKUP_MACHINE";

    /// <summary>The script that a timer runs.</summary>
    public static string ScheduledScript => Path.Combine(Path.GetDirectoryName(ModuleFolder)!, "Start-ScheduledBackup.ps1");

    /// <summary>The PowerShell that runs, by its full path: a timer has another <c>PATH</c>. As a .NET tool it runs in a process of <c>dotnet</c>, so that the process does not tell.</summary>
    public static string Shell
    {
        get
        {
            string name = OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh";
            string beside = Path.Combine(Path.GetDirectoryName(typeof(PSObject).Assembly.Location)!, name);
            return File.Exists(beside) ? beside : Environment.ProcessPath is { } process && Path.GetFileName(process).Equals(name, StringComparison.OrdinalIgnoreCase) ? process : name;
        }
    }

    /// <summary>Opens this machine's agent. Its state is where <c>MSONLINEBACKUP_STATE</c> points, or at the platform's place.</summary>
    /// <param name="note">Told, from any thread, what the user should know of while something takes longer.</param>
    /// <exception cref="BackupException">ArgumentInvalid: no such profile.</exception>
    public static BackupAgent OpenAgent(Action<string> note)
    {
        void Tell(VaultWait wait) => note($"{wait.Cause.Message} Trying again in {wait.Delay.TotalSeconds:0.#} s.");
        return BackupAgent.Open(new AgentOptions
        {
            MachineName = Variable(MachineVariable) ?? HostName.Current,
            OpenVault = (location, connection) => VaultStores.Open(location, connection, Tell),
            CreateVault = (location, connection) => VaultStores.Create(location, connection, Tell),
            KeyVaults = new KeyVaultAccess
            {
                OpenSafe = (uri, owner, connection) => KeyVaultPassphraseSafe.Open(uri, owner, connection),
                OpenKey = (uri, connection) => KeyVaultKey.Open(uri, connection),
                DomainName = Domain(),
            },
            JobHost = JobHost(ModuleFolder),
            Limits = Limits(),
        });
    }

    /// <summary>The limits that policies are held to.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: no such profile.</exception>
    public static PolicyLimits Limits() => Variable(ProfileVariable) switch
    {
        null => PolicyLimits.Open,
        string name => PolicyLimits.Find(name) ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"{ProfileVariable} is '{name}'; there are the profiles {PolicyLimits.Open.Name} and {PolicyLimits.Mars.Name}.",
            $"Set it to one of them, or remove it for {PolicyLimits.Open.Name}.",
            name),
    };

    private static string ModuleFolder => Path.GetDirectoryName(typeof(Composition).Assembly.Location)!;

    // The kernel's word for none is "(none)". No name server is asked: an answer that comes and goes would name the machine now so, now otherwise.
    private static string? Domain() => IPGlobalProperties.GetIPGlobalProperties().DomainName is { Length: > 0 } name && name[0] != '(' ? name : null;

    // The same place in the checkout and in the package.
    private static string? JobHost(string folder)
    {
        string file = Path.Combine(folder, "host", OperatingSystem.IsWindows() ? "obengine.exe" : "obengine");
        return File.Exists(file) ? file : null;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
