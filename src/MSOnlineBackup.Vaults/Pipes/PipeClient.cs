using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>One connection, from its greeting to its end, as the side sees it that asks. Calls may be made concurrently.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Semaphores whose wait handles nobody asks for hold nothing; the pipe is disposed of at the end.")]
internal sealed class PipeClient
{
    // A listing may be read while other calls are made for each of its objects: neither takes the other's place.
    public const int MostCalls = 64;
    public const int MostListings = 64;
    private const int PagesAhead = 2;

    /// <summary>How long the other side has for its greeting: for a login, by way of other machines, and the start of a program.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    // More than any way takes to say why it ended.
    private static readonly TimeSpan _longestExplanation = TimeSpan.FromSeconds(15);

    private readonly VaultPipe _pipe;
    private readonly string _location;
    private readonly TimeProvider _clock;
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly ConcurrentDictionary<uint, PipeCall> _calls = new();
    private readonly SemaphoreSlim _slots = new(MostCalls);
    private readonly SemaphoreSlim _listings = new(MostListings);
    private readonly TaskCompletionSource<BackupException> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _lastCall;
    private int _isEnding;
    private bool _isExplained;

    private PipeClient(VaultPipe pipe, string location, TimeProvider clock)
    {
        (_pipe, _location, _clock) = (pipe, location, clock);
        (_reader, _writer) = (new PipeReader(pipe.Incoming), new PipeWriter(pipe.Outgoing));
    }

    /// <summary>Whether it has ended: every further call fails.</summary>
    public bool IsOver => Volatile.Read(ref _isEnding) != 0;

    /// <summary>Opens the vault at the other end.</summary>
    /// <param name="pipe">The way there; disposed of at the end of the connection.</param>
    /// <param name="location">The vault, for messages.</param>
    /// <param name="creates">Whether its place is to be made for a new vault.</param>
    /// <param name="clock">By which the other side has to answer.</param>
    /// <param name="cancellationToken">Ends the pipe.</param>
    /// <exception cref="BackupException">VaultUnreachable, VaultProgramUnusable, what the way knows, what opening the store says.</exception>
    public static async Task<PipeClient> OpenAsync(VaultPipe pipe, string location, bool creates, TimeProvider clock, CancellationToken cancellationToken)
    {
        var client = new PipeClient(pipe, location, clock);
        _ = Task.Run(() => client.RunAsync(creates), CancellationToken.None);
        try
        {
            Task first = await Task.WhenAny(client._opened.Task, client._end.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (first == client._end.Task)
            {
                throw await client._end.Task.ConfigureAwait(false);
            }

            return client;
        }
        catch (OperationCanceledException)
        {
            client.Close();
            throw;
        }
    }

    /// <summary>Ends it; calls that are under way fail.</summary>
    public void Close() => _pipe.Dispose();

    /// <summary>Makes a call that is one frame.</summary>
    /// <param name="request">The call.</param>
    /// <param name="destination">Where what is read goes.</param>
    /// <param name="cancellationToken">Ends the wait; the server is told.</param>
    /// <returns>The body of the answer, and how many bytes were read.</returns>
    public async Task<(byte[] Answer, int Received)> CallAsync(PipeRequest request, Memory<byte> destination, CancellationToken cancellationToken)
    {
        (uint id, PipeCall call) = await BeginAsync(request, _slots, destination, cancellationToken).ConfigureAwait(false);
        byte[] answer = await WaitAsync(id, call, call.Answer, cancellationToken).ConfigureAwait(false);
        return (answer, call.Received);
    }

    /// <summary>Creates an object.</summary>
    public async Task<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, VaultAccessTier tier, CancellationToken cancellationToken)
    {
        bool isSmall = content.Length <= PipeRequest.MostInline;
        var request = new PipeRequest(PipeFrameKind.Create, name, Length: content.Length, Tier: tier, Content: isSmall ? content.ToArray() : null);
        (uint id, PipeCall call) = await BeginAsync(request, _slots, default, cancellationToken).ConfigureAwait(false);
        if (!isSmall)
        {
            await WaitAsync(id, call, call.Room, cancellationToken).ConfigureAwait(false);
            for (int sent = 0; sent < content.Length && !call.Answer.IsCompleted; sent += PipeFrame.MostBody)
            {
                ReadOnlyMemory<byte> part = content[sent..Math.Min(content.Length, sent + PipeFrame.MostBody)];
                await WaitAsync(id, call, SendAsync(PipeFrameKind.Data, id, part, cancellationToken), cancellationToken, mayLeave: false).ConfigureAwait(false);
            }
        }

        byte[] answer = await WaitAsync(id, call, call.Answer, cancellationToken).ConfigureAwait(false);
        return new PipeBodyReader(answer).Byte() != 0;
    }

