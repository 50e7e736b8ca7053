namespace MSOnlineBackup.Platform.SystemLogs;

/// <summary>Which logs this system has.</summary>
internal static class SystemLogs
{
    /// <summary>Those whose place is there, the best first; none in most containers.</summary>
    public static IReadOnlyList<ISystemLog> Find() => OperatingSystem.IsWindows() ? [new WindowsEventLog()] : Find(JournaldLog.Socket, SyslogLog.Socket);

    /// <summary>Those of which there is a socket.</summary>
    internal static IReadOnlyList<ISystemLog> Find(string journal, string syslog) =>
    [
        .. File.Exists(journal) ? [new JournaldLog(journal)] : Array.Empty<ISystemLog>(),
        .. File.Exists(syslog) ? [new SyslogLog(syslog)] : Array.Empty<ISystemLog>(),
    ];
}
