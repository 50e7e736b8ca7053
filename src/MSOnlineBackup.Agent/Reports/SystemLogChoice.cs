using MSOnlineBackup.Platform.SystemLogs;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Reports;

/// <summary>To which log of the system the beginnings and ends of jobs go, where the machine's settings want that.</summary>
public sealed class SystemLogChoice
{
    /// <summary>The environment variable that chooses it.</summary>
    public const string Variable = "MSONLINEBACKUP_SYSTEM_LOG";

    private readonly Func<IReadOnlyList<ISystemLog>> _find;

    private SystemLogChoice(Func<IReadOnlyList<ISystemLog>> find) => _find = find;

    /// <summary>None: what an agent does unless somebody says otherwise.</summary>
    public static SystemLogChoice None { get; } = new(() => []);

    /// <summary>The system's own: the event log, the journal, or syslog; none where none of them is there.</summary>
    public static SystemLogChoice Auto { get; } = new(SystemLogs.Find);

    /// <summary>What the variable says.</summary>
    /// <param name="value">Its value: <c>Auto</c> or <c>None</c>, in upper or lower case, or the absolute path of a socket that syslog's messages go to; null or
    /// empty for <c>Auto</c>.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static SystemLogChoice Read(string? value) => value switch
    {
        null or "" => Auto,
        _ when value.Equals(nameof(Auto), StringComparison.OrdinalIgnoreCase) => Auto,
        _ when value.Equals(nameof(None), StringComparison.OrdinalIgnoreCase) => None,
        _ when Path.IsPathFullyQualified(value) => Of(new SyslogLog(value)),
        _ => throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"{Variable} is '{value}', which is neither Auto nor None nor an absolute path.",
            "Set it to one of them, or remove it to use the system's own log.",
            value),
    };

    /// <summary>These.</summary>
    internal static SystemLogChoice Of(params ISystemLog[] logs) => new(() => logs);

    /// <summary>The logs that are there now, the best first.</summary>
    internal IReadOnlyList<ISystemLog> Find() => _find();
}