    /// <summary>Lists objects.</summary>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (uint id, PipeCall call) = await BeginAsync(new PipeRequest(PipeFrameKind.List, prefix), _listings, default, cancellationToken).ConfigureAwait(false);
        try
        {
            await foreach (IReadOnlyList<StoredObject> page in call.Pages.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                call.ExpectPage();
                await SendAsync(PipeFrameKind.Grant, id, default, cancellationToken).ConfigureAwait(false);
                foreach (StoredObject found in page)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return found;
                }
            }
        }
        finally
        {
            Leave(id, call);
        }

        await call.Answer.ConfigureAwait(false);
    }

    private async Task<(uint Id, PipeCall Call)> BeginAsync(PipeRequest request, SemaphoreSlim slots, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        var call = new PipeCall(slots, destination) { IsSecret = request.Kind == PipeFrameKind.Order };
        if (request.Kind == PipeFrameKind.List)
        {
            for (int i = 0; i < PagesAhead; i++)
            {
                call.ExpectPage();
            }
        }

        uint id;
        do
        {
            id = Interlocked.Increment(ref _lastCall);
        }
        while (id == 0 || !_calls.TryAdd(id, call));

        // Whoever ends the connection first says so, then looks for calls: one of both finds this one.
        if (IsOver)
        {
            BackupException end = await _end.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_calls.TryRemove(id, out _))
            {
                call.Fail(end);
            }

            await call.Answer.ConfigureAwait(false);
        }

        try
        {
            await SendAsync(request.Kind, id, request.Encode(), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It waited for its turn, so nothing was sent.
            if (_calls.TryRemove(id, out _))
            {
                slots.Release();
            }

            throw;
        }

        return (id, call);
    }

    // What is left is still answered by the server; its place is free when that has come.
    private async Task<byte[]> WaitAsync(uint id, PipeCall call, Task<byte[]> wait, CancellationToken cancellationToken)
    {
        await WaitAsync(id, call, (Task)wait, cancellationToken).ConfigureAwait(false);
        return await wait.ConfigureAwait(false);
    }

    private async Task WaitAsync(uint id, PipeCall call, Task wait, CancellationToken cancellationToken, bool mayLeave = true)
    {
        try
        {
            await (mayLeave ? wait.WaitAsync(cancellationToken) : wait).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Leave(id, call);
            throw;
        }
    }

    private void Leave(uint id, PipeCall call)
    {
        call.Abandon();
        if (!call.Answer.IsCompleted)
        {
            _ = SendAsync(PipeFrameKind.Cancel, id, default, CancellationToken.None);
        }
    }

    // A broken pipe is told by the answer of each call, which fails then.
    [SuppressMessage("Design", "CA1031", Justification = "Whatever keeps a frame from being written ends the connection, and is told to all who wait for it.")]
    private async Task SendAsync(PipeFrameKind kind, uint id, ReadOnlyMemory<byte> body, CancellationToken turn)
    {
        try
        {
            await _writer.WriteAsync(kind, id, body, turn).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await EndAsync(PipeErrors.Broken(_location, e)).ConfigureAwait(false);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever ends the connection is told to all who wait for it.")]
    private async Task RunAsync(bool creates)
    {
        BackupException end;
        try
        {
            await GreetAsync(creates).ConfigureAwait(false);
            while (await _reader.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } frame)
            {
                Take(frame);
            }

            end = PipeErrors.Broken(_location);
        }
        catch (BackupException e)
        {
            end = e;
        }
        catch (Exception e)
        {
            end = PipeErrors.Broken(_location, e);
        }

        await EndAsync(end).ConfigureAwait(false);
    }

    // A read of a pipe cannot be ended otherwise than with the pipe, which is disposed of then.
    private async Task GreetAsync(bool creates)
    {
        Task greeting = ExchangeAsync();
        try
        {
            await greeting.WaitAsync(LongestSilence, _clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _ = greeting.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            _isExplained = true;
            throw PipeErrors.Silent(_location, LongestSilence);
        }

        async Task ExchangeAsync()
        {
            // What has ended already takes nothing any more, but may have said something first, which tells more.
            IOException? unsent = null;
            try
            {
                await _writer.WriteGreetingAsync(CancellationToken.None).ConfigureAwait(false);
                await _writer.WriteAsync(PipeFrameKind.Open, 0, new[] { (byte)(creates ? 1 : 0) }, CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                unsent = e;
            }

            await _reader.ReadGreetingAsync(CancellationToken.None).ConfigureAwait(false);
            if (unsent is not null)
            {
                throw new IOException(unsent.Message, unsent);
            }
        }
    }

    private void Take(PipeFrame frame)
    {
        if (frame.Call == 0)
        {
            if (frame.Kind == PipeFrameKind.Failed)
            {
                BackupException said = PipeErrors.Told(_location, PipeAnswer.Decode(frame.Body.Span));
                _isExplained = true;
                throw said;
            }

            if (frame.Kind != PipeFrameKind.Opened || !_opened.TrySetResult())
            {
                throw PipeErrors.Garbled("a frame that nobody waits for");
            }
        }
        else if (frame.Kind is PipeFrameKind.Done or PipeFrameKind.Failed)
        {
            if (!_calls.TryRemove(frame.Call, out PipeCall? call))
            {
                throw PipeErrors.Garbled("an answer that nobody waits for");
            }

            if (frame.Kind == PipeFrameKind.Failed)
            {
                call.Fail(PipeErrors.Told(_location, PipeAnswer.Decode(frame.Body.Span)));
            }
            else
            {
                byte[] answer = frame.Body.ToArray();
                if (call.IsSecret)
                {
                    CryptographicOperations.ZeroMemory(MemoryMarshal.AsMemory(frame.Body).Span);
                }

                call.Complete(answer);
            }
        }
        else if (_calls.TryGetValue(frame.Call, out PipeCall? call))
        {
            call.Take(frame);
        }
        else
        {
            throw PipeErrors.Garbled("a frame that nobody waits for");
        }
    }

    // Once; the way is asked before anybody is told, for it may know more than that a pipe broke. Whatever becomes of that, all are told.
    private async Task EndAsync(BackupException end)
    {
        if (Interlocked.Exchange(ref _isEnding, 1) != 0)
        {
            return;
        }

        BackupException told = end;
        try
        {
            told = await ExplainAsync(end).ConfigureAwait(false);
        }
        finally
        {
            _end.TrySetResult(told);
            foreach (uint id in _calls.Keys)
            {
                if (_calls.TryRemove(id, out PipeCall? call))
                {
                    call.Fail(told);
                }
            }

            _pipe.Dispose();
        }
    }

    // What the server itself said needs no explanation, and that it said nothing has none. What cannot be explained is told as itself, with what kept it
    // from being explained.
    [SuppressMessage("Design", "CA1031", Justification = "It goes with what is told.")]
    private async Task<BackupException> ExplainAsync(BackupException end)
    {
        if (_isExplained)
        {
            return end;
        }

        try
        {
            return await _pipe.ExplainAsync(end, _opened.Task.IsCompleted).WaitAsync(_longestExplanation, _clock).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return PipeErrors.Unexplained(end, e);
        }
    }
}
