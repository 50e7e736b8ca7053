using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Agent.Schedules.Others;

/// <summary>What the schedulers of this system run: timers of systemd, and lines and scripts of cron. What this account may not see is not among it.</summary>
/// <param name="cronPlaces">Crontabs of the system (their lines count), and folders of such files or of scripts.</param>
/// <param name="commands">Runs <c>systemctl</c> and <c>crontab</c>.</param>
internal sealed class SystemJobs(IReadOnlyList<string> cronPlaces, ISystemCommands commands)
{
    /// <summary>Where cron of a Linux system looks.</summary>
    public static IReadOnlyList<string> CronPlaces { get; } = ["/etc/crontab", "/etc/anacrontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly"];

    /// <summary>Lists them.</summary>
    public async Task<IReadOnlyList<SystemJob>> ListAsync(CancellationToken cancellationToken) =>
    [
        .. await ListTimersAsync(cancellationToken).ConfigureAwait(false),
        .. await ListOwnCrontabAsync(cancellationToken).ConfigureAwait(false),
        .. cronPlaces.SelectMany(ListCron),
    ];

    private static IEnumerable<SystemJob> ListCron(string place)
    {
        try
        {
            return Directory.Exists(place)
                ? [.. Directory.EnumerateFiles(place).Order(StringComparer.Ordinal).SelectMany(ListFile)]
                : File.Exists(place) ? ListFile(place) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not for this account to see, or gone by now; what is found is a hint, and nothing depends on it.
            return [];
        }
    }

    private static SystemJob[] ListFile(string file) => [new SystemJob(file, Path.GetFileName(file)), .. File.ReadLines(file).Select(line => new SystemJob(file, line))];

    private async Task<IEnumerable<SystemJob>> ListOwnCrontabAsync(CancellationToken cancellationToken)
    {
        CommandResult? result = await commands.RunAsync("crontab", ["-l"], cancellationToken).ConfigureAwait(false);
        return result is { ExitCode: 0 } ? result.Output.Split('\n').Select(line => new SystemJob($"the crontab of {Environment.UserName}", line)) : [];
    }

    private async Task<IEnumerable<SystemJob>> ListTimersAsync(CancellationToken cancellationToken)
    {
        CommandResult? listed = await commands.RunAsync("systemctl", ["list-timers", "--all", "--no-legend", "--plain", "--no-pager"], cancellationToken).ConfigureAwait(false);
        if (listed is not { ExitCode: 0 })
        {
            return [];
        }

        // The columns before them are times, with blanks; the last two are the timer, and what it starts.
        List<(string Timer, string Unit)> timers =
        [
            .. listed.Output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words.Length >= 2 && words[^2].EndsWith(".timer", StringComparison.Ordinal))
                .Select(words => (words[^2], words[^1])),
        ];
        if (timers.Count == 0)
        {
            return [];
        }

        CommandResult? shown = await commands.RunAsync(
            "systemctl", ["show", "--no-pager", "--property=Id,ExecStart", "--", .. timers.Select(timer => timer.Unit)], cancellationToken).ConfigureAwait(false);

        // A block for each unit, with a blank line between.
        string[] blocks = shown is { ExitCode: 0 } ? shown.Output.Split("\n\n") : [];
        return timers.Select(timer => new SystemJob(timer.Timer, $"{timer.Timer} {timer.Unit} {blocks.FirstOrDefault(block => block.Split('\n').Contains($"Id={timer.Unit}"))}"));
    }
}
