using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>Serves a vault to one peer over a pipe, within what the peer may do, until the pipe ends.</summary>
/// <remarks>
/// Nothing that the peer sends is trusted. Its frames are bounded, so are the calls that it may have under way and the contents that may be on their way to
/// the vault: what the server takes does not depend on the peer.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "What it has to dispose of it disposes of at the end of serving, which is all it does.")]
public sealed class PipedVaultServer
{
    /// <summary>The largest object that is taken, in bytes: more than any that a vault has (64 MiB).</summary>
    public const int MostContent = 65 << 20;

    /// <summary>Contents on their way into the vault, all together, in bytes.</summary>
    internal const int UsualRoom = 64 << 20;

    private const int MostCalls = PipeClient.MostCalls + PipeClient.MostListings;

    private readonly Func<bool, IVaultStore> _open;
    private readonly Func<IVaultStore, CancellationToken, Task<PipeAccess>> _admit;
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly RoomForContent _room;
    private readonly IPipeErrand? _errand;
    private readonly ConcurrentDictionary<uint, ServedCall> _calls = new();
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private IVaultStore? _store;
    private PipeAccess? _access;
    private int _isOrderGiven;

    private PipedVaultServer(Func<bool, IVaultStore> open, Func<IVaultStore, CancellationToken, Task<PipeAccess>> admit, Stream incoming, Stream outgoing, IPipeErrand? errand, int room)
    {
        (_open, _admit, _errand, _room) = (open, admit, errand, new RoomForContent(room));
        (_reader, _writer) = (new PipeReader(incoming), new PipeWriter(outgoing));
    }

    /// <summary>Serves until the peer ends the pipe, or it breaks.</summary>
    /// <param name="open">Opens the store, or, where true, makes its place for a new vault.</param>
    /// <param name="admit">Says what the peer may do.</param>
    /// <param name="incoming">What the peer sends.</param>
    /// <param name="outgoing">What it is sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">What kept the store from being opened, which the peer was told, too; VaultProgramUnusable where the peer is not ours.</exception>
    public static Task ServeAsync(
        Func<bool, IVaultStore> open,
        Func<IVaultStore, CancellationToken, Task<PipeAccess>> admit,
        Stream incoming,
        Stream outgoing,
        CancellationToken cancellationToken) => ServeAsync(open, admit, incoming, outgoing, errand: null, UsualRoom, cancellationToken);

    /// <summary>The same for a peer that this side has started.</summary>
    /// <param name="open">As before.</param>
    /// <param name="admit">As before.</param>
    /// <param name="incoming">As before.</param>
    /// <param name="outgoing">As before.</param>
    /// <param name="errand">What the peer is to do; null where it does as it likes.</param>
    /// <param name="room">How many bytes of contents may be on their way into the vault at once. What is larger has all of it alone.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">As before.</exception>
    internal static async Task ServeAsync(
        Func<bool, IVaultStore> open,
        Func<IVaultStore, CancellationToken, Task<PipeAccess>> admit,
        Stream incoming,
        Stream outgoing,
        IPipeErrand? errand,
        int room,
        CancellationToken cancellationToken)
    {
        var server = new PipedVaultServer(open, admit, incoming, outgoing, errand, room);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await server.RunAsync(stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EndOfStreamException or IOException or ObjectDisposedException)
        {
            // The peer has gone, or was cut off: what it had created whole is there, and nothing else.
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(server._running.Keys).ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await _writer.WriteGreetingAsync(stop).ConfigureAwait(false);
            await _reader.ReadGreetingAsync(stop).ConfigureAwait(false);
            await OpenAsync(stop).ConfigureAwait(false);
            while (await _reader.ReadAsync(stop).ConfigureAwait(false) is { } frame)
            {
                Take(frame, stop);
            }
        }
        catch (BackupException e)
        {
            await TryTellAsync(e, stop).ConfigureAwait(false);
            throw;
        }
    }

