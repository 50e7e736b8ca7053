using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>Has a process of its own run a job, which goes on when this process ends.</summary>
/// <param name="machine">The machine.</param>
/// <param name="history">Where the order is left, and the record appears.</param>
/// <param name="command">The command that runs background jobs, without <c>job run</c>; null where there is none.</param>
internal sealed class BackgroundStart(JobMachine machine, JobHistory history, IReadOnlyList<string>? command)
{
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    /// <summary>Starts it, and returns as soon as it has begun.</summary>
    /// <exception cref="BackupException">JobInProgress, JobHostMissing, StateAccessDenied: nothing was begun.</exception>
    public async Task<JobRecord> StartAsync(JobOrder order, CancellationToken cancellationToken)
    {
        if (history.Running is { } other)
        {
            throw JobHistory.InProgress(other);
        }

        Guid id = JobHistory.NewId();
        history.WriteFile(id, JobOrderFile.FileName, JobOrderFile.Of(order, machine).Encode());
        string log = history.FileOf(id, "log.txt");
        using Process process = JobHostProcess.Start(
            command, ["job", "run", id.ToString("D"), "--state", machine.State.Path], [.. order.Secrets.Select(secret => secret.Value)], log);
        long start = machine.Clock.GetTimestamp();
        while (true)
        {
            bool ended = process.HasExited;
            if (history.Read(id) is { } job)
            {
                return job is { State: JobState.Failed, Error.Id: nameof(BackupErrorId.JobInProgress) } ? throw JobHistory.InProgress(history.Running) : job;
            }

            if (ended || machine.Clock.GetElapsedTime(start) > _patience)
            {
                throw await NotBegunAsync(process, ended, log, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(_poll, machine.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The order of a job that another process has started, and nobody has carried out yet.</summary>
    /// <exception cref="BackupException">JobNotFound; StateInvalid, NotAvailable: the order cannot be read, or not be carried out by this version.</exception>
    public JobOrderFile ReadOrder(Guid id)
    {
        string path = history.FileOf(id, JobOrderFile.FileName);
        byte[]? content = machine.State.Read(path);
        return content is not null && history.Read(id) is null
            ? JobOrderFile.Decode(content, path)
            : throw new BackupException(
                BackupErrorId.JobNotFound,
                $"No job {id} is waiting to run: '{path}' does not exist, or was already run.",
                "Start jobs with Start-OBBackup or Start-OBRecovery.",
                id.ToString());
    }

    private async Task<BackupException> NotBegunAsync(Process process, bool ended, string log, CancellationToken cancellationToken)
    {
        string? program = command?[0];
        string wrote = File.Exists(log) ? (await File.ReadAllTextAsync(log, cancellationToken).ConfigureAwait(false)).Trim() : "";
        return new BackupException(
            BackupErrorId.JobHostMissing,
            ended
                ? $"The program for background jobs, '{program}', ended with status {process.ExitCode} without starting the job: {wrote}"
                : $"The program for background jobs, '{program}', did not start the job within a minute; it is still running as process {process.Id}.",
            "Check that it is executable, and run it by hand with --version to see what it lacks. Or run the job in the foreground.",
            program);
    }
}
