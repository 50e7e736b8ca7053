using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>Pings the checks that stand for the backups of this machine: when one starts, and how it ends. A ping that fails is a warning.</summary>
/// <param name="sinks">The checks.</param>
/// <param name="run">The job.</param>
/// <param name="clock">The clock.</param>
internal sealed class RunPings(IReadOnlyList<HealthchecksSink> sinks, Guid run, TimeProvider clock)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    /// <summary>Those of a machine; null where none was set.</summary>
    /// <exception cref="BackupException">StateAccessDenied. Settings that are damaged are a warning of the run.</exception>
    public static (RunPings? Pings, BackupException? Fault) Find(JobMachine machine, Guid run)
    {
        try
        {
            IEnumerable<SinkSettings> checks = new AlarmSettingsStore(machine.State).Read()?.Sinks.Where(sink => sink is { Kind: SinkKind.Healthchecks, Runs: true }) ?? [];
            List<HealthchecksSink> sinks = [.. checks.Select(check => new HealthchecksSink(check, machine.Clock))];
            return (sinks.Count == 0 ? null : new RunPings(sinks, run, machine.Clock), null);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.AlarmSettingsInvalid or BackupErrorId.StateInvalid)
        {
            return (null, e);
        }
    }

    /// <summary>It has started.</summary>
    /// <returns>Warnings.</returns>
    public Task<IReadOnlyList<BackupException>> StartAsync() => EachAsync((sink, stop) => sink.StartAsync(run, stop));

    /// <summary>It has ended.</summary>
    /// <inheritdoc cref="StartAsync"/>
    public Task<IReadOnlyList<BackupException>> EndAsync(JobRecord record) => EachAsync((sink, stop) => sink.EndAsync(
        run, record.State is JobState.Completed or JobState.CompletedWithWarnings, $"{record.State}: {record.Error?.Id ?? "no error"}, {record.Skipped} skipped", stop));

    private async Task<IReadOnlyList<BackupException>> EachAsync(Func<HealthchecksSink, CancellationToken, Task> ping)
    {
        using var limit = new CancellationTokenSource(_patience, clock);
        var failures = new List<BackupException>();
        foreach (HealthchecksSink sink in sinks)
        {
            try
            {
                await ping(sink, limit.Token).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.AlarmNotDelivered)
            {
                failures.Add(e);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested)
            {
                failures.Add(AlarmSinkErrors.NotDelivered(sink.Name, "it has not answered in time"));
            }
        }

        return failures;
    }
}
