using MSOnlineBackup.Platform.SystemLogs;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>The system's log of the watcher: journald, syslog or the event log of Windows. An entry for each message.</summary>
/// <param name="settings">What it is called.</param>
/// <param name="clock">The clock.</param>
/// <param name="find">The logs that there are, the best first.</param>
internal sealed class SystemLogSink(SinkSettings settings, TimeProvider clock, Func<IReadOnlyList<ISystemLog>> find) : IAlarmSink
{
    /// <inheritdoc/>
    public string Name => settings.Name;

    /// <inheritdoc/>
    public Task SendAsync(IReadOnlyList<AlarmMessage> messages, CancellationToken cancellationToken)
    {
        foreach (AlarmMessage message in messages)
        {
            Write(EntryOf(message));
        }

        return Task.CompletedTask;
    }

    private SystemLogEntry EntryOf(AlarmMessage message)
    {
        (SystemLogLevel level, int number) = message.Kind switch
        {
            AlarmKind.Raised => (SystemLogLevel.Warning, 110),
            AlarmKind.Resolved => (SystemLogLevel.Notice, 111),
            AlarmKind.Report => (SystemLogLevel.Info, 112),
            AlarmKind.Heartbeat => (SystemLogLevel.Info, 113),
            _ => (SystemLogLevel.Info, 114),
        };
        return new SystemLogEntry(
            clock.GetLocalNow(),
            level,
            number,
            $"{message.Text} {message.Advice}".TrimEnd(),
            [.. CommandSink.VariablesOf(message).Select(variable => new KeyValuePair<string, string>(variable.Key, variable.Value))]);
    }

    private void Write(SystemLogEntry entry)
    {
        IOException? first = null;
        foreach (ISystemLog log in find())
        {
            try
            {
                log.Write(entry);
                return;
            }
            catch (IOException e)
            {
                first ??= e;
            }
        }

        throw AlarmSinkErrors.NotDelivered(Name, first?.Message ?? "this system has no log", first);
    }
}
