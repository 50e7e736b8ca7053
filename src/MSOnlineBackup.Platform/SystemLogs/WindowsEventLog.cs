using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32;

namespace MSOnlineBackup.Platform.SystemLogs;

/// <summary>The application log of Windows.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsEventLog : ISystemLog
{
    private const string Source = "MSOnlineBackup";
    private const string Key = @"SYSTEM\CurrentControlSet\Services\EventLog\Application\" + Source;

    // It has a message for every number, which is the text that comes with the entry; every Windows has it.
    private const string Messages = @"%SystemRoot%\Microsoft.NET\Framework64\v4.0.30319\EventLogMessages.dll";

    /// <inheritdoc/>
    public void Write(SystemLogEntry entry)
    {
        MakeSource();
        nint log = RegisterEventSource(null, Source);
        if (log == 0)
        {
            throw Untaken();
        }

        try
        {
            string text = string.Concat([SystemLogEntry.Line(entry.Message), .. entry.Fields.Select(field => $"\r\n{field.Key}: {SystemLogEntry.Line(field.Value)}")]);
            if (!ReportEvent(log, TypeOf(entry.Level), 0, (uint)entry.EventId, 0, 1, 0, [text], 0))
            {
                throw Untaken();
            }
        }
        finally
        {
            DeregisterEventSource(log);
        }
    }

    private static ushort TypeOf(SystemLogLevel level) => level switch
    {
        SystemLogLevel.Error => 1,
        SystemLogLevel.Warning => 2,
        _ => 4,
    };

    // Without it, viewers show the text after a remark that they lack a description.
    private static void MakeSource()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        using RegistryKey key = Registry.LocalMachine.CreateSubKey(Key);
        if (key.GetValue("EventMessageFile") is null)
        {
            key.SetValue("EventMessageFile", Messages, RegistryValueKind.ExpandString);
            key.SetValue("TypesSupported", 7, RegistryValueKind.DWord);
        }
    }

    private static IOException Untaken() => new($"The event log: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("advapi32", EntryPoint = "RegisterEventSourceW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint RegisterEventSource(string? server, string source);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool DeregisterEventSource(nint log);

    [LibraryImport("advapi32", EntryPoint = "ReportEventW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool ReportEvent(nint log, ushort type, ushort category, uint id, nint account, ushort count, uint length, string[] texts, nint data);
}
