using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Platform.SystemLogs;

/// <summary>
/// Syslog by its local socket, in the form of the C library's own calls, which every daemon reads: that of RFC 3164 without a host's name. What of an
/// entry is in fields goes behind the message, as name=value.
/// </summary>
/// <param name="path">Its socket.</param>
internal sealed class SyslogLog(string path) : ISystemLog
{
    private const int DaemonFacility = 3;

    private readonly DatagramSocket _socket = new(path);

    /// <summary>Where its socket is on this system.</summary>
    public static string Socket => OperatingSystem.IsMacOS() ? "/var/run/syslog" : "/dev/log";

    /// <inheritdoc/>
    public void Write(SystemLogEntry entry) => _socket.Send(Encode(entry), streamEnd: 0);

    /// <summary>An entry as the daemon takes it.</summary>
    internal static byte[] Encode(SystemLogEntry entry)
    {
        int priority = (DaemonFacility * 8) + (int)entry.Level;
        string fields = string.Concat(entry.Fields.Select(field => $" {field.Key.ToLowerInvariant()}={Quote(SystemLogEntry.Line(field.Value))}"));
        string day = entry.Time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2);
        return Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"<{priority}>{entry.Time:MMM} {day} {entry.Time:HH':'mm':'ss} {SystemLogEntry.Program}[{Environment.ProcessId}]: {SystemLogEntry.Line(entry.Message)} event={entry.EventId}{fields}"));
    }

    private static string Quote(string value) =>
        value.AsSpan().ContainsAny(" \"=") ? $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"" : value;
}
