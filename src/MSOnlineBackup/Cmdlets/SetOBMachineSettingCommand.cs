using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Sets the passphrase, the bandwidth, the proxy, the use of snapshots, the scripts around them, the allowed sources, the secondary vault or what is told of jobs of this machine.</summary>
[Cmdlet(VerbsCommon.Set, "OBMachineSetting", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(string))]
public sealed class SetOBMachineSettingCommand : OBEngineCmdlet
{
    private const string Encryption = "UNNAMED_PARAMETER_SET_1";
    private const string Throttle = "UNNAMED_PARAMETER_SET_2";
    private const string WithoutProxy = "UNNAMED_PARAMETER_SET_3";
    private const string WithoutThrottle = "UNNAMED_PARAMETER_SET_4";
    private const string Proxy = "UNNAMED_PARAMETER_SET_5";
    private const string Snapshots = "Snapshot";
    private const string LocalSnapshots = "KeepLocalSnapshot";
    private const string Logging = "SystemLog";
    private const string Metrics = "MetricsFile";
    private const string Scripts = "Script";
    private const string WithoutScripts = "WithoutScript";
    private const string Sources = "AllowSource";
    private const string Copy = "SecondaryVault";
    private const string CopyByFile = "SecondaryVaultCredentials";

    private readonly SortedSet<DayOfWeek> _workDays = [];

    /// <summary>The passphrase: at least 16 printable ASCII characters. Lost, it takes the data with it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Encryption)]
    public SecureString EncryptionPassphrase { get; set; } = null!;

    /// <summary>A security PIN of the vault's owner, where the vault asks for one and a passphrase is replaced.</summary>
    [Parameter(ParameterSetName = Encryption)]
    [AllowEmptyString]
    [AllowNull]
    public string? SecurityPin { get; set; }

    /// <summary>The code of an approver, where the vault has approvers and a passphrase is replaced.</summary>
    [Parameter(ParameterSetName = Encryption)]
    public string? Approval { get; set; }

    /// <summary>The Key Vault that is to keep the passphrase.</summary>
    [Parameter(ParameterSetName = Encryption)]
    [ValidateNotNullOrEmpty]
    public string? KeyVaultUri { get; set; }

    /// <summary>A folder, on another medium if possible, into which the passphrase is written in clear, readable by its owner only.</summary>
    [Parameter(ParameterSetName = Encryption)]
    [ValidateNotNullOrEmpty]
    public string? PassphraseSaveLocation { get; set; }

    /// <summary>The days that have work hours.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Throttle)]
    public DayOfWeek[] WorkDay { get; set; } = [];

    /// <summary>When work begins, wall time.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true, ParameterSetName = Throttle)]
    public TimeSpan StartWorkHour { get; set; }

    /// <summary>When work ends.</summary>
    [Parameter(Mandatory = true, Position = 2, ValueFromPipelineByPropertyName = true, ParameterSetName = Throttle)]
    public TimeSpan EndWorkHour { get; set; }

    /// <summary>Bits a second in work hours.</summary>
    [Parameter(Mandatory = true, Position = 3, ValueFromPipelineByPropertyName = true, ParameterSetName = Throttle)]
    public uint WorkHourBandwidth { get; set; }

    /// <summary>Bits a second in all other hours.</summary>
    [Parameter(Mandatory = true, Position = 4, ValueFromPipelineByPropertyName = true, ParameterSetName = Throttle)]
    public uint NonWorkHourBandwidth { get; set; }

    /// <summary>Goes past every proxy from now on, also one that the environment names; -NoProxy:$false as the environment or the system says.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = WithoutProxy)]
    public SwitchParameter NoProxy { get; set; }

    /// <summary>Uses all the bandwidth there is from now on.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = WithoutThrottle)]
    public SwitchParameter NoThrottle { get; set; }

    /// <summary>The proxy's host name or address.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Proxy)]
    [ValidateNotNullOrEmpty]
    public string ProxyServer { get; set; } = "";

    /// <summary>The proxy's port.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true, ParameterSetName = Proxy)]
    public int ProxyPort { get; set; }

    /// <summary>Who signs in to the proxy.</summary>
    [Parameter(Position = 2, ValueFromPipelineByPropertyName = true, ParameterSetName = Proxy)]
    public string? ProxyUsername { get; set; }

    /// <summary>With which password.</summary>
    [Parameter(Position = 3, ValueFromPipelineByPropertyName = true, ParameterSetName = Proxy)]
    public SecureString? ProxyPassword { get; set; }

    /// <summary>Hosts that are reached past the proxy: names or URLs, where * stands for any characters.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = Proxy)]
    public string[] BypassUrls { get; set; } = [];

    /// <summary>Whether backups read snapshots of volumes.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Snapshots)]
    public OBSnapshotMode Snapshot { get; set; }

    /// <summary>Of how many backups by a policy the snapshots stay on this machine, so that they can be recovered from without the vault.</summary>
    [Parameter(Mandatory = true, ParameterSetName = LocalSnapshots)]
    [ValidateRange(0, 64)]
    public int KeepLocalSnapshot { get; set; }

    /// <summary>Whether the system's log is told of beginnings and ends of jobs.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Logging)]
    public OBSystemLogMode SystemLog { get; set; }

    /// <summary>The file that keeps figures of jobs for Prometheus; empty for none.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Metrics)]
    [AllowEmptyString]
    public string MetricsFile { get; set; } = "";

