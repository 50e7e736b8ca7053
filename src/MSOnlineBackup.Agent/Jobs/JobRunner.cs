using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>A job at work.</summary>
/// <param name="Monitor">Its counters.</param>
internal sealed record JobWork(JobMonitor Monitor)
{
    private readonly Lock _gate = new();

    /// <summary>The recovery point that it made or reads; null until known.</summary>
    public SessionId? RecoveryPointId { get; set; }

    /// <summary>What somebody should see to, though the job goes on; null for nothing.</summary>
    public IReadOnlyList<JobError>? Warnings { get; private set; }

    /// <summary>Told of each warning.</summary>
    public Action<BackupException> Warned { get; init; } = static _ => { };

    /// <summary>Adds a warning; what was read before stays as it is.</summary>
    public void Warn(BackupException warning)
    {
        lock (_gate)
        {
            Warnings = [.. Warnings ?? [], JobError.Of(warning)];
        }

        Warned(warning);
    }

    /// <summary>
    /// The counters of what else the job does, one part after the other, each with a point of its own: whatever is told to one of them is told as the job's.
    /// </summary>
    public IReadOnlyList<JobMonitor> Parts { get; private set; } = [];

    /// <summary>What it counts, all parts together; phase and wait are those of the newest part that is not through, or the job's own.</summary>
    public JobProgress Read()
    {
        JobProgress own = Monitor.Snapshot();
        List<JobProgress> parts = [.. Parts.Select(part => part.Snapshot())];
        JobProgress current = parts is [.., { Phase: not JobPhase.Finished } last] ? last : own;
        return current with
        {
            NewBytes = own.NewBytes + parts.Sum(part => part.NewBytes),
            StoredBytes = own.StoredBytes + parts.Sum(part => part.StoredBytes),
            Skipped = own.Skipped + parts.Sum(part => part.Skipped),
        };
    }

    /// <summary>Begins a part.</summary>
    public JobMonitor BeginPart()
    {
        var part = new JobMonitor
        {
            WantsTotals = Monitor.WantsTotals,
            IsExpected = Monitor.IsExpected,
            PhaseEntered = Monitor.PhaseEntered,
            Waited = Monitor.Waited,
            ItemSkipped = Monitor.ItemSkipped,
            Noted = Monitor.Noted,
            Warned = Monitor.Warned,
            VaultDamaged = Monitor.VaultDamaged,
        };
        lock (_gate)
        {
            Parts = [.. Parts, part];
        }

        return part;
    }

    /// <summary>Sources of a backup that could not be read at all.</summary>
    public IReadOnlyList<LostSource> LostSources { get; set; } = [];

    /// <summary>Tells whoever watches how it ended, and returns a warning, or null for none; null itself where nobody is to be told.</summary>
    public Func<JobRecord, Task<BackupException?>>? Tell { get; set; }

    /// <summary>What the vault was asked for it so far; set as soon as the vault is open.</summary>
    public Func<VaultTraffic?> ReadTraffic { get; set; } = () => null;
}

/// <summary>
/// Runs one job of this machine: alone, with a record that says how far it is and how it ended, and an ear for the wish to stop.
/// </summary>
/// <param name="history">Where records lie.</param>
/// <param name="clock">The clock.</param>
/// <param name="readLimit">The bandwidth in force, in bits a second; null for none.</param>
/// <param name="observers">Whoever is told of its beginning and its end.</param>
internal sealed class JobRunner(JobHistory history, TimeProvider clock, Func<long?> readLimit, IReadOnlyList<IJobObserver> observers)
{
    /// <summary>Whoever wants a job to stop creates a file of this name in its folder.</summary>
    public const string StopFile = "stop";

