using System.Globalization;
using System.Text;
using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>systemd: a timer and a service for each task, of the system where root installs them, else of the user.</summary>
/// <param name="folder">Where the units lie.</param>
/// <param name="isUser">Whether they are the user's.</param>
/// <param name="commands">Runs <c>systemctl</c>.</param>
internal sealed class SystemdScheduler(string folder, bool isUser, ISystemCommands commands) : ISystemScheduler
{
    private const string Head = "# Written by MSOnlineBackup, and written anew by 'obengine schedule install': do not change it.\n";

    private readonly SchedulerProgram _systemctl = new(commands, "systemctl");

    /// <inheritdoc/>
    public string Name => isUser ? "systemd (user)" : "systemd";

    /// <inheritdoc/>
    public string PlaceOf(string task) => TimerFile(task);

    /// <summary>The unit that fires. What was missed while the machine was off fires once when it is on again.</summary>
    public static string TimerOf(ScheduledTask task) => string.Create(CultureInfo.InvariantCulture, $"""
        {Head}[Unit]
        Description={Plain(task.Description)}

        [Timer]
        OnCalendar={CalendarOf(task)}
        Persistent=true

        [Install]
        WantedBy=timers.target

        """);

    /// <summary>The unit that is run. A backup may take days; items that were skipped (3) and another job at work (11) are no failures of the unit.</summary>
    public static string ServiceOf(ScheduledTask task) => $"""
        {Head}[Unit]
        Description={Plain(task.Description)}
        After=network-online.target

        [Service]
        Type=oneshot
        ExecStart={string.Join(' ', task.Command.Select(Quote))}
        SuccessExitStatus=3 11
        TimeoutStopSec=120

        """;

    /// <summary>When it fires, as <c>systemd-analyze calendar</c> reads it.</summary>
    public static string CalendarOf(ScheduledTask task) =>
        $"*-*-* *:{string.Join(',', task.Minutes.Select(minute => minute.ToString("00", CultureInfo.InvariantCulture)))}:00";

    /// <inheritdoc/>
    public async Task InstallAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        await SchedulerProgram.WriteAsync(ServiceFile(task.Name), ServiceOf(task), cancellationToken).ConfigureAwait(false);
        await SchedulerProgram.WriteAsync(TimerFile(task.Name), TimerOf(task), cancellationToken).ConfigureAwait(false);
        await _systemctl.RequireAsync(cancellationToken, For("daemon-reload")).ConfigureAwait(false);
        await _systemctl.RequireAsync(cancellationToken, For("enable", Timer(task.Name))).ConfigureAwait(false);

        // One that runs already goes by what it was.
        await _systemctl.RequireAsync(cancellationToken, For("restart", Timer(task.Name))).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (File.Exists(TimerFile(name)))
        {
            await _systemctl.RequireAsync(cancellationToken, For("disable", "--now", Timer(name))).ConfigureAwait(false);

            // When it last fired is kept in a file beside. An older systemd cannot take that away, and it harms nothing.
            _ = await _systemctl.RunAsync(cancellationToken, For("clean", "--what=state", Timer(name))).ConfigureAwait(false);
        }
        else if (!File.Exists(ServiceFile(name)))
        {
            return;
        }

        SchedulerProgram.Delete(TimerFile(name));
        SchedulerProgram.Delete(ServiceFile(name));
        await _systemctl.RequireAsync(cancellationToken, For("daemon-reload")).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<InstalledTask?> FindAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        string? timer = SchedulerProgram.Read(TimerFile(task.Name));
        string? service = SchedulerProgram.Read(ServiceFile(task.Name));
        if (timer is null && service is null)
        {
            return null;
        }

        bool enabled = await HoldsAsync("is-enabled").ConfigureAwait(false) && await HoldsAsync("is-active").ConfigureAwait(false);
        CommandResult user = await _systemctl.RequireAsync(cancellationToken, For("show", "--property=User", "--value", $"{task.Name}.service")).ConfigureAwait(false);
        string account = user.Output.Trim() is { Length: > 0 } named ? named : isUser ? Environment.UserName : "root";
        return new InstalledTask(timer == TimerOf(task) && service == ServiceOf(task), enabled, account);

        async Task<bool> HoldsAsync(string question) =>
            (await _systemctl.RunAsync(cancellationToken, For(question, Timer(task.Name))).ConfigureAwait(false)).ExitCode == 0;
    }

    /// <inheritdoc/>
    public Task<string?> ReadAsync(string name, CancellationToken cancellationToken) => Task.FromResult(SchedulerProgram.Read(ServiceFile(name)));

    /// <inheritdoc/>
    public async Task<string?> FindFaultAsync(CancellationToken cancellationToken)
    {
        CommandResult result = await _systemctl.RunAsync(cancellationToken, For("show", "--property=Version", "--value")).ConfigureAwait(false);
        return result.ExitCode == 0 ? null : $"systemd does not answer: {result.Error.Trim()}";
    }

    private static string Timer(string name) => $"{name}.timer";

    private static string Plain(string text) => text.Replace("%", "%%", StringComparison.Ordinal);

    // Within quotes escapes count as in C. A specifier begins with a percent sign, a variable with a dollar sign; the program's path has no variables.
    private static string Quote(string argument, int index)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in argument)
        {
            quoted.Append(c switch
            {
                '\\' => @"\\",
                '"' => "\\\"",
                '\n' => "\\n",
                '%' => "%%",
                '$' when index > 0 => "$$",
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    private string[] For(params string[] arguments) => isUser ? ["--user", .. arguments] : arguments;

    private string TimerFile(string name) => Path.Combine(folder, Timer(name));

    private string ServiceFile(string name) => Path.Combine(folder, $"{name}.service");
}
