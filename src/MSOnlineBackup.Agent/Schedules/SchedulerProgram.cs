using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What the schedulers have in common: how their programs are run, and their files written.</summary>
/// <param name="commands">Runs programs.</param>
/// <param name="program">The scheduler's own program.</param>
internal sealed class SchedulerProgram(ISystemCommands commands, string program)
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Runs it; whether that is a success is for the caller to see.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable: it is not there.</exception>
    public async Task<CommandResult> RunAsync(CancellationToken cancellationToken, params string[] arguments) =>
        await commands.RunAsync(program, arguments, cancellationToken).ConfigureAwait(false) ?? throw new BackupException(
            BackupErrorId.SchedulerUnavailable,
            $"Nothing can run the schedule: the program '{program}' is not installed, or not for this account to run.",
            "Install cron or run systemd; or set MSONLINEBACKUP_SCHEDULER to None, and have something else run 'obengine schedule run' each hour.",
            program);

    /// <summary>Runs it, and refuses to go on where it fails.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable; ScheduleNotRegistered: with what it says.</exception>
    public async Task<CommandResult> RequireAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        CommandResult result = await RunAsync(cancellationToken, arguments).ConfigureAwait(false);
        return result.ExitCode == 0 ? result : throw Refused($"'{program} {string.Join(' ', arguments)}'", result);
    }

    /// <summary>What is said where it refuses.</summary>
    public static BackupException Refused(string what, CommandResult result) => new(
        BackupErrorId.ScheduleNotRegistered,
        $"The system's scheduler refused: {what} ended with status {result.ExitCode}: {(result.Error.Trim().Length > 0 ? result.Error : result.Output).Trim()}",
        "Correct what it names, then run Repair-OBSchedule or 'obengine schedule install'. The policy is saved.",
        what);

    /// <summary>Writes a file that the scheduler reads, whole, in the place of what is there.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered.</exception>
    public static async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        string temporary = path + ".new";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Delete(temporary);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = Readable;
            }

            await using (var file = new StreamWriter(temporary, options))
            {
                await file.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>Deletes a file of the scheduler's.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered.</exception>
    public static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Then it is not there, either.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>A file of the scheduler's; null where there is none.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered.</exception>
    public static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    private static BackupException Unwritable(string path, Exception e) => new(
        BackupErrorId.ScheduleNotRegistered,
        $"The scheduler's file '{path}' cannot be read or written: {e.Message.TrimEnd('.')}.",
        "Run as root or administrator, then run Repair-OBSchedule or 'obengine schedule install'. The policy is saved.",
        path,
        innerException: e);
}
