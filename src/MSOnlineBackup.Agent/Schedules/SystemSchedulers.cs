using System.Security.Principal;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>Which scheduler of the operating system runs the schedules of this machine.</summary>
public enum SchedulerChoice
{
    /// <summary>None of them: something else runs <c>obengine schedule run</c>.</summary>
    None,

    /// <summary>The system's own: systemd where it runs, else cron; launchd; the Task Scheduler.</summary>
    Auto,

    /// <summary>systemd.</summary>
    Systemd,

    /// <summary>cron.</summary>
    Cron,

    /// <summary>launchd, of macOS.</summary>
    Launchd,

    /// <summary>The Task Scheduler of Windows.</summary>
    TaskScheduler,
}

/// <summary>The schedulers there are.</summary>
internal static class SystemSchedulers
{
    private const string SystemdRuns = "/run/systemd/system";

    /// <summary>The one that is chosen; null for none.</summary>
    public static ISystemScheduler? Choose(SchedulerChoice choice) => choice switch
    {
        SchedulerChoice.None => null,
        SchedulerChoice.Systemd => Systemd(),
        SchedulerChoice.Cron => new CronScheduler(Path.GetTempPath(), CronScheduler.HasDaemon, new SystemCommands()),
        SchedulerChoice.Launchd => Launchd(),
        SchedulerChoice.TaskScheduler => Windows(),
        _ when OperatingSystem.IsWindows() => Windows(),
        _ when OperatingSystem.IsMacOS() => Launchd(),
        _ => Choose(HasSystemd() ? SchedulerChoice.Systemd : SchedulerChoice.Cron),
    };

    // Of a user who has no manager of his own, as in a session by 'su', cron runs what is scheduled.
    private static bool HasSystemd() =>
        Directory.Exists(SystemdRuns)
        && (Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder && Directory.Exists(Path.Combine(folder, "systemd")));

    private static SystemdScheduler Systemd()
    {
        if (Environment.IsPrivilegedProcess)
        {
            return new SystemdScheduler("/etc/systemd/system", isUser: false, new SystemCommands());
        }

        string? chosen = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        string configuration = Path.IsPathRooted(chosen) ? chosen : Path.Combine(Home(), ".config");
        return new SystemdScheduler(Path.Combine(configuration, "systemd", "user"), isUser: true, new SystemCommands());
    }

    private static LaunchdScheduler Launchd() => Environment.IsPrivilegedProcess
        ? new LaunchdScheduler("/Library/LaunchDaemons", "system", new SystemCommands())
        : new LaunchdScheduler(Path.Combine(Home(), "Library", "LaunchAgents"), $"user/{Libc.EffectiveUser()}", new SystemCommands());

    private static WindowsTaskScheduler Windows() => new(
        Path.GetTempPath(),
        OperatingSystem.IsWindows() && !Environment.IsPrivilegedProcess ? WindowsIdentity.GetCurrent().User!.Value : WindowsTaskScheduler.SystemAccount,
        new SystemCommands());

    private static string Home() => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
}
