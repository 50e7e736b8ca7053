using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Nbd;

/// <summary>
/// A client of a disk over NBD, which reads it and asks what is where. A read is several commands, of which the next are sent before the first is answered. What a server says is believed
/// only where it is about what was asked. After an error that is none of one command's it is of no use any more. One caller at a time.
/// </summary>
internal sealed class NbdClient : IDisposable
{
    private const string What = "disk";

    // As much as the buffer of a socket of Linux holds at a time, and as many as keep the server at work.
    private const int PieceLength = 256 << 10;
    private const int MostAtATime = 8;

    // 1 MiB of extents is what QEMU says at most.
    private const int MostStatusBytes = 2 << 20;

    private readonly NbdWire _wire;
    private readonly NbdClientHandshake _terms;
    private readonly string _path;
    private ulong _lastCookie;
    private bool _isBroken;

    private NbdClient(string path, NbdWire wire, NbdClientHandshake terms) => (_path, _wire, _terms) = (path, wire, terms);

    /// <summary>The size of the disk, in bytes.</summary>
    public long Size => _terms.Size;

    /// <summary>How many bytes of the disk were asked for.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Connects.</summary>
    /// <param name="path">The server's socket.</param>
    /// <param name="export">The name of the disk.</param>
    /// <param name="contexts">What the server is to tell of it, beside its bytes.</param>
    /// <param name="patience">How long each answer may take.</param>
    /// <param name="cancellationToken">Stops the connecting.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable: there is no such disk, or what is there is no server.</exception>
    public static async Task<NbdClient> ConnectAsync(string path, string export, IReadOnlyList<string> contexts, TimeSpan patience, CancellationToken cancellationToken)
    {
        Socket socket = await LocalSocket.ConnectAsync(path, What, patience, cancellationToken).ConfigureAwait(false);
        socket.ReceiveTimeout = socket.SendTimeout = (int)patience.TotalMilliseconds;
        var wire = new NbdWire(socket);
        try
        {
            var terms = new NbdClientHandshake(wire);
            await Task.Run(() => terms.Run(export, contexts), cancellationToken).ConfigureAwait(false);
            return new NbdClient(path, wire, terms);
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidDataException)
        {
            wire.Dispose();
            throw LocalSocket.Unreachable(path, What, e.Message, e);
        }
        catch
        {
            wire.Dispose();
            throw;
        }
    }

    /// <summary>Whether the server tells something of the disk.</summary>
    public bool Tells(string context) => _terms.Contexts.ContainsKey(context);

