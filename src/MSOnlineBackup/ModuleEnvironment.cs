using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup;

/// <summary>What the module takes from the session around it: environment variables, the PowerShell that runs, the scripts beside it.</summary>
internal static class ModuleEnvironment
{
    /// <summary>Names the limits that policies are held to: <c>Open</c> (the default) or <c>Mars</c>.</summary>
    public const string ProfileVariable = "MSONLINEBACKUP_PROFILE";

    /// <summary>Names this machine where its host name will not do, as in a container that has a new one at each start.</summary>
    public const string MachineVariable = "MSONLINEBACKUP_MACHINE";

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
    public static BackupAgent OpenAgent(Action<string> note) => MachineAgent.Open(
        Variable(MachineVariable) ?? HostName.Current,
        Limits(),
        wait => note($"{wait.Cause.Message} Trying again in {wait.Delay.TotalSeconds:0.#} s."),
        jobHost: [Shell, "-NoProfile", "-NonInteractive", "-File", Script("obengine.ps1")],
        scheduler: SchedulerVariable.Read(Variable(SchedulerVariable.Name)),
        scheduleProgram: OperatingSystem.IsWindows()
            ? [Shell, "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", Script("obengine.ps1")]
            : null,
        health: new HealthContext { PowerShell = PowerShellVersion, ModuleFolder = Folder },
        systemLog: SystemLogChoice.Read(Variable(SystemLogChoice.Variable)));

    /// <summary>The PowerShell that runs. Its assembly's own version has another third number.</summary>
    public static Version PowerShellVersion { get; } = Version.TryParse(
        typeof(PSObject).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split(' ', '-', '+')[0], out Version? version)
        ? version
        : typeof(PSObject).Assembly.GetName().Version!;

    /// <summary>The folder of the module, with its manifest.</summary>
    public static string Folder => Path.GetDirectoryName(Path.GetDirectoryName(Script("obengine.ps1")))!;

    /// <summary>The limits that policies are held to.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: no such profile.</exception>
    public static PolicyLimits Limits() => Variable(ProfileVariable) switch
    {
        null => PolicyLimits.Open,
        string name => PolicyLimits.Find(name) ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"{ProfileVariable} is '{name}', but the only profiles are {PolicyLimits.Open.Name} and {PolicyLimits.Mars.Name}.",
            $"Set it to one of them, or remove it to use {PolicyLimits.Open.Name}.",
            name),
    };

    // The loader lies in a folder beside the scripts. This assembly may come from a folder below that, compiled for the platform.
    private static string Script(string name)
    {
        Type loader = AssemblyLoadContext.GetLoadContext(typeof(ModuleEnvironment).Assembly)!.GetType();
        return Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(loader.Assembly.Location))!, name);
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
