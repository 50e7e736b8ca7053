using System.Buffers;
using System.Net.Sockets;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>
/// A client's connection: several of its commands are carried out at a time, and answered as they are done. What is damaged is an error of the command that asks for it.
/// </summary>
/// <param name="export">The disk.</param>
/// <param name="places">One for each client that has the disk.</param>
/// <param name="large">Commands that need as much memory as the client asks for, of all connections, take turns.</param>
/// <param name="report">Is told of what of the vault cannot be read.</param>
internal sealed class NbdConnection(NbdExport export, SemaphoreSlim places, SemaphoreSlim large, Action<Exception> report)
{
    private const int MostAtATime = 8;
    private const int PieceLength = 256 << 10;
    private const int MostExtents = 1024;

    public async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            socket.NoDelay = true;
        }

        await using var stream = new NetworkStream(socket);
        var handshake = new NbdHandshake(stream, export, places);
        try
        {
            if (await handshake.RunAsync(cancellationToken).ConfigureAwait(false))
            {
                await ServeAsync(stream, handshake, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (handshake.HasPlace)
            {
                places.Release();
            }
        }
    }

    private async Task ServeAsync(Stream stream, NbdHandshake handshake, CancellationToken cancellationToken)
    {
        using var replies = new NbdReplies(stream, handshake.IsStructured);
        using var room = new SemaphoreSlim(MostAtATime);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task>();
        try
        {
            await ReadCommandsAsync(stream, handshake, replies, room, running, stop.Token).ConfigureAwait(false);
        }
        catch
        {
            // What is under way can reach nobody.
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task ReadCommandsAsync(Stream stream, NbdHandshake handshake, NbdReplies replies, SemaphoreSlim room, List<Task> running, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[NbdRequest.EncodedLength];
        while (true)
        {
            await stream.ReadExactlyAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (NbdRequest.Read(buffer) is not { } request || request.Command == NbdCommand.Disconnect)
            {
                return;
            }

            if (request.Command == NbdCommand.Write)
            {
                if (request.Length > NbdProtocol.MaxRequest)
                {
                    // Nobody reads all that only to refuse it.
                    return;
                }

                await NbdStream.SkipAsync(stream, request.Length, cancellationToken).ConfigureAwait(false);
            }

            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
            running.RemoveAll(static task => task.IsCompletedSuccessfully);
            if (running.Find(static task => task.IsFaulted || task.IsCanceled) is { } failed)
            {
                await failed.ConfigureAwait(false);
            }

            running.Add(Task.Run(
                async () =>
                {
                    try
                    {
                        await CarryOutAsync(request, handshake, replies, cancellationToken).ConfigureAwait(false);
                    }
                    finally
                    {
                        room.Release();
                    }
                },
                CancellationToken.None));
        }
    }

    private async Task CarryOutAsync(NbdRequest request, NbdHandshake handshake, NbdReplies replies, CancellationToken cancellationToken)
    {
        (NbdError error, string text) = Check(request, handshake.TellsAllocation);
        if (error != NbdError.None)
        {
            await replies.WriteErrorAsync(request, error, text, null, cancellationToken).ConfigureAwait(false);
            return;
        }

        await (request.Command == NbdCommand.BlockStatus ? TellStatusAsync(request, replies, cancellationToken)
            : replies.IsStructured ? ReadInPiecesAsync(request, replies, cancellationToken)
            : ReadAsync(request, replies, cancellationToken)).ConfigureAwait(false);
    }

    private (NbdError Error, string Text) Check(NbdRequest request, bool tellsAllocation)
    {
        switch (request.Command)
        {
            case NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim or NbdCommand.Resize:
                return (NbdError.NotPermitted, "The disk is only read.");
            case NbdCommand.Read when request.Length > NbdProtocol.MaxRequest:
                return (NbdError.Invalid, "More is asked for than is given at a time.");
            case NbdCommand.BlockStatus when !tellsAllocation:
                return (NbdError.Invalid, "Nothing was chosen to be told.");
            case NbdCommand.Read or NbdCommand.BlockStatus:
                break;
            default:
                return (NbdError.Invalid, "The command is not known here.");
        }

        NbdCommandFlags known = request.Command == NbdCommand.BlockStatus ? NbdCommandFlags.OneExtent | NbdCommandFlags.ForceUnitAccess : NbdCommandFlags.ForceUnitAccess;
        return (request.Flags & ~known) != 0 ? (NbdError.Invalid, "A flag of the command is not known here.")
            : !request.IsWithin(export.Size) ? (NbdError.Invalid, "The disk has no such bytes.")
            : (NbdError.None, "");
    }

    // The whole answer says whether it is one: nothing of it is sent before everything was read.
    private async Task ReadAsync(NbdRequest request, NbdReplies replies, CancellationToken cancellationToken)
    {
        bool isLarge = request.Length > PieceLength;
        if (isLarge)
        {
            await large.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)request.Length);
        try
        {
            Memory<byte> data = buffer.AsMemory(0, (int)request.Length);
            BackupException? failure = await TryReadAsync((long)request.Offset, data, cancellationToken).ConfigureAwait(false);
            await (failure is null
                ? replies.WriteSimpleAsync(request, NbdError.None, data, cancellationToken)
                : replies.WriteSimpleAsync(request, NbdError.Io, default, cancellationToken)).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (isLarge)
            {
                large.Release();
            }
        }
    }

    private async Task ReadInPiecesAsync(NbdRequest request, NbdReplies replies, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(PieceLength, request.Length));
        long at = (long)request.Offset;
        try
        {
            long end = at + request.Length;
            while (at < end)
            {
                ViewExtent extent = await export.View.MeasureAsync(export.File.Id, at, end - at, cancellationToken).ConfigureAwait(false);
                if (extent.IsHole)
                {
                    await replies.WriteHoleAsync(request, at, (uint)extent.Length, at + extent.Length == end, cancellationToken).ConfigureAwait(false);
                    at += extent.Length;
                    continue;
                }

                Memory<byte> data = buffer.AsMemory(0, (int)Math.Min(extent.Length, PieceLength));
                if (await TryReadAsync(at, data, cancellationToken).ConfigureAwait(false) is { } failure)
                {
                    await replies.WriteErrorAsync(request, NbdError.Io, failure.Message, at, cancellationToken).ConfigureAwait(false);
                    return;
                }

                await replies.WriteDataAsync(request, at, data, at + data.Length == end, cancellationToken).ConfigureAwait(false);
                at += data.Length;
            }
        }
        catch (BackupException e)
        {
            Tell(e);
            await replies.WriteErrorAsync(request, NbdError.Io, e.Message, at, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task TellStatusAsync(NbdRequest request, NbdReplies replies, CancellationToken cancellationToken)
    {
        int most = request.Flags.HasFlag(NbdCommandFlags.OneExtent) ? 1 : MostExtents;
        var extents = new List<(uint Length, uint Flags)>();
        long at = (long)request.Offset;
        long end = at + request.Length;
        BackupException? failure = null;
        try
        {
            while (at < end && extents.Count < most)
            {
                ViewExtent extent = await export.View.MeasureAsync(export.File.Id, at, end - at, cancellationToken).ConfigureAwait(false);
                extents.Add(((uint)extent.Length, extent.IsHole ? NbdProtocol.HoleOfZeroes : 0));
                at += extent.Length;
            }
        }
        catch (BackupException e)
        {
            Tell(e);
            failure = e;
        }

        // What is known comes first; the error with the next command, which begins there.
        await (failure is not null && extents.Count == 0
            ? replies.WriteErrorAsync(request, NbdError.Io, failure.Message, at, cancellationToken)
            : replies.WriteStatusAsync(request, extents, cancellationToken)).ConfigureAwait(false);
    }

    private async Task<BackupException?> TryReadAsync(long offset, Memory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            int read = await export.View.ReadAsync(export.File.Id, offset, data, cancellationToken).ConfigureAwait(false);
            return read == data.Length ? null : throw VaultDamage.Corrupt(export.File.ShownName, "it has fewer bytes than its size says");
        }
        catch (BackupException e)
        {
            Tell(e);
            return e;
        }
    }

    private void Tell(BackupException failure) => report(failure.IsOfOneObject ? failure.Of(export.File.FullPath) : failure);
}
