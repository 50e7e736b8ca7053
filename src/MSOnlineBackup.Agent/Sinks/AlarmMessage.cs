using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>Why somebody is told.</summary>
public enum AlarmKind
{
    /// <summary>Something is wrong, or still is.</summary>
    Raised,

    /// <summary>It is well again; told once.</summary>
    Resolved,

    /// <summary>A backup came: told where reports of success were asked for.</summary>
    Report,

    /// <summary>The watcher lives.</summary>
    Heartbeat,

    /// <summary>Somebody tries whether alarms arrive.</summary>
    Test,
}

/// <summary>Something that is told to people.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Vault">The vault's folder or URL.</param>
/// <param name="Subject">It in a few words, one line.</param>
/// <param name="Text">It in whole sentences.</param>
/// <param name="Advice">What to do; empty where nothing is.</param>
/// <param name="At">When it was found out (UTC).</param>
public sealed record AlarmMessage(AlarmKind Kind, string Vault, string Subject, string Text, string Advice, DateTimeOffset At)
{
    /// <summary>The machine that it is about; null for none.</summary>
    public string? Machine { get; init; }

    /// <summary>Its policy.</summary>
    public string? Policy { get; init; }

    /// <summary>How its backups stand; null where it is about none.</summary>
    public ComplianceState? State { get; init; }

    /// <summary>The error id that explains it.</summary>
    public BackupErrorId? Id { get; init; }
}

/// <summary>A place where alarms go.</summary>
internal interface IAlarmSink
{
    /// <summary>What the settings call it.</summary>
    string Name { get; }

    /// <summary>Delivers messages, all of one look together.</summary>
    /// <exception cref="BackupException">AlarmNotDelivered.</exception>
    Task SendAsync(IReadOnlyList<AlarmMessage> messages, CancellationToken cancellationToken);

    /// <summary>Is told after each look that the watcher lives, and whether all is well.</summary>
    /// <exception cref="BackupException">AlarmNotDelivered.</exception>
    Task LiveAsync(bool isWell, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>What all places have in common.</summary>
internal static class AlarmSinkErrors
{
    /// <summary>What is said where one takes nothing. Addresses may be secrets, and are not named.</summary>
    public static BackupException NotDelivered(string name, string why, Exception? inner = null) => new(
        BackupErrorId.AlarmNotDelivered,
        $"Alarms do not get to '{name}': {why.TrimEnd('.')}.",
        "It is tried again with the next look. 'obengine alarm test' tries all places where alarms go.",
        name,
        transient: true,
        innerException: inner);
}
