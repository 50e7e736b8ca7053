using System.Security.Cryptography;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>cron: a line for each task in this account's crontab, which ends with the task's name as a comment. No other line is touched.</summary>
/// <param name="temporary">A folder for the new crontab on its way.</param>
/// <param name="isRunning">Whether there is a daemon that reads crontabs.</param>
/// <param name="commands">Runs <c>crontab</c>.</param>
internal sealed class CronScheduler(string temporary, Func<bool> isRunning, ISystemCommands commands) : ISystemScheduler
{
    private const string Program = "crontab";

    private readonly SchedulerProgram _crontab = new(commands, Program);

    /// <inheritdoc/>
    public string Name => "cron";

    /// <inheritdoc/>
    public string PlaceOf(string task) => $"the crontab of {Environment.UserName} ('crontab -l'), the line '# {task}'";

    /// <summary>The line of a task. What the command prints, cron mails: with <c>--quiet</c> that is errors only.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered: an argument has a line break, which a crontab cannot have.</exception>
    public static string LineOf(ScheduledTask task)
    {
        string command = string.Join(' ', task.Command.Select(Quote));
        return command.AsSpan().ContainsAny('\n', '\r')
            ? throw new BackupException(
                BackupErrorId.ScheduleNotRegistered,
                "The schedule cannot be written to a crontab: a path in its command has a line break.",
                "Install the program, and keep the machine's state, in folders without a line break in their names.",
                task.Name)
            : $"{string.Join(',', task.Minutes)} * * * * {command}{Mark(task.Name)}";
    }

    /// <inheritdoc/>
    public async Task InstallAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> lines = await ReadAsync(cancellationToken).ConfigureAwait(false);
        await WriteAsync([.. lines.Where(line => !IsOf(task.Name, line)), LineOf(task)], cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> lines = await ReadAsync(cancellationToken).ConfigureAwait(false);
        string[] others = [.. lines.Where(line => !IsOf(name, line))];
        if (others.Length == lines.Count)
        {
            return;
        }

        if (others.Length > 0)
        {
            await WriteAsync(others, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await _crontab.RequireAsync(cancellationToken, "-r").ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task<InstalledTask?> FindAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        string[] ours = [.. (await ReadAsync(cancellationToken).ConfigureAwait(false)).Where(line => IsOf(task.Name, line))];
        return ours.Length == 0
            ? null
            : new InstalledTask(ours is [var only] && only.TrimStart('#', ' ') == LineOf(task), !ours.All(line => line.TrimStart().StartsWith('#')), Environment.UserName);
    }

    /// <inheritdoc/>
    public async Task<string?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        string[] ours = [.. (await ReadAsync(cancellationToken).ConfigureAwait(false)).Where(line => IsOf(name, line))];
        return ours.Length == 0 ? null : string.Join('\n', ours);
    }

    /// <inheritdoc/>
    public Task<string?> FindFaultAsync(CancellationToken cancellationToken) =>
        Task.FromResult(isRunning() ? null : "No cron daemon is running: there is a crontab, but nothing reads it.");

    /// <summary>Whether a process of a cron daemon is there.</summary>
    public static bool HasDaemon()
    {
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => Path.GetFileName(path).All(char.IsAsciiDigit)))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "comm")).Trim() is "cron" or "crond" or "fcron" or "dcron")
                {
                    return true;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is not for this account to see.
            }
        }

        return false;
    }

    private static string Mark(string name) => $" # {name}";

    private static bool IsOf(string name, string line) => line.EndsWith(Mark(name), StringComparison.Ordinal);

    // cron makes a line break of a percent sign, unless it is escaped; the shell gets it without the escape.
    private static string Quote(string argument) =>
        $"'{argument.Replace("'", @"'\''", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)}'";

    private async Task<IReadOnlyList<string>> ReadAsync(CancellationToken cancellationToken)
    {
        // Where there is no such program, there is no crontab: nothing has to be taken out of it. Whoever writes one is told.
        CommandResult? result = await commands.RunAsync(Program, ["-l"], cancellationToken).ConfigureAwait(false);
        if (result is null)
        {
            return [];
        }

        if (result.ExitCode == 0)
        {
            string text = result.Output.TrimEnd('\n');
            return text.Length == 0 ? [] : text.Split('\n');
        }

        return result.Error.Contains("no crontab for", StringComparison.OrdinalIgnoreCase) ? [] : throw SchedulerProgram.Refused("'crontab -l'", result);
    }

    private async Task WriteAsync(string[] lines, CancellationToken cancellationToken)
    {
        string file = Path.Combine(temporary, $"crontab-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        await SchedulerProgram.WriteAsync(file, string.Join('\n', lines) + "\n", cancellationToken).ConfigureAwait(false);
        try
        {
            await _crontab.RequireAsync(cancellationToken, file).ConfigureAwait(false);
        }
        finally
        {
            SchedulerProgram.Delete(file);
        }
    }
}
