using System.Buffers.Binary;
using System.Text;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>Makes files of MariaDB's binary log, event by event.</summary>
internal sealed class BinlogSample
{
    public const byte Query = 2;
    public const byte Stop = 3;
    public const byte Rotate = 4;
    public const byte Format = 15;
    public const byte Xid = 16;
    public const byte Checkpoint = 161;
    public const byte Transaction = 162;
    public const byte List = 163;

    private readonly List<byte> _file = [];

    private BinlogSample() => _file.AddRange([0xfe, (byte)'b', (byte)'i', (byte)'n']);

    public long Length => _file.Count;

    /// <summary>A file that was begun at a second, after transactions of which a list tells.</summary>
    public static BinlogSample Begin(uint second, string list = "0-1-5") => new BinlogSample().Add(Format, second, [.. new byte[200], 1, 0, 0, 0, 0]).Add(List, second, Encoding.ASCII.GetBytes(list));

    public BinlogSample Add(byte type, uint second, params byte[] content)
    {
        byte[] head = new byte[19];
        BinaryPrimitives.WriteUInt32LittleEndian(head, second);
        head[4] = type;
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(9), (uint)(19 + content.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(13), (uint)(_file.Count + 19 + content.Length));
        _file.AddRange(head);
        _file.AddRange(content);
        return this;
    }

    /// <summary>A transaction: its head, a statement, and its commit.</summary>
    public BinlogSample Commit(uint second, uint? statement = null) => Add(Transaction, second, new byte[23]).Add(Query, statement ?? second, new byte[40]).Add(Xid, second, new byte[12]);

    /// <summary>Leads to the next file; a checksum comes behind, which may begin with a digit.</summary>
    public BinlogSample RotateTo(string next, uint second) => Add(Rotate, second, [4, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(next), (byte)'7', 0x31, 0x80, 0x02]);

    public byte[] ToArray() => [.. _file];

    public MemoryStream Open() => new(ToArray());
}
