using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Agent.Watching;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what the agent knows of places where alarms go to what scripts see.</summary>
internal static class AlarmSinkConversion
{
    /// <summary>A place as scripts see it.</summary>
    public static OBAlarmSink ToOutput(this SinkSettings sink, AlarmSettings settings) => new()
    {
        Name = sink.Name,
        Kind = KindOf(sink),
        Where = sink.Describe(),
        ForBackups = sink.Runs,
        ReportSuccess = sink.Successes,
        RepeatHours = (int)settings.Repeat.TotalHours,
        HeartbeatHours = (int)settings.Heartbeat.TotalHours,
    };

    /// <summary>What came of a message, as scripts see it.</summary>
    public static OBAlarmSinkTest ToOutput(this SinkTrial trial) => new()
    {
        Name = trial.Sink.Name,
        Kind = KindOf(trial.Sink),
        IsDelivered = trial.Failure is null,
        Message = trial.Failure?.Message ?? "",
        RecommendedAction = trial.Failure?.RecommendedAction ?? "",
        ErrorId = trial.Failure?.Id.ToString(),
    };

    private static OBAlarmSinkKind KindOf(SinkSettings sink) => Enum.Parse<OBAlarmSinkKind>(sink.Kind.ToString());
}
