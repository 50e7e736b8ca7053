using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>
/// A vault that another process has, which is asked by frames over a pipe (docs/store-protocol.md). The pipe is opened by the first call, and again by the
/// first call after it broke; calls that were under way then fail as VaultUnreachable, which may be tried again.
/// </summary>
/// <remarks>Nothing that the process at the other end says is trusted: it is to the engine as the bytes of a vault are.</remarks>
public sealed class PipedVaultStore : IVaultStore, IDisposable
{
    private readonly Func<CancellationToken, Task<VaultPipe>> _open;
    private readonly bool _creates;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private PipeClient? _client;
    private bool _wasOpen;

    /// <summary>Nothing is started yet.</summary>
    /// <param name="location">The vault as the user wrote it.</param>
    /// <param name="open">Opens a pipe to a server.</param>
    /// <param name="creates">Whether the first call makes the vault's place: for a new vault.</param>
    /// <param name="timeProvider">The clock by which a server has to answer; null for the system's.</param>
    public PipedVaultStore(string location, Func<CancellationToken, Task<VaultPipe>> open, bool creates = false, TimeProvider? timeProvider = null) =>
        (Location, _open, _creates, _clock) = (location, open, creates, timeProvider ?? TimeProvider.System);

    /// <summary>Stores are not closed by those who use them: the program at the other end goes when nobody has the store any more, or with this process.</summary>
    ~PipedVaultStore() => _client?.Close();

    /// <inheritdoc/>
    public string Location { get; private set; }

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities { get; private set; } = new(PackSize: 16 << 20, MaxConcurrency: 8);

    /// <inheritdoc/>
    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        ObjectName.ThrowIfInvalid(name);
        if (content.Length > PipedVaultServer.MostContent)
        {
            throw PipeErrors.TooLarge(name, content.Length);
        }

        PipeClient client = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        bool created = await client.CreateAsync(name, content, tier, cancellationToken).ConfigureAwait(false);
        GC.KeepAlive(this);
        return created;
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        (_, int received) = await CallAsync(new PipeRequest(PipeFrameKind.Read, name, offset, destination.Length), destination, cancellationToken).ConfigureAwait(false);
        return received;
    }

    /// <inheritdoc/>
    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        (byte[] answer, _) = await CallAsync(new PipeRequest(PipeFrameKind.Stat, name), default, cancellationToken).ConfigureAwait(false);
        return PipeAnswer.DecodePage(answer) switch
        {
            [] => null,
            [var found] when found.Name == name => found,
            _ => throw PipeErrors.Garbled("facts of another object"),
        };
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        return ListFromAsync(prefix, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        await CallAsync(new PipeRequest(PipeFrameKind.Delete, name), default, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken)
    {
        (byte[] answer, _) = await CallAsync(new PipeRequest(PipeFrameKind.Measure), default, cancellationToken).ConfigureAwait(false);
        var reader = new PipeBodyReader(answer);
        return new UnfinishedWrites((int)Math.Clamp(reader.Number(), 0, int.MaxValue), Math.Max(0, reader.Number()));
    }

    /// <summary>Takes what an order says of the vault.</summary>
    internal void Adopt(string location, int packSize) => (Location, Capabilities) = (location, Capabilities with { PackSize = packSize });

    /// <summary>Asks the server that has started this program what is to be done.</summary>
    /// <param name="said">What it is told of this side.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The order. A key may be among it, and whoever has read it zeroes it.</returns>
    /// <exception cref="BackupException">VaultAccessDenied: it has none; VaultUnreachable, VaultProgramUnusable, …</exception>
    internal async Task<byte[]> AskForOrderAsync(byte[] said, CancellationToken cancellationToken) =>
        (await CallAsync(new PipeRequest(PipeFrameKind.Order, Content: said), default, cancellationToken).ConfigureAwait(false)).Answer;

    /// <summary>Tells that server how far this side is, or how it ended.</summary>
    /// <returns>What it answers.</returns>
    /// <exception cref="BackupException">VaultUnreachable, …</exception>
    internal async Task<byte[]> TellAsync(byte[] said, CancellationToken cancellationToken) =>
        (await CallAsync(new PipeRequest(PipeFrameKind.Tell, Content: said), default, cancellationToken).ConfigureAwait(false)).Answer;

    /// <summary>Ends the pipe; calls that are under way fail.</summary>
    public void Dispose()
    {
        _client?.Close();
        GC.SuppressFinalize(this);
    }

    private async Task<(byte[] Answer, int Received)> CallAsync(PipeRequest request, Memory<byte> destination, CancellationToken cancellationToken)
    {
        PipeClient client = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        (byte[] Answer, int Received) done = await client.CallAsync(request, destination, cancellationToken).ConfigureAwait(false);
        GC.KeepAlive(this);
        return done;
    }

    private async IAsyncEnumerable<StoredObject> ListFromAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        PipeClient client = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        await foreach (StoredObject found in client.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            yield return found;
        }

        GC.KeepAlive(this);
    }

    private async ValueTask<PipeClient> ConnectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _client) is { IsOver: false } ready)
        {
            return ready;
        }

        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_client is { IsOver: false } meanwhile)
            {
                return meanwhile;
            }

            VaultPipe pipe = await _open(cancellationToken).ConfigureAwait(false);
            PipeClient opened = await PipeClient.OpenAsync(pipe, Location, _creates && !_wasOpen, _clock, cancellationToken).ConfigureAwait(false);
            _wasOpen = true;
            Volatile.Write(ref _client, opened);
            return opened;
        }
        finally
        {
            _opening.Release();
        }
    }
}
