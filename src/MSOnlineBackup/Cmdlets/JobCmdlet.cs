using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Jobs;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that run a job, here or in a process of its own.</summary>
public abstract class JobCmdlet : OBEngineCmdlet
{
    private volatile bool _follows;

    /// <summary>Asks, and has a job done: here, or in a process of its own.</summary>
    /// <param name="order">The job.</param>
    /// <param name="what">To what something is done.</param>
    /// <param name="action">What is done.</param>
    /// <param name="async">Whether it is handed to a process of its own, and written as it is then.</param>
    /// <exception cref="BackupException">Why it cannot begin; of a job that runs here, its own failure.</exception>
    private protected void Do(JobOrder order, string what, string action, bool async)
    {
        if (!ShouldProcess(what, action))
        {
            return;
        }

        if (async)
        {
            WriteObject(Run((_, stop) => Agent.Jobs.StartAsync(order, stop)).ToOutput());
        }
        else
        {
            Follow(order, what);
        }
    }

    /// <summary>Runs a job here to its end, shows how far it is, and writes it. Ctrl+C stops it in order.</summary>
    private void Follow(JobOrder order, string what) => Run(async (pump, stop) =>
    {
        _follows = true;
        using IDisposable? telemetry = TelemetryExport.Start(Environment.GetEnvironmentVariable);
        var display = new JobDisplay(order.Kind, what);
        var gate = new Lock();
        Guid id = Guid.Empty;
        JobRecord ended;
        try
        {
            ended = await Agent.Jobs.RunAsync(order, Show, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            ended = Agent.Jobs.Get(id);
        }

        if (ended.State == JobState.Aborted)
        {
            pump.WriteWarning("The job was stopped from outside this session. What has arrived in the vault need not be sent again.");
        }
        else
        {
            foreach (string line in display.LastLinesOf(ended))
            {
                pump.WriteLine(line);
            }
        }

        foreach (JobError warning in ended.Warnings ?? [])
        {
            pump.WriteWarning($"{warning.Message} {warning.RecommendedAction}");
        }

        foreach (string detail in display.DetailsOf(ended))
        {
            pump.WriteVerbose(detail);
        }

        if (ended.Notes is { } notes)
        {
            pump.WriteVerbose(notes);
        }

        if (ended.State == JobState.CompletedWithWarnings)
        {
            string items = ended.Skipped == 1 ? "One item was" : $"{ended.Skipped:N0} items were";
            pump.WriteWarning($"{items} skipped, or changed while being read; Get-OBSkippedItem -Job {ended.Id} shows which, and why.");
        }

        await pump.WriteObjectAsync(ended.ToOutput()).ConfigureAwait(false);

        // A whole source missing is no warning: scripts and cron see it by the error.
        foreach (JobError lost in ended.Sources.Where(source => source.State == JobState.Failed).Select(source => source.Error).OfType<JobError>())
        {
            BackupErrorId errorId = Enum.TryParse(lost.Id, out BackupErrorId known) ? known : BackupErrorId.SourceUnreadable;
            pump.WriteError(new BackupException(errorId, lost.Message, lost.RecommendedAction, lost.Target));
        }

        void Show(JobRecord now)
        {
            lock (gate)
            {
                id = now.Id;
                foreach (string line in display.LinesOf(now))
                {
                    pump.WriteLine(line);
                }

                pump.WriteProgress(display.BarOf(now));
            }
        }
    });

    // The pipeline is closed by then: only the host can still say something.
    private protected sealed override string? StopNote => _follows
        ? "Stopping cleanly; a second Ctrl+C will not speed this up. What has arrived stays, and the next run continues from there."
        : null;
}
