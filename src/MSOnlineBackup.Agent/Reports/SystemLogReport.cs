using System.Globalization;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Platform.SystemLogs;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Reports;

/// <summary>Tells the system's log of beginnings and ends of jobs. The numbers of its events are documented, and stay.</summary>
/// <param name="choice">Which log.</param>
/// <param name="account">This machine, and whether it wants that.</param>
/// <param name="clock">Its clock.</param>
internal sealed class SystemLogReport(SystemLogChoice choice, MachineAccount account, TimeProvider clock) : IJobObserver
{
    private const int BeganEvent = 100;

    /// <inheritdoc/>
    public void Began(JobRecord job) => Write(job, SystemLogLevel.Info, BeganEvent, $"{Name(job)} began.");

    /// <inheritdoc/>
    public void Ended(JobRecord job)
    {
        (SystemLogLevel level, int number, string what) = job.State switch
        {
            JobState.Completed => (SystemLogLevel.Info, 101, "completed"),
            JobState.CompletedWithWarnings => (SystemLogLevel.Warning, 102, "completed with warnings"),
            JobState.Failed => (SystemLogLevel.Error, 103, "failed"),
            JobState.Aborted => (SystemLogLevel.Notice, 104, "was stopped"),
            _ => (SystemLogLevel.Warning, 105, "was not begun"),
        };
        string why = job.Error is { } error ? $": {error.Message} {error.RecommendedAction}" : ".";
        Write(job, level, number, $"{Name(job)} {what}{why}");
    }

    private static string Name(JobRecord job) => $"{job.Kind} of {string.Join(", ", job.Sources.Select(source => source.Name).DefaultIfEmpty("nothing"))}";

    private void Write(JobRecord job, SystemLogLevel level, int number, string message)
    {
        if (!IsWanted())
        {
            return;
        }

        var entry = new SystemLogEntry(clock.GetLocalNow(), level, number, message, Fields(job));
        var failures = new List<IOException>();
        foreach (ISystemLog log in choice.Find())
        {
            try
            {
                log.Write(entry);
                return;
            }
            catch (IOException e)
            {
                failures.Add(e);
            }
        }

        if (failures is [var first, ..])
        {
            throw new BackupException(
                BackupErrorId.SystemLogUnwritable,
                $"The system's log did not take what was told of the job {job.Id}: {string.Join("; ", failures.Select(failure => failure.Message))}.",
                "Start the system's log again, or switch this off: Set-OBMachineSetting -SystemLog Off. The job's own log has everything.",
                job.Id.ToString(),
                innerException: first);
        }
    }

    // Damaged settings are told where they are needed; what a machine does unless it is told otherwise is right here.
    private bool IsWanted()
    {
        try
        {
            return account.Settings.SystemLog == SystemLogMode.Auto;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.StateInvalid or BackupErrorId.StateAccessDenied)
        {
            return true;
        }
    }

    private List<KeyValuePair<string, string>> Fields(JobRecord job)
    {
        List<KeyValuePair<string, string>> fields =
        [
            new("JOB", job.Id.ToString()),
            new("KIND", job.Kind.ToString()),
            new("STATE", job.State.ToString()),
            new("MACHINE", account.Name),
        ];
        if (job.Error is { } error)
        {
            fields.Add(new("ERROR", error.Id));
        }

        if (job.Ended is { } ended && job.State != JobState.Skipped)
        {
            fields.Add(new("SECONDS", ((long)(ended - job.Started).TotalSeconds).ToString(CultureInfo.InvariantCulture)));
            fields.Add(new("NEW_BYTES", job.NewBytes.ToString(CultureInfo.InvariantCulture)));
            fields.Add(new("SKIPPED", job.Skipped.ToString(CultureInfo.InvariantCulture)));
        }

        return fields;
    }
}
