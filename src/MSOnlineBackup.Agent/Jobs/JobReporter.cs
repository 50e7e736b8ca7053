using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>Tells of one job: to its log, and to those who observe the jobs of this machine. For several threads, but for the beginning and the end.</summary>
/// <param name="log">Its log.</param>
/// <param name="observers">Whoever else is told.</param>
internal sealed class JobReporter(JobLog log, IReadOnlyList<IJobObserver> observers) : IDisposable
{
    private long _retries;

    /// <summary>A job began.</summary>
    /// <param name="job">Its record.</param>
    /// <param name="settings">What it goes by.</param>
    /// <returns>What could not be told on.</returns>
    public IReadOnlyList<BackupException> Began(JobRecord job, IReadOnlyDictionary<string, string> settings)
    {
        Write(JobLogLevel.Info, JobLogEvent.Started, $"{job.Kind} of {string.Join(", ", job.Sources.Select(source => source.Name))} began.", settings: settings);
        return TellOthers(observer => observer.Began(job));
    }

    /// <summary>It does something else.</summary>
    public void Entered(JobPhase phase) => Write(JobLogLevel.Info, JobLogEvent.Phase, phase.ToString());

    /// <summary>An item was skipped.</summary>
    public void Skipped(SkippedItem item) => Write(JobLogLevel.Warning, JobLogEvent.Skipped, item.Reason, item.Id.ToString(), item.Path);

    /// <summary>Something may be of interest.</summary>
    public void Noted(string note) => Write(JobLogLevel.Info, JobLogEvent.Note, note);

    /// <summary>Somebody should see to something.</summary>
    public void Warned(BackupException warning) => log.Write(JobLog.Of(warning, JobLogLevel.Warning, JobLogEvent.Warning));

    /// <summary>Damage was met.</summary>
    public void Damaged(BackupException damage) => log.Write(JobLog.Of(damage, JobLogLevel.Warning, JobLogEvent.Damage));

    /// <summary>A call on the vault is tried again.</summary>
    public void Retried(VaultWait wait)
    {
        Interlocked.Increment(ref _retries);
        Write(
            JobLogLevel.Warning,
            JobLogEvent.Retry,
            $"Attempt {wait.Attempt} failed: {wait.Cause.Message} Trying again in {wait.Delay.TotalSeconds:0.#} s.",
            wait.Cause.Id.ToString(),
            wait.Cause.Target);
    }

    /// <summary>A source could not be read.</summary>
    public void Lost(LostSource source) => log.Write(JobLog.Of(source.Failure, JobLogLevel.Error, JobLogEvent.Source) with { Path = source.Name });

    /// <summary>It ended, or was not begun, and its record is written.</summary>
    /// <returns>What could not be told on, and is to be put on record, too.</returns>
    public IReadOnlyList<BackupException> Ended(JobRecord job)
    {
        List<BackupException> untold = TellOthers(observer => observer.Ended(job));
        untold.ForEach(Warned);
        JobError? error = job.Error;
        log.Write(new JobLogEntry
        {
            Time = default,
            Level = job.State switch
            {
                JobState.Failed => JobLogLevel.Error,
                JobState.Completed => JobLogLevel.Info,
                _ => JobLogLevel.Warning,
            },
            Event = JobLogEvent.Ended,
            Message = error is null ? $"{job.Kind}: {job.State}." : $"{job.Kind}: {job.State}. {error.Message}",
            Id = error?.Id,
            Path = error?.Target,
            Action = error?.RecommendedAction,
            Figures = FiguresOf(job),
        });
        if (log.Failure is { } failure)
        {
            untold.Add(new BackupException(
                BackupErrorId.JobLogIncomplete,
                $"The log of the job {job.Id} is incomplete: {failure.Message.TrimEnd('.')}.",
                "Nothing else is missing. See that the disk with the machine's state has free space.",
                job.Id.ToString(),
                innerException: failure));
        }

        return untold;
    }

    /// <inheritdoc/>
    public void Dispose() => log.Dispose();

    private SortedDictionary<string, long> FiguresOf(JobRecord job)
    {
        var figures = new SortedDictionary<string, long>(StringComparer.Ordinal)
        {
            ["milliseconds"] = (long)((job.Ended ?? job.Heartbeat) - job.Started).TotalMilliseconds,
            ["files"] = job.Sources.Sum(source => source.Files),
            ["changedFiles"] = job.Sources.Sum(source => source.ChangedFiles),
            ["bytes"] = job.Sources.Sum(source => source.Bytes),
            ["readBytes"] = job.Sources.Sum(source => source.ChangedBytes),
            ["newBytes"] = job.NewBytes,
            ["storedBytes"] = job.StoredBytes,
            ["skipped"] = job.Skipped,
            ["retries"] = Interlocked.Read(ref _retries),
        };
        if (job.Traffic is { } traffic)
        {
            figures["vaultWrites"] = traffic.Writes;
            figures["vaultLists"] = traffic.Lists;
            figures["vaultReads"] = traffic.Reads;
            figures["vaultOthers"] = traffic.Others;
            figures["sentBytes"] = traffic.SentBytes;
            figures["fetchedBytes"] = traffic.FetchedBytes;
        }

        return figures;
    }

    private List<BackupException> TellOthers(Action<IJobObserver> tell)
    {
        var untold = new List<BackupException>();
        foreach (IJobObserver observer in observers)
        {
            try
            {
                tell(observer);
            }
            catch (BackupException e)
            {
                untold.Add(e);
            }
        }

        return untold;
    }

    private void Write(JobLogLevel level, JobLogEvent kind, string message, string? id = null, string? path = null, IReadOnlyDictionary<string, string>? settings = null) =>
        log.Write(new JobLogEntry { Time = default, Level = level, Event = kind, Message = message, Id = id, Path = path, Settings = settings });
}
