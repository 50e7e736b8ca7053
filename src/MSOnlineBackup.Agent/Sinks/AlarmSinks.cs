using MSOnlineBackup.Platform.SystemLogs;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>From what the settings say to where alarms go.</summary>
internal static class AlarmSinks
{
    /// <summary>A place.</summary>
    public static IAlarmSink Open(SinkSettings settings, TimeProvider clock) => settings.Kind switch
    {
        SinkKind.Mail => new MailSink(settings),
        SinkKind.Webhook => new WebhookSink(settings),
        SinkKind.Healthchecks => new HealthchecksSink(settings, clock),
        SinkKind.SystemLog => new SystemLogSink(settings, clock, SystemLogs.Find),
        _ => new CommandSink(settings, clock),
    };
}