    // Where the peer has gone already, the caller at least knows.
    private async Task TryTellAsync(BackupException failure, CancellationToken stop)
    {
        try
        {
            await _writer.WriteAsync(PipeFrameKind.Failed, 0, PipeAnswer.Encode(failure), stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It hears nothing any more.
        }
    }

    private async Task OpenAsync(CancellationToken stop)
    {
        if (await _reader.ReadAsync(stop).ConfigureAwait(false) is not { } frame)
        {
            throw new EndOfStreamException();
        }

        if (frame is not { Kind: PipeFrameKind.Open, Body.Length: 1 })
        {
            throw PipeErrors.Garbled("something before it opened the vault");
        }

        bool creates = frame.Body.Span[0] == 1;
        if (creates)
        {
            // Who is limited to machines of a vault needs one: then the header is read, and says that there is none.
            _store = _open(true);
            _access = await _admit(_store, stop).ConfigureAwait(false);
            if (!_access.MayMakeVault)
            {
                throw PipeErrors.Refused("create", _store.Location, "it may only add to a vault");
            }
        }
        else
        {
            _store = _open(false);
            _access = await _admit(_store, stop).ConfigureAwait(false);
        }

        await _writer.WriteAsync(PipeFrameKind.Opened, 0, default, stop).ConfigureAwait(false);
    }

    private void Take(PipeFrame frame, CancellationToken stop)
    {
        switch (frame.Kind)
        {
            // What comes for a call that has failed meanwhile was under way.
            case PipeFrameKind.Data or PipeFrameKind.Grant or PipeFrameKind.Cancel:
                if (_calls.TryGetValue(frame.Call, out ServedCall? known))
                {
                    TakeMore(known, frame);
                }

                break;
            case PipeFrameKind.Create or PipeFrameKind.Read or PipeFrameKind.Stat or PipeFrameKind.List or PipeFrameKind.Delete or PipeFrameKind.Measure
                or PipeFrameKind.Order or PipeFrameKind.Tell:
                Begin(frame, stop);
                break;
            default:
                throw PipeErrors.Garbled("a frame that is for its own side");
        }
    }

    private static void TakeMore(ServedCall call, PipeFrame frame)
    {
        try
        {
            switch (frame.Kind)
            {
                case PipeFrameKind.Data:
                    call.Take(frame.Body.Span);
                    break;
                case PipeFrameKind.Grant:
                    call.Grant();
                    break;
                default:
                    call.Cancel();
                    break;
            }
        }
        catch (ObjectDisposedException)
        {
            // It was answered between being found and being told.
        }
    }

    private void Begin(PipeFrame frame, CancellationToken stop)
    {
        if (frame.Call == 0 || _calls.Count >= MostCalls)
        {
            throw PipeErrors.Garbled("more calls than may be under way");
        }

        PipeRequest? request = null;
        BackupException? refused = null;
        try
        {
            request = PipeRequest.Decode(frame.Kind, frame.Body.Span);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultAccessDenied)
        {
            refused = e;
        }

        var call = new ServedCall(request ?? new PipeRequest(frame.Kind), stop);
        if (!_calls.TryAdd(frame.Call, call))
        {
            call.Dispose();
            throw PipeErrors.Garbled("a call that is under way already");
        }

        uint id = frame.Call;
        Task running = Task.Run(() => AnswerAsync(id, call, refused), CancellationToken.None);
        _running.TryAdd(running, true);
        _ = running.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a call fails with is its peer's to know, and no other call's.")]
    private async Task AnswerAsync(uint id, ServedCall call, BackupException? refused)
    {
        (PipeFrameKind Kind, byte[] Body) answer;
        try
        {
            answer = (PipeFrameKind.Done, refused is null ? await CarryOutAsync(id, call).ConfigureAwait(false) : throw refused);
        }
        catch (BackupException e)
        {
            answer = (PipeFrameKind.Failed, PipeAnswer.Encode(e));
        }
        catch (OperationCanceledException)
        {
            answer = (PipeFrameKind.Failed, PipeAnswer.Encode(PipeErrors.Broken(_store!.Location)));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Of the pipe: those of the vault are told otherwise. The reader finds its end.
            answer = (PipeFrameKind.Failed, PipeAnswer.Encode(PipeErrors.Broken(_store!.Location, e)));
        }
        catch (Exception e)
        {
            answer = (PipeFrameKind.Failed, PipeAnswer.Encode(new BackupException(
                BackupErrorId.UnexpectedError, $"An unexpected error occurred where the vault is: {e.Message}", "This is a bug, not a mistake of yours. Report what it says.")));
        }

        bool isSecret = call.Request.Kind == PipeFrameKind.Order;

        // First it is free, then the peer knows: it may use the place at once.
        _calls.TryRemove(id, out _);
        call.Dispose();
        try
        {
            await _writer.WriteAsync(answer.Kind, id, answer.Body, CancellationToken.None, isSecret).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The peer has gone, and the reader finds that, too.
        }
        finally
        {
            if (isSecret)
            {
                CryptographicOperations.ZeroMemory(answer.Body);
            }
        }
    }

    private async Task<byte[]> CarryOutAsync(uint id, ServedCall call)
    {
        PipeRequest request = call.Request;
        (IVaultStore store, PipeAccess access) = (_store!, _access!);
        switch (request.Kind)
        {
            case PipeFrameKind.Create:
                access.CheckCreate(request.Name);
                bool created = await CreateAsync(id, call, store).ConfigureAwait(false);
                if (created)
                {
                    access.NoteCreated(request.Name);
                }

                return [(byte)(created ? 1 : 0)];
            case PipeFrameKind.Read:
                access.CheckRead(request.Name);
                await ReadAsync(id, call, store).ConfigureAwait(false);
                return [];
            case PipeFrameKind.Stat:
                access.CheckRead(request.Name);
                var facts = new PipeBodyWriter();
                if (await store.StatAsync(request.Name, call.Stop).ConfigureAwait(false) is { } found)
                {
                    PipeAnswer.Encode(facts, found);
                }

                return facts.ToArray();
            case PipeFrameKind.List:
                await ListAsync(id, call, store, access).ConfigureAwait(false);
                return [];
            case PipeFrameKind.Delete:
                access.CheckDelete(request.Name);
                await store.DeleteAsync(request.Name, call.Stop).ConfigureAwait(false);
                return [];
            case PipeFrameKind.Order:
                return _errand is null || Interlocked.Exchange(ref _isOrderGiven, 1) != 0 ? throw PipeErrors.NoOrder() : _errand.Give(request.Content);
            case PipeFrameKind.Tell:
                return _errand is null ? throw PipeErrors.NoOrder() : _errand.Hear(request.Content);
            default:
                UnfinishedWrites unfinished = await store.MeasureUnfinishedAsync(call.Stop).ConfigureAwait(false);
                return new PipeBodyWriter().Number(unfinished.Count).Number(unfinished.Bytes).ToArray();
        }
    }

    private async Task<bool> CreateAsync(uint id, ServedCall call, IVaultStore store)
    {
        PipeRequest request = call.Request;
        if (request.Content is { } small)
        {
            return await store.TryCreateAsync(request.Name, small, call.Stop, request.Tier).ConfigureAwait(false);
        }

        if (request.Length > MostContent)
        {
            throw PipeErrors.TooLarge(request.Name, request.Length);
        }

        int taken = await _room.TakeAsync((int)request.Length, call.Stop).ConfigureAwait(false);
        try
        {
            byte[] content = call.Expect();
            await _writer.WriteAsync(PipeFrameKind.Grant, id, default, call.Stop).ConfigureAwait(false);
            await call.WholeAsync().ConfigureAwait(false);
            return await store.TryCreateAsync(request.Name, content, call.Stop, request.Tier).ConfigureAwait(false);
        }
        finally
        {
            _room.Give(taken);
        }
    }

    // Piece by piece, so that what is kept does not depend on what is asked for. An object never changes.
    private async Task ReadAsync(uint id, ServedCall call, IVaultStore store)
    {
        PipeRequest request = call.Request;
        byte[] piece = ArrayPool<byte>.Shared.Rent((int)Math.Min(request.Length, PipeFrame.MostBody));
        try
        {
            long done = 0;
            int read;
            do
            {
                int wanted = (int)Math.Min(request.Length - done, PipeFrame.MostBody);
                read = request.Offset > long.MaxValue - done ? 0
                    : await store.ReadAsync(request.Name, request.Offset + done, piece.AsMemory(0, wanted), call.Stop).ConfigureAwait(false);
                if (read > 0)
                {
                    await _writer.WriteAsync(PipeFrameKind.Data, id, piece.AsMemory(0, read), call.Stop).ConfigureAwait(false);
                }

                done += read;
                if (read < wanted)
                {
                    break;
                }
            }
            while (done < request.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private async Task ListAsync(uint id, ServedCall call, IVaultStore store, PipeAccess access)
    {
        var page = new PipeBodyWriter();
        await foreach (StoredObject found in store.ListAsync(call.Request.Name, call.Stop).ConfigureAwait(false))
        {
            if (!access.Shows(found.Name))
            {
                continue;
            }

            if (!PipeAnswer.HasRoom(page))
            {
                await SendPageAsync(id, call, page).ConfigureAwait(false);
                page = new PipeBodyWriter();
            }

            PipeAnswer.Encode(page, found);
        }

        if (page.Length > 0)
        {
            await SendPageAsync(id, call, page).ConfigureAwait(false);
        }
    }

    private async Task SendPageAsync(uint id, ServedCall call, PipeBodyWriter page)
    {
        await call.NextPageAsync().ConfigureAwait(false);
        await _writer.WriteAsync(PipeFrameKind.Page, id, page.ToArray(), call.Stop).ConfigureAwait(false);
    }
}
