using System.Text;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>One backup of one machine, as the server sees it.</summary>
internal sealed class RemoteBackup(
    RemoteMachine machine, RemoteBackupOrder order, UnlockedVault vault, RemoteAgentRecords records, IRemoteShell shell, TimeProvider clock, RemoteLimits limits)
{
    // What a login may say before the agent speaks.
    private const int MostOfGreeting = 64 << 10;

    // obengine's exit code for a command that it does not know.
    private const int UsageCode = 2;
    private const int NotFoundCode = 127;

    // For the machine's last pack, checkpoint and word.
    private static readonly TimeSpan _patienceForStop = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _patienceForEnd = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _patienceForStatus = TimeSpan.FromSeconds(30);

    private readonly string _host = machine.HostName;

    /// <summary>Runs it to its end.</summary>
    public async Task<RemoteBackupOutcome> RunAsync(IProgress<RemoteBackupProgress>? progress, CancellationToken cancellationToken)
    {
        var outcome = new RemoteBackupOutcome { Machine = machine, MachineName = order.MachineName, Started = clock.GetUtcNow(), Ended = default };
        try
        {
            outcome = await RunAsync(outcome, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            outcome = outcome with { Failure = e };
        }
        catch (OperationCanceledException)
        {
            await TellAsync(outcome with { Ended = clock.GetUtcNow() }, RunOutcome.Aborted).ConfigureAwait(false);
            throw;
        }

        outcome = outcome with { Ended = clock.GetUtcNow() };
        BackupException? untold = await TellAsync(outcome, OutcomeOf(outcome)).ConfigureAwait(false);
        return untold is null ? outcome : outcome with { Warnings = [.. outcome.Warnings, untold] };
    }

    private static RunOutcome OutcomeOf(RemoteBackupOutcome outcome) => outcome switch
    {
        { Failure: not null } => RunOutcome.Failed,
        { LostSources.Count: > 0 } or { Point.SkippedCount: > 0 } => RunOutcome.CompletedWithWarnings,
        _ => RunOutcome.Completed,
    };

    private async Task<RemoteBackupOutcome> RunAsync(RemoteBackupOutcome outcome, IProgress<RemoteBackupProgress>? progress, CancellationToken cancellationToken)
    {
        vault.Vault.Allow(VaultUse.Write);
        if (records.Find(_host) is null || records.FindKey(_host) is null)
        {
            throw RemoteErrors.NotInstalled(_host);
        }

        using IDisposable held = records.TryLockJob(_host) ?? throw RemoteErrors.JobBusy(_host);
        var access = PipeAccess.ForMachine(await vault.FindMachineAsync(order.MachineName, cancellationToken).ConfigureAwait(false));
        using var limit = new CancellationTokenSource(limits.Start, clock);
        var errand = new RemoteErrand(_host, RemoteOrderMessage.Of(order, vault.Vault, limits.PackSize), vault.Key, Hear);
        BackupException? failure = await ServeAsync(access, errand, limit, cancellationToken).ConfigureAwait(false);
        outcome = outcome with
        {
            AgentVersion = errand.AgentVersion,
            LostSources = [.. Said(errand, RemoteSayingKind.Lost).Select(saying => new RemoteLoss(saying.Target ?? "", saying.ToError(_host)))],
            Warnings = [.. Said(errand, RemoteSayingKind.Warning).Select(saying => saying.ToError(_host))],
            Notes = [.. Said(errand, RemoteSayingKind.Note).Select(saying => RemoteFacts.Line(saying.Message))],
        };
        if (errand.End is not { Point: { } } end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return outcome with { Failure = errand.End is { } without ? without.Failure?.ToError(_host) ?? RemoteErrors.JobStopped(_host) : failure };
        }

        return outcome with
        {
            Point = await ProveAsync(access, end, cancellationToken).ConfigureAwait(false),
            NewFiles = end.NewFiles,
            ChangedFiles = end.ChangedFiles,
            UnchangedFiles = end.UnchangedFiles,
            ReadBytes = end.ReadBytes,
            WasResumed = end.WasResumed,
        };

        void Hear(RemoteNotice notice)
        {
            limit.CancelAfter(notice.End is null ? limits.Silence : _patienceForEnd);
            if (notice.Progress is { } read)
            {
                progress?.Report(new RemoteBackupProgress(machine, order.MachineName, read));
            }
        }
    }

    private static IEnumerable<RemoteSaying> Said(RemoteErrand errand, RemoteSayingKind kind) => errand.Sayings.Where(saying => saying.Kind == kind);

    // Serves the vault until the agent has gone. Gives why it has; null where it said so itself.
    private async Task<BackupException?> ServeAsync(PipeAccess access, RemoteErrand errand, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        string mark = RemoteAgents.NewMark();
        using RemoteCommand command = await shell.StartAsync(machine, records.KnownHosts(_host), AgentScripts.BackUp(mark), cancellationToken).ConfigureAwait(false);

        // The agent is asked to stop in order; one that has not begun has nothing to put in order.
        using CancellationTokenRegistration stopping = cancellationToken.Register(() =>
        {
            errand.Stop();
            limit.CancelAfter(errand.IsGiven ? _patienceForStop : TimeSpan.Zero);
        });
        using CancellationTokenRegistration cutting = limit.Token.Register(command.Dispose);
        BackupException? served = null;
        bool isStarted = false;
        try
        {
            isStarted = await PassGreetingAsync(command.Incoming, mark, limit.Token).ConfigureAwait(false);
            if (isStarted)
            {
                await PipedVaultServer.ServeAsync(
                    _ => vault.Objects, (_, _) => Task.FromResult(access), command.Incoming, command.Outgoing, errand, limits.Room, limit.Token).ConfigureAwait(false);
            }
        }
        catch (BackupException e)
        {
            served = e;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It was cut off, by this side or the other.
        }

        // What the agent has said of its end counts for more than how its line ended.
        if (errand.End is not null)
        {
            return null;
        }

        if (limit.IsCancellationRequested)
        {
            return errand.Refusal ?? RemoteErrors.JobSilent(_host, errand.IsGiven ? limits.Silence : limits.Start);
        }

        return errand.Refusal ?? Explain(await command.EndAsync().ConfigureAwait(false), errand, isStarted, served);
    }

    private BackupException Explain(RemoteCommandEnd end, RemoteErrand errand, bool isStarted, BackupException? served)
    {
        string words = RemoteFacts.Line(end.Error) is { Length: > 0 } said ? said.TrimEnd('.') : "nothing";
        if (!isStarted)
        {
            return RemoteErrors.Unsuitable(
                _host, $"the account's login runs no command with 'sh'; what it said is: {words}", "See that 'ssh HOST sh -c true' works for that account: no forced command in authorized_keys, a login shell, and a shell that is called sh.");
        }

        return (errand.IsGiven, end.ExitCode) switch
        {
            (false, NotFoundCode) => RemoteErrors.AgentGone(_host, words),
            (false, UsageCode) => RemoteErrors.VersionDiffers(_host, $"says: {words}"),
            (false, _) when served is { Id: BackupErrorId.VaultProgramUnusable } => RemoteErrors.VersionDiffers(_host, $"says something else ({served.Message.TrimEnd('.')})"),
            _ => served ?? RemoteErrors.JobLost(_host, $"{(end.ExitCode is { } code ? $"it ended with {code}" : "its line is closed")}, and said: {words}"),
        };
    }

    // A shell's start files may have said something first.
    private static async Task<bool> PassGreetingAsync(Stream incoming, string mark, CancellationToken cancellationToken)
    {
        byte[] wanted = Encoding.ASCII.GetBytes($"\n{mark}\n");
        byte[] one = new byte[1];
        int matched = 0;
        for (int read = 0; read < MostOfGreeting && matched < wanted.Length; read++)
        {
            if (await incoming.ReadAsync(one, cancellationToken).ConfigureAwait(false) == 0)
            {
                return false;
            }

            // Of what is looked for only the first is a line feed, and the last.
            matched = one[0] == wanted[matched] ? matched + 1 : one[0] == wanted[0] ? 1 : 0;
        }

        return matched == wanted.Length;
    }

    // The agent is not believed: the point must lie in the vault, open with the vault's key, be of this machine and of a session that was begun over this line.
    private async Task<RecoveryPoint> ProveAsync(PipeAccess access, RemoteEnding end, CancellationToken cancellationToken)
    {
        string id = $"{end.Point}";
        if (!access.HasBegun(end.Point!.Value))
        {
            throw RemoteErrors.PointMissing(_host, id, "it has not been made over this line");
        }

        try
        {
            return await vault.GetPointAsync(id, order.MachineName, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.RecoveryPointNotFound || e.IsDamage)
        {
            throw RemoteErrors.PointMissing(_host, id, $"the vault does not bear that out: {e.Message.TrimEnd('.')}", e);
        }
    }

    // Whoever watches the vault is told by this machine: the other one may not have come to it.
    private async Task<BackupException?> TellAsync(RemoteBackupOutcome outcome, RunOutcome how)
    {
        var status = new RunStatus
        {
            Machine = order.MachineName,
            Policy = RunStatus.NoPolicy,
            Outcome = how,
            Started = outcome.Started,
            Ended = outcome.Ended,
            Point = outcome.PointId,
            Errors = [.. outcome.LostSources.Select(lost => lost.Failure.Id).Append(outcome.Failure?.Id ?? default).Where(id => id != default).Select(id => id.ToString()).Distinct()],
            Files = outcome.Point?.Sources.Sum(source => source.Manifest.Files) ?? 0,
            Bytes = outcome.Point?.Sources.Sum(source => source.Manifest.Bytes) ?? 0,
            Skipped = outcome.Point?.SkippedCount ?? 0,
            AgentVersion = "",
        };
        using var patience = new CancellationTokenSource(_patienceForStatus, clock);
        try
        {
            await vault.WriteStatusAsync(status, patience.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is BackupException || patience.IsCancellationRequested)
        {
            string why = e is BackupException known ? known.Message : $"The vault has not answered for {_patienceForStatus.TotalSeconds:0} seconds.";
            return new BackupException(
                BackupErrorId.StatusNotWritten, $"Whoever watches the vault could not be told of the backup of '{_host}': {why}", "See to the vault. The backup itself is not the worse for it.", vault.Vault.Location, innerException: e);
        }
    }
}