    private const int BeatsPerRecord = 8;
    private const int MaxNotes = 100;
    private static readonly TimeSpan _beat = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs a job to its end.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="plan">How it is run.</param>
    /// <param name="progress">Told of the record four times a second.</param>
    /// <param name="cancellationToken">Stops it in order, as the stop file does.</param>
    /// <param name="isScheduled">Whether a schedule wants it: what is refused then was skipped, and has not failed anybody.</param>
    /// <returns>The record at the end.</returns>
    /// <exception cref="BackupException">JobInProgress: nothing was begun and no record written. Others: the job failed, and its record says so.</exception>
    /// <exception cref="OperationCanceledException">It was stopped, and its record says so.</exception>
    public async Task<JobRecord> RunAsync(
        Guid id, JobKind kind, JobPlan plan, Action<JobRecord> progress, CancellationToken cancellationToken, bool isScheduled = false)
    {
        using IDisposable held = await history.LockAsync(cancellationToken).ConfigureAwait(false);
        using var skipped = new SkippedList(history.FileOf(id, SkippedList.FileName));
        using var reporter = new JobReporter(history.OpenLog(id), observers);
        bool damaged = false;
        var noted = new List<string>();
        JobWork? begun = null;
        JobWork job = begun = new JobWork(new JobMonitor
        {
            WantsTotals = true,
            IsExpected = plan.IsExpected,
            PhaseEntered = reporter.Entered,
            Waited = reporter.Retried,
            ItemSkipped = item =>
            {
                skipped.Add(item);
                reporter.Skipped(item);
            },
            Noted = note =>
            {
                reporter.Noted(note);
                lock (noted)
                {
                    if (noted.Count < MaxNotes)
                    {
                        noted.Add(note);
                    }
                }
            },
            Warned = warning => begun!.Warn(warning),
            VaultDamaged = damage =>
            {
                damaged = true;
                reporter.Damaged(damage);
                skipped.Add(new SkippedItem(damage.Target ?? "The vault", damage.Id, damage.Message));
            },
        })
        {
            Warned = reporter.Warned,
        };

        DateTimeOffset started = clock.GetUtcNow();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var ended = new CancellationTokenSource();
        history.Write(Describe());
        foreach (BackupException untold in reporter.Began(Describe(), plan.Settings))
        {
            job.Warn(untold);
        }

        Task pulse = BeatAsync();
        try
        {
            progress(Describe());
            await plan.RunAsync(job, stop.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            bool stopped = e is OperationCanceledException && stop.IsCancellationRequested;
            JobState failed = isScheduled && plan.IsRefusal(e) ? JobState.Skipped : JobState.Failed;
            await EndAsync(stopped ? JobState.Aborted : failed, stopped ? null : JobError.Of(e)).ConfigureAwait(false);
            throw;
        }

        foreach (LostSource source in job.LostSources)
        {
            reporter.Lost(source);
        }

        bool warned = damaged || job.Monitor.HasWarnings;
        JobError? lost = LostSource.ToError(job.LostSources) is { } error ? JobError.Of(error) : null;
        return await EndAsync(warned ? JobState.CompletedWithWarnings : JobState.Completed, lost).ConfigureAwait(false);

        JobRecord Describe()
        {
            JobProgress counters = job.Read();
            return new JobRecord
            {
                Id = id,
                Kind = kind,
                State = JobState.InProgress,
                Phase = counters.Phase,
                Started = started,
                Heartbeat = clock.GetUtcNow(),
                ProcessId = Environment.ProcessId,
                Sources = plan.ReadSources(job.Monitor),
                RecoveryPointId = job.RecoveryPointId,
                NewBytes = counters.NewBytes,
                StoredBytes = counters.StoredBytes,
                Skipped = counters.Skipped,
                Notes = Notes(),
                Traffic = job.ReadTraffic(),
                Wait = counters.Wait,
                Warnings = job.Warnings,
                BandwidthLimit = readLimit(),
            };
        }

        string? Notes()
        {
            lock (noted)
            {
                return noted.Count == 0 ? null : string.Join('\n', noted);
            }
        }

        async Task<JobRecord> EndAsync(JobState state, JobError? error)
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await pulse.ConfigureAwait(false);
            skipped.Flush();
            JobRecord record = Describe().EndedAs(state, error, clock.GetUtcNow());

            // Whoever waits for the end may take the vault away with it, or read what was told: nothing is told after the record says so.
            if (job.Tell is { } tell && await tell(record).ConfigureAwait(false) is { } untold)
            {
                job.Warn(untold);
                record = record with { Warnings = job.Warnings };
            }

            if (reporter.Ended(record) is { Count: > 0 } unreported)
            {
                record = record with { Warnings = [.. record.Warnings ?? [], .. unreported.Select(JobError.Of)] };
            }

            history.Write(record);
            history.Trim();
            progress(record);
            return record;
        }

        async Task BeatAsync()
        {
            using var timer = new PeriodicTimer(_beat, clock);
            for (int beat = 1; await NextAsync(timer, ended.Token).ConfigureAwait(false); beat++)
            {
                if (File.Exists(history.FileOf(id, StopFile)))
                {
                    await stop.CancelAsync().ConfigureAwait(false);
                }

                JobRecord record = Describe();
                progress(record);
                if (beat % BeatsPerRecord == 0)
                {
                    Save(record);
                }
            }
        }

        void Save(JobRecord record)
        {
            try
            {
                skipped.Flush();
                history.Write(record);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or BackupException { Id: BackupErrorId.StateAccessDenied })
            {
                // The next beat tries again, and the record of the end must succeed; a backup is worth more than a sign of life.
            }
        }
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken ended)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
