using MSOnlineBackup.Agent.Machine;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what the engine knows of this machine to what scripts see.</summary>
internal static class MachineConversion
{
    /// <summary>The settings as scripts see them.</summary>
    public static OBMachineSetting ToOutput(this MachineSettings settings, EncryptionKeyStatus key) => new()
    {
        SnapshotSetting = Enum.Parse<OBSnapshotMode>(settings.Snapshots.ToString()),
        KeepLocalSnapshot = settings.KeepLocalSnapshots,
        SystemLogSetting = Enum.Parse<OBSystemLogMode>(settings.SystemLog.ToString()),
        MetricsFile = settings.MetricsFile ?? "",
        ScriptFile = settings.ScriptFile ?? "",
        AllowedSources = [.. settings.AllowedSources.Select(kind => Enum.Parse<OBSourceKind>(kind.ToString()))],
        SecondaryVault = settings.SecondaryVault?.Location ?? "",
        EncryptionSetting = new OBEncryptionSetting { EncryptionKeyStatus = key },
        ProxySetting = settings.Proxy is not { } proxy ? new OBProxySetting { IsDirect = settings.IsDirect } : new OBProxySetting
        {
            Enabled = true,
            ProxyServer = proxy.Server,
            ProxyPort = proxy.Port,
            ProxyUsername = proxy.UserName ?? "",
            BypassUrls = proxy.Bypass?.Split(';') ?? [],
        },
        ThrottleSetting = settings.Throttle is not { } throttle ? new OBThrottleSetting() : new OBThrottleSetting
        {
            Enabled = true,
            WorkDay = [.. throttle.WorkDays],
            StartWorkHour = throttle.WorkStart,
            EndWorkHour = throttle.WorkEnd,
            WorkHourBandwidth = throttle.WorkBits,
            NonWorkHourBandwidth = throttle.OtherBits,
        },
    };

    /// <summary>The passphrase and the key file as scripts see them.</summary>
    public static EncryptionKeyStatus ToKeyStatus(this MachineAccount machine) =>
        !machine.HasPassphrase ? EncryptionKeyStatus.NotSet
        : machine.Key.FindFault() is null ? EncryptionKeyStatus.Set
        : EncryptionKeyStatus.Invalid;

    /// <summary>A registration as scripts see it.</summary>
    public static OBRegistrationResult ToOutput(this MachineRegistration registration, string certThumbprint = "") => new()
    {
        CertThumbprint = certThumbprint,
        SubscriptionID = registration.VaultId,
        ServiceResourceName = registration.VaultName,
        Region = registration.VaultLocation,
    };
}
