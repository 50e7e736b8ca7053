using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>
/// A connection that is given up when somebody waits for it and nothing moves in either direction for too long. One that lies idle in the
/// pool does not fail: nobody waits, or HttpClient listens for its end, and then it is dropped without a word.
/// </summary>
internal sealed class StallGuardedStream : WireStream
{
    private readonly string _peer;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _moved;
    private int _waiting;
    private volatile bool _stalled;

    /// <summary>Guards a connection.</summary>
    /// <param name="inner">The connection; to dispose it ends what waits for it.</param>
    /// <param name="peer">With whom, for the error.</param>
    /// <param name="limit">For how long nothing may move; it is noticed at most a quarter later.</param>
    /// <param name="time">The clock.</param>
    public StallGuardedStream(Stream inner, string peer, TimeSpan limit, TimeProvider time)
        : base(inner)
    {
        _peer = peer;
        _limit = limit;
        _time = time;
        _moved = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((StallGuardedStream)state!).Look(), this, limit / 4, limit / 4);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        Enter();
        try
        {
            read = await Inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_stalled)
        {
            throw Stalled(e);
        }
        finally
        {
            Leave();
        }

        // A socket that is disposed may end the read as if the other side had closed, and HttpClient would ask again by itself.
        return _stalled ? throw Stalled() : read;
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Enter();
        try
        {
            await Inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_stalled)
        {
            throw Stalled(e);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _timer.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Enter()
    {
        Volatile.Write(ref _moved, _time.GetTimestamp());
        Interlocked.Increment(ref _waiting);
    }

    private void Leave()
    {
        Interlocked.Decrement(ref _waiting);
        Volatile.Write(ref _moved, _time.GetTimestamp());
    }

    private void Look()
    {
        if (Volatile.Read(ref _waiting) > 0 && _time.GetElapsedTime(Volatile.Read(ref _moved)) >= _limit)
        {
            _stalled = true;
            Dispose();
        }
    }

    // HttpClient expects IOException of a connection; TransportErrors finds what it holds.
    private IOException Stalled(Exception? cause = null)
    {
        var error = new BackupException(
            BackupErrorId.VaultUnreachable,
            $"The connection to '{_peer}' was given up: nothing was sent or received for {_limit.TotalSeconds:0} seconds.",
            "Check the network between this machine and the vault, and run the job again: what has arrived is used.",
            _peer,
            transient: true,
            cause);
        return new IOException(error.Message, error);
    }
}
