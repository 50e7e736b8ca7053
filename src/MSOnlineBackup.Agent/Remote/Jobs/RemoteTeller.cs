using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>Tells the server how far a job of this machine is, and hears whether it is to stop. Where the server answers no more, the job is stopped, too: nobody would take what it sends.</summary>
internal sealed class RemoteTeller
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private readonly PipedVaultStore _store;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _job;
    private readonly ConcurrentQueue<RemoteSaying> _sayings = [];

    /// <param name="store">The server.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="job">Stops the job.</param>
    public RemoteTeller(PipedVaultStore store, TimeProvider clock, CancellationTokenSource job)
    {
        (_store, _clock, _job) = (store, clock, job);
        Monitor = new JobMonitor
        {
            WantsTotals = true,
            Warned = warning => _sayings.Enqueue(RemoteSaying.Of(RemoteSayingKind.Warning, warning)),
            VaultDamaged = damage => _sayings.Enqueue(RemoteSaying.Of(RemoteSayingKind.Warning, damage)),
            Noted = note => _sayings.Enqueue(new RemoteSaying(RemoteSayingKind.Note, RemoteFacts.Line(note))),
        };
    }

    /// <summary>What the job counts by.</summary>
    public JobMonitor Monitor { get; }

    /// <summary>Tells how far it is, once a second, until it is cancelled.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task TellProgressAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(_interval, _clock, cancellationToken).ConfigureAwait(false);
                await SayAsync(new RemoteNotice { Progress = Monitor.Snapshot() with { Wait = null }, Sayings = Take() }, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The job has ended.
        }
        catch (BackupException)
        {
            // The job finds that out by itself, and says why; where it just reads, it need not go on.
            await _job.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Tells what is left to tell, and how the job ended.</summary>
    /// <exception cref="BackupException">Nobody is there any more.</exception>
    public async Task TellEndAsync(RemoteEnding end, IReadOnlyList<LostSource> lost, CancellationToken cancellationToken)
    {
        foreach (LostSource source in lost)
        {
            _sayings.Enqueue(RemoteSaying.Of(RemoteSayingKind.Lost, source.Failure, source.Name));
        }

        while (!_sayings.IsEmpty)
        {
            await SayAsync(new RemoteNotice { Sayings = Take() }, cancellationToken).ConfigureAwait(false);
        }

        await SayAsync(new RemoteNotice { Progress = Monitor.Snapshot() with { Wait = null }, End = end }, cancellationToken).ConfigureAwait(false);
    }

    private async Task SayAsync(RemoteNotice notice, CancellationToken cancellationToken)
    {
        try
        {
            byte[] answer = await _store.TellAsync(notice.Encode(), cancellationToken).WaitAsync(RemoteBackups.LongestSilence, _clock, cancellationToken).ConfigureAwait(false);
            if (RemoteErrand.AsksToStop(answer))
            {
                await _job.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (TimeoutException e)
        {
            throw new BackupException(
                BackupErrorId.VaultUnreachable, $"The server of '{_store.Location}' has not answered for {RemoteBackups.LongestSilence.TotalSeconds:0} seconds.", "Run the backup again.", innerException: e);
        }
    }

    private List<RemoteSaying> Take()
    {
        var taken = new List<RemoteSaying>();
        while (taken.Count < RemoteNotice.MostSayings && _sayings.TryDequeue(out RemoteSaying? saying))
        {
            taken.Add(saying);
        }

        return taken;
    }
}
