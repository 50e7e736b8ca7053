using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>How this machine transfers. The secrets among it are wrapped where they are stored.</summary>
public sealed record MachineSettings
{
    /// <summary>The proxy; null for the one that the environment or the system names, if any.</summary>
    public ProxySetting? Proxy { get; init; }

    /// <summary>Whether it goes past every proxy, whatever the environment says; then <see cref="Proxy"/> does not count.</summary>
    public bool IsDirect { get; init; }

    /// <summary>The bandwidth; null for no limit.</summary>
    public ThrottleSetting? Throttle { get; init; }

    /// <summary>Whether backups read snapshots of volumes.</summary>
    public SnapshotMode Snapshots { get; init; }

    /// <summary>Of how many backups by a policy the snapshots stay on this machine, 0 to <see cref="SnapshotOptions.MostKept"/>.</summary>
    public int KeepLocalSnapshots { get; init; }

    /// <summary>The full path of a file that says which scripts are run around snapshots; null for none.</summary>
    public string? ScriptFile { get; init; }

    /// <summary>Whether the system's log is told of beginnings and ends of jobs.</summary>
    public SystemLogMode SystemLog { get; init; }

    /// <summary>The file that keeps figures of jobs for Prometheus: an absolute path that ends in ".prom"; null for none.</summary>
    public string? MetricsFile { get; init; }

    /// <summary>Kinds of sources that are taken without a question, whatever the profile says.</summary>
    public IReadOnlyList<SourceKind> AllowedSources { get; init; } = [];

    /// <summary>The copy of this machine's vault in another place, its secondary region, from which is recovered where that is asked for; null for none.</summary>
    public VaultAddress? SecondaryVault { get; init; }
}

/// <summary>Whether the system's log is told of beginnings and ends of jobs.</summary>
public enum SystemLogMode
{
    /// <summary>Where the system has one.</summary>
    Auto,

    /// <summary>It is not.</summary>
    Off,
}

/// <summary>How fast data may be sent and fetched.</summary>
/// <param name="WorkDays">The days that have work hours.</param>
/// <param name="WorkStart">When work begins, wall time, 0:00 to 23:59:59; included.</param>
/// <param name="WorkEnd">When it ends, 0:00 to 24:00; not included. On the next day, if it is not after the beginning.</param>
/// <param name="WorkBits">Bits a second in work hours, 512,000 to 1,023,000,000.</param>
/// <param name="OtherBits">Bits a second in all other hours.</param>
public sealed record ThrottleSetting(IReadOnlyList<DayOfWeek> WorkDays, TimeSpan WorkStart, TimeSpan WorkEnd, long WorkBits, long OtherBits);
