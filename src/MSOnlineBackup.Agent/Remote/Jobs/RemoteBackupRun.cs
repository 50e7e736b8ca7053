using System.Security.Cryptography;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>
/// A backup of this machine that a server has started: the order, the key and the vault are at the other end of standard input and output. The key lies in memory only, and is zeroed
/// when the backup has ended.
/// </summary>
public static class RemoteBackupRun
{
    /// <summary>Asks for the order, carries it out, and tells the server how it ended.</summary>
    /// <param name="incoming">What the server sends.</param>
    /// <param name="outgoing">What it is sent.</param>
    /// <param name="options">The clock, and what the engine takes from outside.</param>
    /// <param name="hold">Takes the right to run a job of this machine: of those of one vault one runs at a time. Gives null where nobody is in the way.</param>
    /// <param name="cancellationToken">Stops it in order; the server is told.</param>
    /// <returns>The point, committed.</returns>
    /// <exception cref="BackupException">There is no point. The server was told, where it is still there.</exception>
    public static async Task<RecoveryPoint> RunAsync(
        Stream incoming,
        Stream outgoing,
        VaultOptions options,
        Func<Vault, string, CancellationToken, Task<IDisposable?>> hold,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(hold);
        var pipe = new OwnPipe(incoming, outgoing);
        int opened = 0;
        using var store = new PipedVaultStore(
            "the vault of the server",
            _ => Interlocked.Exchange(ref opened, 1) == 0 ? Task.FromResult<VaultPipe>(pipe) : throw new BackupException(
                BackupErrorId.VaultUnreachable, "The server that has started this program is gone.", "Have the server start the backup again: what had arrived is used."),
            timeProvider: options.TimeProvider);
        (RemoteOrderMessage order, UnlockedKey key) = await AskAsync(store, cancellationToken).ConfigureAwait(false);
        using (key)
        {
            store.Adopt(order.Location, order.PackSize);
            using var job = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            return await CarryOutAsync(store, order, key, options, hold, new RemoteTeller(store, options.TimeProvider, job), job.Token, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<(RemoteOrderMessage Order, UnlockedKey Key)> AskAsync(PipedVaultStore store, CancellationToken cancellationToken)
    {
        byte[] message = await store.AskForOrderAsync(RemoteHello.Own.Encode(), cancellationToken).ConfigureAwait(false);
        try
        {
            return RemoteOrderMessage.Decode(message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(message);
        }
    }

    private static async Task<RecoveryPoint> CarryOutAsync(
        PipedVaultStore store,
        RemoteOrderMessage order,
        UnlockedKey key,
        VaultOptions options,
        Func<Vault, string, CancellationToken, Task<IDisposable?>> hold,
        RemoteTeller teller,
        CancellationToken job,
        CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task telling = teller.TellProgressAsync(ended.Token);
        try
        {
            BackupResult result = await BackUpAsync(store, order, key, options, hold, teller, job).ConfigureAwait(false);
            await EndTellingAsync(ended, telling).ConfigureAwait(false);
            var end = new RemoteEnding
            {
                Point = result.Point.SessionId,
                NewFiles = result.NewFiles,
                ChangedFiles = result.ChangedFiles,
                UnchangedFiles = result.UnchangedFiles,
                ReadBytes = result.ReadBytes,
                WasResumed = result.ResumedFromSession is not null,
            };
            // The point is there, whoever wants to stop now.
            await teller.TellEndAsync(end, result.LostSources, CancellationToken.None).ConfigureAwait(false);
            return result.Point;
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            await EndTellingAsync(ended, telling).ConfigureAwait(false);
            await TellFailureAsync(teller, e as BackupException).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<BackupResult> BackUpAsync(
        PipedVaultStore store,
        RemoteOrderMessage order,
        UnlockedKey key,
        VaultOptions options,
        Func<Vault, string, CancellationToken, Task<IDisposable?>> hold,
        RemoteTeller teller,
        CancellationToken job)
    {
        BackupRequest request = order.ToRequest(new StateFolder(chosen: null).Path, await FindVaultAsync(order, job).ConfigureAwait(false));
        request.Check();
        Vault vault = await Vault.OpenAsync(store, options, job).ConfigureAwait(false);
        if (vault.VaultId != order.VaultId || vault.CopyId != order.CopyId)
        {
            throw RemoteErrors.NotUnderstood("the vault that is served is not that of the order", null);
        }

        using UnlockedVault unlocked = await vault.UnlockAsync(key, job).ConfigureAwait(false);
        using IDisposable? held = await hold(vault, order.Machine, job).ConfigureAwait(false);
        return await unlocked.BackUpAsync(request, teller.Monitor, job).ConfigureAwait(false);
    }

    // A server that backs itself up has the vault among its own folders: it must not go into itself.
    private static async Task<IReadOnlyList<string>> FindVaultAsync(RemoteOrderMessage order, CancellationToken cancellationToken)
    {
        if (!Path.IsPathFullyQualified(order.Location))
        {
            return [];
        }

        try
        {
            VaultHeader header = await VaultHeader.ReadAsync(new FolderVaultStore(order.Location), cancellationToken).ConfigureAwait(false);
            return (header.VaultId, header.Copy) == (order.VaultId, order.CopyId) ? [order.Location] : [];
        }
        catch (BackupException)
        {
            // What this account cannot read as the vault is not there for it.
            return [];
        }
    }

    // Whatever ended the job is told by what is thrown; that nobody hears it any more is no news then.
    private static async Task TellFailureAsync(RemoteTeller teller, BackupException? failure)
    {
        var end = new RemoteEnding { Failure = failure is null ? null : RemoteSaying.Of(RemoteSayingKind.Warning, failure) };
        try
        {
            await teller.TellEndAsync(end, [], CancellationToken.None).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            // The server is gone.
        }
    }

    private static async Task EndTellingAsync(CancellationTokenSource ended, Task telling)
    {
        await ended.CancelAsync().ConfigureAwait(false);
        await telling.ConfigureAwait(false);
    }

    /// <summary>The ends of this process's own pipe.</summary>
    private sealed class OwnPipe(Stream incoming, Stream outgoing) : VaultPipe
    {
        public override Stream Incoming => incoming;

        public override Stream Outgoing => outgoing;

        protected override void Dispose(bool disposing)
        {
            incoming.Dispose();
            outgoing.Dispose();
        }
    }
}