    /// <summary>Fills the destination with the bytes from an offset on.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable: the connection broke; VirtualMachineCommandFailed: the server cannot read them.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        long end = offset + destination.Length;
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, Size);
        int block = _terms.MinBlock;
        if (offset % block == 0 && end % block == 0)
        {
            Run(destination, offset);
            return;
        }

        long first = offset - (offset % block);
        byte[] whole = new byte[(int)(Math.Min(Size, (end + block - 1) / block * block) - first)];
        Run(whole, first);
        whole.AsSpan((int)(offset - first), destination.Length).CopyTo(destination);
    }

    /// <summary>What a server tells of the bytes from an offset on: at least of the first, at most up to the given end.</summary>
    /// <param name="context">What it is about.</param>
    /// <param name="offset">From where.</param>
    /// <param name="length">For how many bytes.</param>
    /// <returns>Runs without gap from the offset on; length in bytes, and flags.</returns>
    /// <exception cref="BackupException">VirtualMachineUnreachable: the connection broke; VirtualMachineCommandFailed: the server does not know.</exception>
    public IReadOnlyList<(long Length, uint Flags)> GetStatus(string context, long offset, long length)
    {
        uint asked = (uint)Math.Min(length, uint.MaxValue - (NbdProtocol.PreferredBlock - 1));
        uint id = _terms.Contexts[context];
        return Guard(() =>
        {
            SendCommand(NbdCommand.BlockStatus, offset, asked);
            List<(long Length, uint Flags)>? runs = null;
            string? failure = null;
            while (true)
            {
                Chunk chunk = ReceiveChunk();
                if (chunk.Cookie != _lastCookie)
                {
                    throw new InvalidDataException("It answers what was not asked.");
                }

                if (chunk.Error is not null)
                {
                    failure ??= chunk.Error;
                }
                else if (chunk.Type == NbdChunk.BlockStatus)
                {
                    runs = TakeStatus(chunk, id, asked) ?? runs;
                }
                else if (chunk.Type != NbdChunk.None || chunk.Length != 0)
                {
                    throw new InvalidDataException("It answers with something else than was asked.");
                }

                if (chunk.IsLast)
                {
                    return failure is not null ? throw Failed(offset, failure) : runs ?? throw new InvalidDataException("It leaves out what was asked.");
                }
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isBroken)
        {
            _isBroken = true;
            try
            {
                SendCommand(NbdCommand.Disconnect, 0, 0);
            }
            catch (SocketException)
            {
                // It has gone already, and need not be told.
            }
        }

        _wire.Dispose();
    }

    private void Run(Span<byte> destination, long offset)
    {
        if (_isBroken)
        {
            throw LocalSocket.Unreachable(_path, What, "the connection broke");
        }

        try
        {
            RunCommands(destination, offset);
            BytesRead += destination.Length;
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidDataException)
        {
            _isBroken = true;
            throw LocalSocket.Unreachable(_path, What, e.Message, e);
        }
    }

    private T Guard<T>(Func<T> action)
    {
        if (_isBroken)
        {
            throw LocalSocket.Unreachable(_path, What, "the connection broke");
        }

        try
        {
            return action();
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidDataException)
        {
            _isBroken = true;
            throw LocalSocket.Unreachable(_path, What, e.Message, e);
        }
    }

    // Piece n has the cookie first + n. Of each it is kept how far it has come: answers may be of any piece, and of each they come from its beginning on.
    private void RunCommands(Span<byte> destination, long offset)
    {
        int piece = Math.Min(PieceLength, _terms.MaxBlock);
        int pieces = (destination.Length + piece - 1) / piece;
        int[] filled = new int[pieces];
        ulong first = _lastCookie + 1;
        int sent = 0;
        int done = 0;
        string? failure = null;
        while (done < pieces)
        {
            for (; sent < pieces && sent - done < MostAtATime; sent++)
            {
                SendCommand(NbdCommand.Read, offset + ((long)sent * piece), (uint)Math.Min(piece, destination.Length - (sent * piece)));
            }

            Chunk chunk = ReceiveChunk();
            ulong index = chunk.Cookie >= first ? chunk.Cookie - first : ulong.MaxValue;
            if (index >= (ulong)sent || filled[index] < 0)
            {
                throw new InvalidDataException("It answers what was not asked.");
            }

            int start = (int)index * piece;
            int length = Math.Min(piece, destination.Length - start);
            if (chunk.Error is not null)
            {
                failure ??= chunk.Error;
            }
            else
            {
                filled[index] += TakeContent(chunk, destination.Slice(start, length)[filled[index]..], offset + start + filled[index]);
            }

            if (chunk.IsLast)
            {
                if (failure is null && filled[index] != length)
                {
                    throw new InvalidDataException("It gives less than was asked.");
                }

                filled[index] = -1;
                done++;
            }
        }

        if (failure is not null)
        {
            throw Failed(offset, failure);
        }
    }

    private int TakeContent(Chunk chunk, Span<byte> room, long at)
    {
        if (chunk.Type == NbdChunk.None && chunk.Length == 0)
        {
            return 0;
        }

        Span<byte> head = stackalloc byte[12];
        if (chunk.Type == NbdChunk.Data && chunk.Length > 8 && chunk.Length - 8 <= (uint)room.Length)
        {
            _wire.Receive(head[..8]);
            if (BinaryPrimitives.ReadInt64BigEndian(head) == at)
            {
                int length = (int)(chunk.Length - 8);
                _wire.Receive(room[..length]);
                return length;
            }
        }
        else if (chunk.Type == NbdChunk.Hole && chunk.Length == 12)
        {
            _wire.Receive(head);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(head[8..]);
            if (BinaryPrimitives.ReadInt64BigEndian(head) == at && length > 0 && length <= (uint)room.Length)
            {
                room[..(int)length].Clear();
                return (int)length;
            }
        }

        throw new InvalidDataException("It gives bytes that were not asked.");
    }

    private List<(long Length, uint Flags)>? TakeStatus(Chunk chunk, uint id, uint asked)
    {
        if (chunk.Length is < 12 or > MostStatusBytes || (chunk.Length - 4) % 8 != 0)
        {
            throw new InvalidDataException("It tells in a wrong way what is where.");
        }

        byte[] data = new byte[chunk.Length];
        _wire.Receive(data);
        if (BinaryPrimitives.ReadUInt32BigEndian(data) != id)
        {
            return null;
        }

        var runs = new List<(long Length, uint Flags)>((data.Length - 4) / 8);
        long left = asked;
        for (int at = 4; at < data.Length && left > 0; at += 8)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(at));
            if (length == 0)
            {
                throw new InvalidDataException("It tells of nothing.");
            }

            // The last may go beyond what was asked.
            runs.Add((Math.Min(length, left), BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(at + 4))));
            left -= runs[^1].Length;
        }

        return runs;
    }

    private void SendCommand(NbdCommand command, long offset, uint length)
    {
        Span<byte> bytes = stackalloc byte[NbdRequest.EncodedLength];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdProtocol.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)command);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], ++_lastCookie);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], offset);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], length);
        _wire.Send(bytes);
    }

    // The head of a part of an answer; of an error all.
    private Chunk ReceiveChunk()
    {
        Span<byte> head = stackalloc byte[20];
        _wire.Receive(head[..16]);
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(head);
        ulong cookie = BinaryPrimitives.ReadUInt64BigEndian(head[8..]);
        if (magic == NbdProtocol.SimpleReplyMagic && BinaryPrimitives.ReadUInt32BigEndian(head[4..]) is var number and not 0)
        {
            return new Chunk(NbdChunk.Error, true, cookie, 0, Describe(number, ""));
        }

        if (magic != NbdProtocol.StructuredReplyMagic)
        {
            throw new InvalidDataException("What it answers is no answer.");
        }

        _wire.Receive(head[16..]);
        bool isLast = (BinaryPrimitives.ReadUInt16BigEndian(head[4..]) & NbdProtocol.Done) != 0;
        var type = (NbdChunk)BinaryPrimitives.ReadUInt16BigEndian(head[6..]);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(head[16..]);
        bool isError = ((ushort)type & (1 << 15)) != 0;
        return new Chunk(type, isLast, cookie, length, isError ? ReceiveError(length) : null);
    }

    private string ReceiveError(uint length)
    {
        if (length is < 6 or > NbdProtocol.MaxOption)
        {
            throw new InvalidDataException("It says in a wrong way that it has failed.");
        }

        byte[] data = new byte[length];
        _wire.Receive(data);
        int text = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(4));
        return text <= length - 6 ? Describe(BinaryPrimitives.ReadUInt32BigEndian(data), Encoding.UTF8.GetString(data.AsSpan(6, text))) : throw new InvalidDataException("It says in a wrong way that it has failed.");
    }

    private static string Describe(uint number, string text) => text.Length > 0 ? $"{text} (error {number})" : $"error {number}";

    private BackupException Failed(long offset, string why) => new(
        BackupErrorId.VirtualMachineCommandFailed, $"The disk at '{_path}' cannot be read at offset {offset}: {why}.", "See to the disk of the virtual machine, and run the backup again.", _path);

    private readonly record struct Chunk(NbdChunk Type, bool IsLast, ulong Cookie, uint Length, string? Error);
}
