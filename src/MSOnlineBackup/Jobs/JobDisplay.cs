using System.Globalization;
using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Vaults.Progress;
using JobState = MSOnlineBackup.Agent.Jobs.JobState;

namespace MSOnlineBackup.Jobs;

/// <summary>
/// What a session shows of a job that runs in it: the original's lines as its phases come, and a bar. A phase that was too short to be seen is told all
/// the same: it was there. Lines about what this module does not do, such as taking a snapshot, do not appear.
/// </summary>
internal sealed class JobDisplay(JobKind kind, string what)
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    private static readonly (JobPhase Phase, string Line)[] _backupLines =
    [
        (JobPhase.Initializing, "Initializing"),
        (JobPhase.Initializing, "Preparing storage..."),
        (JobPhase.Transferring, "Estimating size of backup items..."),
        (JobPhase.Transferring, "Transferring data..."),
        (JobPhase.Finished, "Data transfer completed"),
    ];

    private static readonly (JobPhase Phase, string Line)[] _recoveryLines = [(JobPhase.Planning, "Estimating size of backup items...")];

    private readonly JobPace _pace = new();
    private int _linesShown;

    private string Operation => kind == JobKind.Backup ? "backup" : "recovery";

    /// <summary>The lines that are new with a state of the job. A job that failed or was stopped has only those of phases that it had begun.</summary>
    public IReadOnlyList<string> LinesOf(JobRecord job)
    {
        (JobPhase Phase, string Line)[] all = kind == JobKind.Backup ? _backupLines : _recoveryLines;
        bool isDone = job.State is JobState.Completed or JobState.CompletedWithWarnings;
        string[] lines =
            [.. all.Skip(_linesShown).TakeWhile(line => isDone || (job.Phase != JobPhase.Finished && line.Phase <= job.Phase)).Select(line => line.Line)];
        _linesShown += lines.Length;
        return lines;
    }

    /// <summary>The lines after a job that has done its work.</summary>
    public IReadOnlyList<string> LastLinesOf(JobRecord job) =>
        ["Job completed.", $"The {Operation} operation completed {(job.State == JobState.Completed ? "successfully" : "with warnings")}."];

    /// <summary>What a job has done, for who asks for details.</summary>
    public IEnumerable<string> DetailsOf(JobRecord job)
    {
        foreach (JobSourceStatus source in job.Sources)
        {
            yield return $"{source.Name}: {Files(source.Files)}, {Size(source.Bytes)}; new or changed: {source.ChangedFiles}, {Size(source.ChangedBytes)}.";
        }

        if (kind == JobKind.Backup)
        {
            yield return $"New to the vault: {Size(job.NewBytes)}. Sent to it: {Size(job.StoredBytes)}.";
        }

        yield return string.Create(CultureInfo.InvariantCulture, $"The job '{job.Id}' took {((job.Ended ?? job.Heartbeat) - job.Started).TotalSeconds:0.0} s.");
    }

    /// <summary>The bar.</summary>
    public ProgressRecord BarOf(JobRecord job)
    {
        long done = job.Sources.Sum(source => source.Bytes);
        long total = job.Sources.Sum(source => source.TotalBytes);
        (double rate, TimeSpan? remaining) = _pace.Read(done, total);

        // The total of a backup is an estimate that may be overtaken.
        bool isKnown = total > 0 && done <= total;
        string text = job.Phase switch
        {
            _ when job.Wait is { } wait => $"Waiting for the vault: {wait.Cause}",
            JobPhase.Initializing => "Opening the vault",
            JobPhase.Planning => "Planning",
            JobPhase.Committing => "Completing the recovery point",
            JobPhase.Verifying => "Verifying",
            JobPhase.Finished when kind == JobKind.Backup && job.State == JobState.InProgress => "The recovery point is made; maintaining the vault",
            _ => isKnown ? $"{Size(done)} of {Size(total)}, {Size(rate)}/s" : $"{Size(done)}, {Size(rate)}/s",
        };
        return new ProgressRecord(0, kind == JobKind.Backup ? $"Backing up {what}" : $"Recovering {what}", text)
        {
            PercentComplete = isKnown ? (int)(100.0 * done / total) : -1,
            SecondsRemaining = remaining is { } time ? (int)time.TotalSeconds : -1,
            CurrentOperation = job.Sources.FirstOrDefault(source => source.State == JobState.InProgress)?.Name,
        };
    }

    private static string Files(long count) => count == 1 ? "1 file" : string.Create(CultureInfo.InvariantCulture, $"{count:N0} files");

    private static string Size(double bytes)
    {
        int unit = 0;
        for (; bytes >= 999.5 && unit < _units.Length - 1; unit++)
        {
            bytes /= 1024;
        }

        return $"{bytes.ToString(unit == 0 || bytes >= 99.95 ? "0" : "0.0", CultureInfo.InvariantCulture)} {_units[unit]}";
    }
}
