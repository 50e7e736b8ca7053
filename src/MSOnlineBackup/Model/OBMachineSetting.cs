namespace MSOnlineBackup;

/// <summary>The settings of this machine.</summary>
public sealed class OBMachineSetting
{
    /// <summary>The proxy.</summary>
    public OBProxySetting ProxySetting { get; internal init; } = new();

    /// <summary>The passphrase; never itself.</summary>
    public OBEncryptionSetting EncryptionSetting { get; internal init; } = new();

    /// <summary>The bandwidth.</summary>
    public OBThrottleSetting ThrottleSetting { get; internal init; } = new();

    /// <summary>Whether backups read snapshots of volumes.</summary>
    public OBSnapshotMode SnapshotSetting { get; internal init; }

    /// <summary>Of how many backups by a policy the snapshots stay on this machine.</summary>
    public int KeepLocalSnapshot { get; internal init; }

    /// <summary>Whether the system's log is told of beginnings and ends of jobs.</summary>
    public OBSystemLogMode SystemLogSetting { get; internal init; }

    /// <summary>The file that keeps figures of jobs for Prometheus; empty for none.</summary>
    public string MetricsFile { get; internal init; } = "";

    /// <summary>The file that names scripts to be run around snapshots; empty for none.</summary>
    public string ScriptFile { get; internal init; } = "";

    /// <summary>Kinds of sources that are taken without a question, whatever the profile says.</summary>
    public OBSourceKind[] AllowedSources { get; internal init; } = [];

    /// <summary>The copy of this machine's vault that -UseSecondaryRegion reads; empty for none.</summary>
    public string SecondaryVault { get; internal init; } = "";
}

/// <summary>The proxy of this machine.</summary>
public sealed class OBProxySetting
{
    /// <summary>Whether one is set here.</summary>
    public bool Enabled { get; internal init; }

    /// <summary>Whether every proxy is passed by, also one that the environment names (Set-OBMachineSetting -NoProxy).</summary>
    public bool IsDirect { get; internal init; }

    /// <summary>Host name or address; empty where none is used.</summary>
    public string ProxyServer { get; internal init; } = "";

    /// <summary>Its port; 0 where none is used.</summary>
    public int ProxyPort { get; internal init; }

    /// <summary>Who signs in to it; empty for nobody.</summary>
    public string ProxyUsername { get; internal init; } = "";

    /// <summary>Hosts that are reached past it.</summary>
    public string[] BypassUrls { get; internal init; } = [];

    /// <summary>As in "proxy:8080".</summary>
    public override string ToString() => Enabled ? $"{ProxyServer}:{ProxyPort}" : IsDirect ? "No proxy" : "System settings";
}

/// <summary>The passphrase of this machine.</summary>
public sealed class OBEncryptionSetting
{
    /// <summary>Whether one is set.</summary>
    public EncryptionKeyStatus EncryptionKeyStatus { get; internal init; }

    /// <summary>As in "Set".</summary>
    public override string ToString() => EncryptionKeyStatus.ToString();
}

/// <summary>The bandwidth of this machine.</summary>
public sealed class OBThrottleSetting
{
    /// <summary>Whether it is limited.</summary>
    public bool Enabled { get; internal init; }

    /// <summary>The days that have work hours.</summary>
    public DayOfWeek[] WorkDay { get; internal init; } = [];

    /// <summary>When work begins, wall time.</summary>
    public TimeSpan StartWorkHour { get; internal init; }

    /// <summary>When it ends.</summary>
    public TimeSpan EndWorkHour { get; internal init; }

    /// <summary>Bits a second in work hours; 0 where it is not limited.</summary>
    public long WorkHourBandwidth { get; internal init; }

    /// <summary>Bits a second in all other hours; 0 where it is not limited.</summary>
    public long NonWorkHourBandwidth { get; internal init; }

    /// <summary>As in "512000 bit/s from 09:00 to 18:00, else 1024000 bit/s".</summary>
    public override string ToString() => Enabled
        ? $@"{WorkHourBandwidth} bit/s from {StartWorkHour:hh\:mm} to {EndWorkHour:hh\:mm} ({string.Join(", ", WorkDay)}), else {NonWorkHourBandwidth} bit/s"
        : "No limit";
}
