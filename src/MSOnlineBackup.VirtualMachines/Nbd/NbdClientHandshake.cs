using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Mounts.Nbd;

namespace MSOnlineBackup.VirtualMachines.Nbd;

/// <summary>What a client settles with a server before it reads: the fixed newstyle negotiation, with structured answers.</summary>
/// <param name="wire">The connection.</param>
internal sealed class NbdClientHandshake(NbdWire wire)
{
    private const ushort BlockSizeLength = 14;
    private const ushort ExportLength = 12;
    private const int MostAnswers = 64;

    /// <summary>The size of the disk, in bytes.</summary>
    public long Size { get; private set; }

    /// <summary>Bytes at which commands must begin and end.</summary>
    public int MinBlock { get; private set; } = 1;

    /// <summary>Most bytes that a command may ask for.</summary>
    public int MaxBlock { get; private set; } = NbdProtocol.MaxRequest;

    /// <summary>What the server tells of the disk beside its bytes, and the numbers by which it does.</summary>
    public Dictionary<string, uint> Contexts { get; } = new(StringComparer.Ordinal);

    /// <summary>Settles it.</summary>
    /// <param name="export">The name of the disk.</param>
    /// <param name="contexts">What is to be told of it.</param>
    /// <exception cref="InvalidDataException">The server refuses, or says what is none of the protocol.</exception>
    public void Run(string export, IReadOnlyList<string> contexts)
    {
        Span<byte> greeting = stackalloc byte[18];
        wire.Receive(greeting);
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(greeting[16..]);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting) != NbdProtocol.Greeting
            || BinaryPrimitives.ReadUInt64BigEndian(greeting[8..]) != NbdProtocol.OptionMagic
            || (flags & NbdProtocol.FixedNewstyle) == 0)
        {
            throw new InvalidDataException("It does not greet as an NBD server of today.");
        }

        Span<byte> answer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(answer, NbdProtocol.FixedNewstyle | (uint)(flags & NbdProtocol.NoZeroes));
        wire.Send(answer);

        Ask(NbdOption.StructuredReply, []);
        Expect(NbdOption.StructuredReply, static (_, _) => { });
        Ask(NbdOption.SetMetaContext, Queries(export, contexts));
        Expect(NbdOption.SetMetaContext, TakeContext);
        Ask(NbdOption.Go, Go(export));
        Expect(NbdOption.Go, TakeInfo);
        if (Size <= 0)
        {
            throw new InvalidDataException($"It says that the disk has {Size} bytes.");
        }
    }

    private static byte[] Queries(string export, IReadOnlyList<string> contexts)
    {
        using var data = new MemoryStream();
        Text(data, export);
        Number(data, (uint)contexts.Count);
        foreach (string context in contexts)
        {
            Text(data, context);
        }

        return data.ToArray();
    }

    private static byte[] Go(string export)
    {
        using var data = new MemoryStream();
        Text(data, export);
        data.Write([0, 1, 0, (byte)NbdInfo.BlockSize]);
        return data.ToArray();
    }

    private static void Text(MemoryStream data, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Number(data, (uint)bytes.Length);
        data.Write(bytes);
    }

    private static void Number(MemoryStream data, uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        data.Write(bytes);
    }

    private void Ask(NbdOption option, byte[] data)
    {
        byte[] bytes = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), (uint)data.Length);
        data.CopyTo(bytes, 16);
        wire.Send(bytes);
    }

    // Answers to an option, until one says that it is done.
    private void Expect(NbdOption option, Action<NbdAnswer, byte[]> take)
    {
        Span<byte> head = stackalloc byte[20];
        for (int answers = 0; answers < MostAnswers; answers++)
        {
            wire.Receive(head);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(head[16..]);
            if (BinaryPrimitives.ReadUInt64BigEndian(head) != NbdProtocol.OptionReplyMagic || BinaryPrimitives.ReadUInt32BigEndian(head[8..]) != (uint)option || length > NbdProtocol.MaxOption)
            {
                throw new InvalidDataException("It answers what was not asked.");
            }

            byte[] data = new byte[length];
            wire.Receive(data);
            var answer = (NbdAnswer)BinaryPrimitives.ReadUInt32BigEndian(head[12..]);
            switch (answer)
            {
                case NbdAnswer.Ack:
                    return;
                case NbdAnswer.Info or NbdAnswer.MetaContext:
                    take(answer, data);
                    break;
                default:
                    throw new InvalidDataException($"It refuses {option} with {answer}: {Encoding.UTF8.GetString(data)}");
            }
        }

        throw new InvalidDataException("It does not stop to answer.");
    }

    private void TakeContext(NbdAnswer answer, byte[] data)
    {
        if (answer != NbdAnswer.MetaContext || data.Length < 4 || !Contexts.TryAdd(Encoding.UTF8.GetString(data.AsSpan(4)), BinaryPrimitives.ReadUInt32BigEndian(data)))
        {
            throw new InvalidDataException("It says in a wrong way what it tells of the disk.");
        }
    }

    private void TakeInfo(NbdAnswer answer, byte[] data)
    {
        if (answer != NbdAnswer.Info || data.Length < 2)
        {
            throw new InvalidDataException("It describes the disk in a wrong way.");
        }

        var info = (NbdInfo)BinaryPrimitives.ReadUInt16BigEndian(data);
        if (info == NbdInfo.Export && data.Length == ExportLength)
        {
            ulong size = BinaryPrimitives.ReadUInt64BigEndian(data.AsSpan(2));
            Size = size <= long.MaxValue ? (long)size : throw new InvalidDataException("It says that the disk is larger than any.");
        }
        else if (info == NbdInfo.BlockSize && data.Length == BlockSizeLength)
        {
            uint min = BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(2));
            uint max = BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(10));
            if (min is 0 or > NbdProtocol.PreferredBlock || (min & (min - 1)) != 0 || max < NbdProtocol.PreferredBlock)
            {
                throw new InvalidDataException("It takes commands of no usual size.");
            }

            MinBlock = (int)min;
            MaxBlock = (int)Math.Min(max, NbdProtocol.MaxRequest);
        }
    }
}