    /// <summary>A file that names scripts to be run before and after snapshots are taken, in the format of VMSnapshotScriptPluginConfig.json.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Scripts)]
    [ValidateNotNullOrEmpty]
    public string ScriptFile { get; set; } = "";

    /// <summary>Runs no scripts from now on.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithoutScripts)]
    public SwitchParameter NoScript { get; set; }

    /// <summary>Kinds of sources that are taken without a question, whatever the profile says; an empty list for none.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Sources)]
    [AllowEmptyCollection]
    public OBSourceKind[] AllowSource { get; set; } = [];

    /// <summary>The copy of this machine's vault in another place, its twin, or that one's folder or URL: -UseSecondaryRegion reads it. Empty for none.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Copy)]
    [VaultLocationTransformation]
    [AllowEmptyString]
    public string SecondaryVault { get; set; } = "";

    /// <summary>A credential file of that copy, which may bring what opens it: Export-OBVaultCredential -SecondaryRegion writes one.</summary>
    [Parameter(Mandatory = true, ParameterSetName = CopyByFile)]
    [ValidateNotNullOrEmpty]
    public string SecondaryVaultCredentials { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        // Days may come one by one, and are one setting.
        _workDays.UnionWith(WorkDay);
        if (ParameterSetName != Throttle)
        {
            Set();
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_workDays.Count > 0)
        {
            Set();
        }
    }

    private string What => ParameterSetName switch
    {
        Encryption => "encryption passphrase",
        Throttle or WithoutThrottle => "bandwidth",
        Snapshots => "snapshots",
        LocalSnapshots => "local snapshots",
        Logging => "system log",
        Metrics => "metrics file",
        Scripts or WithoutScripts => "scripts",
        Sources => "allowed sources",
        Copy or CopyByFile => "secondary vault",
        _ => "proxy",
    };

    // Kept first: a passphrase that holds and is nowhere would be lost data.
    private void SetPassphrase(string passphrase)
    {
        string? copy = PassphraseSaveLocation is null ? null : Agent.Machine.Key.SavePassphrase(passphrase, FullPath(PassphraseSaveLocation));
        try
        {
            Run((_, stop) => Agent.Machine.Key.SetPassphraseAsync(passphrase, stop, KeyVaultUri, new Consent(SecurityPin, Approval)));
        }
        catch when (copy is not null)
        {
            WriteWarning($"The new passphrase is in '{copy}', but may not be in effect: see the error.");
            throw;
        }

        if (copy is not null)
        {
            WriteWarning($"The passphrase is in '{copy}', unencrypted. Move it to a safe place, off this machine.");
        }
    }

    private void Set()
    {
        if (!ShouldProcess(Agent.Machine.Name, $"Set {What}"))
        {
            return;
        }

        switch (ParameterSetName)
        {
            case Encryption:
                SetPassphrase(EncryptionPassphrase.ToPlain());
                break;
            case Throttle:
                var throttle = new ThrottleSetting([.. _workDays], StartWorkHour, EndWorkHour, WorkHourBandwidth, NonWorkHourBandwidth);
                Agent.Machine.Update(settings => settings with { Throttle = throttle });
                break;
            case WithoutThrottle when NoThrottle:
                Agent.Machine.Update(settings => settings with { Throttle = null });
                break;
            case Proxy:
                var proxy = new ProxySetting(ProxyServer, ProxyPort, ProxyUsername, ProxyPassword.ToPlain(), BypassUrls.Length == 0 ? null : string.Join(';', BypassUrls));
                Agent.Machine.Update(settings => settings with { Proxy = proxy, IsDirect = false });
                break;
            case Snapshots:
                SnapshotMode mode = Enum.Parse<SnapshotMode>(Snapshot.ToString());
                Agent.Machine.Update(settings => settings with { Snapshots = mode });
                break;
            case LocalSnapshots:
                Agent.Machine.Update(settings => settings with { KeepLocalSnapshots = KeepLocalSnapshot });
                break;
            case Logging:
                SystemLogMode logging = Enum.Parse<SystemLogMode>(SystemLog.ToString());
                Agent.Machine.Update(settings => settings with { SystemLog = logging });
                break;
            case Metrics:
                string? file = MetricsFile.Length == 0 ? null : FullPath(MetricsFile);
                Agent.Machine.Update(settings => settings with { MetricsFile = file });
                break;
            case Scripts:
                string scripts = FullPath(ScriptFile);
                Agent.Machine.Update(settings => settings with { ScriptFile = scripts });
                break;
            case WithoutScripts when NoScript:
                Agent.Machine.Update(settings => settings with { ScriptFile = null });
                break;
            case Sources:
                SourceKind[] kinds = [.. AllowSource.Distinct().Select(kind => Enum.Parse<SourceKind>(kind.ToString()))];
                Agent.Machine.Update(settings => settings with { AllowedSources = kinds });
                break;
            case Copy when SecondaryVault.Length == 0:
                Agent.Secondary.Clear();
                break;
            case Copy:
                string copy = VaultPlace(SecondaryVault);
                Run((_, stop) => Agent.Secondary.SetAsync(copy, stop));
                break;
            case CopyByFile:
                string credentials = FullPath(SecondaryVaultCredentials);
                Run((_, stop) => Agent.Secondary.SetByCredentialAsync(credentials, stop));
                break;
            case WithoutProxy:
                Agent.Machine.Update(settings => settings with { Proxy = null, IsDirect = NoProxy });
                break;
        }

        // Published scripts look whether this is what comes.
        WriteObject("Server properties updated successfully.");
    }
}
