using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>An alternate data stream: its name between the colons, and its size in bytes.</summary>
internal readonly record struct StreamRecord(string Name, long Size)
{
    private const string DataSuffix = ":$DATA";

    /// <summary>Reads a buffer of FILE_STREAM_INFO; the unnamed stream, which is the file's content, is left out.</summary>
    public static List<StreamRecord> Parse(ReadOnlySpan<byte> buffer)
    {
        var streams = new List<StreamRecord>();
        while (true)
        {
            int next = BinaryPrimitives.ReadInt32LittleEndian(buffer);
            int length = BinaryPrimitives.ReadInt32LittleEndian(buffer[4..]);
            string name = new(MemoryMarshal.Cast<byte, char>(buffer.Slice(24, length)));
            if (name.Length > DataSuffix.Length + 1 && name.EndsWith(DataSuffix, StringComparison.Ordinal))
            {
                streams.Add(new StreamRecord(name[1..^DataSuffix.Length], BinaryPrimitives.ReadInt64LittleEndian(buffer[8..])));
            }

            if (next == 0)
            {
                return streams;
            }

            buffer = buffer[next..];
        }
    }
}
