namespace MSOnlineBackup;

/// <summary>What a place is, where alarms go.</summary>
public enum OBAlarmSinkKind
{
    /// <summary>Mail, by SMTP.</summary>
    Mail,

    /// <summary>A request to a web address.</summary>
    Webhook,

    /// <summary>A check of healthchecks.io, or of what speaks as it does.</summary>
    Healthchecks,

    /// <summary>A program on this machine.</summary>
    Command,

    /// <summary>The system's log of this machine.</summary>
    SystemLog,
}

/// <summary>How a mail server is spoken to.</summary>
public enum OBMailSecurity
{
    /// <summary>In the clear until TLS is agreed on, which is required.</summary>
    StartTls,

    /// <summary>By TLS from the first byte.</summary>
    Tls,

    /// <summary>In the clear: for a server on this machine.</summary>
    None,
}

/// <summary>What a web address is sent.</summary>
public enum OBWebhookFormat
{
    /// <summary>All fields, as JSON.</summary>
    Json,

    /// <summary>What Slack, Mattermost and others take.</summary>
    Slack,

    /// <summary>An adaptive card, as workflows of Teams take it.</summary>
    Teams,
}

/// <summary>A place where alarms go, without what is secret.</summary>
public sealed class OBAlarmSink
{
    /// <summary>What it is called.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What it is.</summary>
    public OBAlarmSinkKind Kind { get; internal init; }

    /// <summary>The server, host or program; empty for the system's log.</summary>
    public string Where { get; internal init; } = "";

    /// <summary>Whether it stands for the backups of this machine, and not for the watch.</summary>
    public bool ForBackups { get; internal init; }

    /// <summary>Whether it is told of each backup that came, too.</summary>
    public bool ReportSuccess { get; internal init; }

    /// <summary>After how many hours what is still wrong is told again, to all places; 0 for never.</summary>
    public int RepeatHours { get; internal init; }

    /// <summary>After how many hours all places are told that the watcher lives; 0 for never.</summary>
    public int HeartbeatHours { get; internal init; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>What came of a message to a place where alarms go.</summary>
public sealed class OBAlarmSinkTest
{
    /// <summary>What the place is called.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What it is.</summary>
    public OBAlarmSinkKind Kind { get; internal init; }

    /// <summary>Whether it took the message.</summary>
    public bool IsDelivered { get; internal init; }

    /// <summary>Why it did not; empty where it did.</summary>
    public string Message { get; internal init; } = "";

    /// <summary>What to do; empty where nothing is.</summary>
    public string RecommendedAction { get; internal init; } = "";

    /// <summary>The error's stable id; null where it took the message.</summary>
    public string? ErrorId { get; internal init; }

    /// <summary>As in "chat: delivered".</summary>
    public override string ToString() => $"{Name}: {(IsDelivered ? "delivered" : "not delivered")}";
}
