using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Platform.SystemLogs;

/// <summary>The journal of systemd, by its native protocol: each entry is one message of fields.</summary>
/// <param name="path">Its socket.</param>
internal sealed class JournaldLog(string path = JournaldLog.Socket) : ISystemLog
{
    /// <summary>Where its socket is.</summary>
    public const string Socket = "/run/systemd/journal/socket";

    private readonly DatagramSocket _socket = new(path);

    /// <inheritdoc/>
    public void Write(SystemLogEntry entry) => _socket.Send(Encode(entry));

    /// <summary>An entry as the journal takes it.</summary>
    internal static byte[] Encode(SystemLogEntry entry)
    {
        using var message = new MemoryStream();
        Add(message, "MESSAGE", SystemLogEntry.Line(entry.Message));
        Add(message, "PRIORITY", ((int)entry.Level).ToString(CultureInfo.InvariantCulture));
        Add(message, "SYSLOG_IDENTIFIER", SystemLogEntry.Program);
        Add(message, "SYSLOG_PID", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        Add(message, "MSONLINEBACKUP_EVENT", entry.EventId.ToString(CultureInfo.InvariantCulture));
        foreach ((string name, string value) in entry.Fields)
        {
            Add(message, $"MSONLINEBACKUP_{name}", value);
        }

        return message.ToArray();
    }

    // A value with line ends goes with its length, so that none can look like another field.
    private static void Add(MemoryStream message, string name, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        message.Write(Encoding.ASCII.GetBytes(name));
        if (bytes.AsSpan().Contains((byte)'\n'))
        {
            message.WriteByte((byte)'\n');
            Span<byte> length = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
            message.Write(length);
        }
        else
        {
            message.WriteByte((byte)'=');
        }

        message.Write(bytes);
        message.WriteByte((byte)'\n');
    }
}
