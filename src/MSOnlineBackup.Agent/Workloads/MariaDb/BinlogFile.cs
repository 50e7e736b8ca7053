using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>What a file of the binary log is, by its events.</summary>
/// <param name="Mark">What tells it from another one of its name, as 16 hexadecimal digits.</param>
/// <param name="Length">Bytes up to the end of its last whole event.</param>
/// <param name="Next">The file that follows it, where the server went on to that; null otherwise.</param>
/// <param name="IsClosed">Whether the server ended it itself: it went on to another, or was shut down. Otherwise it writes to it still, or has crashed.</param>
internal sealed record BinlogFacts(string Mark, long Length, string? Next, bool IsClosed);

/// <summary>
/// Files of the binary log, version 4: a mark of four bytes, and events. Each has a head of 19 bytes: its time (4 bytes, seconds since 1970), its type (1), the server's number (4),
/// its length with the head (4), where the next one begins (4), and flags (2); little-endian. A transaction is what stands from one event of a global transaction id to the next.
/// </summary>
internal static class BinlogFile
{
    /// <summary>Where the first event begins.</summary>
    public const int FirstEvent = 4;

    private const int HeadLength = 19;
    private const int TypeAt = 4;
    private const int LengthAt = 9;

    private const byte StopType = 3;
    private const byte RotateType = 4;
    private const byte FormatType = 15;
    private const byte CheckpointType = 161;
    private const byte TransactionType = 162;
    private const byte ListType = 163;
    private const byte EncryptionType = 164;

    // The position that a rotation names comes before the name.
    private const int NameAt = HeadLength + 8;
    private const int ChecksumLength = 4;
    private const int MostRotate = 600;
    private const int MostList = 1 << 20;

    private static ReadOnlySpan<byte> Head => [0xfe, (byte)'b', (byte)'i', (byte)'n'];

    /// <summary>Reads what tells a file from another one of its name: when it was begun, and the transactions that went before. Null where it is no binary log, or an encrypted one.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string? ReadMark(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return ReadMark(file);
    }

    /// <summary>Reads a file from one end to the other.</summary>
    /// <returns>What it is; null where it is no binary log.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static BinlogFacts? Read(Stream file)
    {
        if (ReadMark(file) is not { } mark)
        {
            return null;
        }

        string? next = null;
        bool isClosed = false;
        bool hasChecksums = false;
        long end = FirstEvent;
        foreach (BinlogEvent each in Events(file, FirstEvent))
        {
            end = each.Start + each.Length;
            isClosed = each.Type is StopType or RotateType;
            hasChecksums = each.Type == FormatType ? HasChecksums(file, each) : hasChecksums;
            next = each.Type == RotateType ? ReadNext(file, each, hasChecksums) : null;
        }

        return new BinlogFacts(mark, end, next, isClosed);
    }

    /// <summary>Where the first transaction begins of which something was done at a second or later; null where all in the file was done before.</summary>
    /// <param name="file">The file.</param>
    /// <param name="from">Where to begin: between two transactions, or at the first event.</param>
    /// <param name="second">Seconds since 1970.</param>
    public static long? FindTransactionAt(Stream file, long from, long second)
    {
        long? start = null;
        foreach (BinlogEvent each in Events(file, from))
        {
            if (each.Type == TransactionType)
            {
                start = each.Start;
            }

            // What the server writes for itself has the time of the file, or none.
            if (start is { } begun && each.Time >= second && each.Type is not (StopType or RotateType or FormatType or CheckpointType or ListType or EncryptionType))
            {
                return begun;
            }
        }

        return null;
    }

    // The flags of the first event change when the file is closed; its time, and the list that comes next, do not.
    private static string? ReadMark(Stream file)
    {
        byte[] head = new byte[FirstEvent];
        file.Position = 0;
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.AsSpan().SequenceEqual(Head) || Events(file, FirstEvent).Take(2).ToList() is not [{ Type: FormatType } format, .. var more])
        {
            return null;
        }

        byte[] list = more is [{ Type: ListType, Length: <= MostList } next] ? ReadContent(file, next) : [];
        return string.Create(CultureInfo.InvariantCulture, $"{format.Time:x8}{Convert.ToHexStringLower(SHA256.HashData(list)[..4])}");
    }

    private static byte[] ReadContent(Stream file, BinlogEvent each)
    {
        byte[] content = new byte[each.Length];
        file.Position = each.Start;
        file.ReadExactly(content);
        return content;
    }

    // Ends at the first event that is not whole.
    private static IEnumerable<BinlogEvent> Events(Stream file, long from)
    {
        byte[] head = new byte[HeadLength];
        long at = from;
        while (true)
        {
            file.Position = at;
            if (file.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false) < HeadLength)
            {
                yield break;
            }

            uint length = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(LengthAt));
            if (length < HeadLength || at + length > file.Length)
            {
                yield break;
            }

            yield return new BinlogEvent(at, length, BinaryPrimitives.ReadUInt32LittleEndian(head), head[TypeAt]);
            at += length;
        }
    }

    // Behind all else the format tells how events are checked, and has four bytes for that itself, whether they are or not.
    private static bool HasChecksums(Stream file, BinlogEvent format) => format.Length is > HeadLength + ChecksumLength and <= MostRotate && ReadContent(file, format)[^(ChecksumLength + 1)] != 0;

    private static string? ReadNext(Stream file, BinlogEvent rotate, bool hasChecksums)
    {
        int behind = hasChecksums ? ChecksumLength : 0;
        return rotate.Length > NameAt + behind && rotate.Length <= MostRotate ? Encoding.UTF8.GetString(ReadContent(file, rotate).AsSpan()[NameAt..^behind]) : null;
    }

    private readonly record struct BinlogEvent(long Start, uint Length, uint Time, byte Type);
}
