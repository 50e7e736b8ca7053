using System.Globalization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Scripts;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>The settings on disk. The proxy's password, and what opens the secondary vault, are wrapped by the machine's secret, and bound to what they are for.</summary>
internal sealed class SettingsStore(StateFolder folder, MachineSecret secret, PolicyLimits limits)
{
    private const string Purpose = "proxy password";
    private const string VaultPurpose = "secondary vault secret";

    private readonly StateFile<SettingsState> _file = new(folder, "settings.json", StateJson.Default.SettingsState, "delete it and set the proxy and bandwidth again");

    public MachineSettings Read() => Open(_file.Read());

    public void Update(Func<MachineSettings, MachineSettings> change) => _file.Update(state =>
    {
        MachineSettings before = Open(state);
        MachineSettings settings = change(before);
        Check(settings);
        if (settings.ScriptFile is { } file && file != before.ScriptFile)
        {
            SnapshotScripts.Check(file, IFileTrust.OfThisSystem);
        }

        return Seal(settings);
    });

    private static string Bind(string server, int port, string? userName) => string.Create(CultureInfo.InvariantCulture, $"{server}\n{port}\n{userName}");

    private void Check(MachineSettings settings)
    {
        _ = settings.Proxy?.ToUri();
        if (settings.Proxy is { Password: not null } proxy && string.IsNullOrEmpty(proxy.UserName))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"A password was given for the proxy '{proxy.Server}', but no user name.",
                "Give the user name too.",
                proxy.Server);
        }

        if (settings.KeepLocalSnapshots is < 0 or > SnapshotOptions.MostKept)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The snapshots of {settings.KeepLocalSnapshots} backups cannot stay on this machine.",
                $"Give a number from 0 to {SnapshotOptions.MostKept}.");
        }

        if (settings.MetricsFile is { } metrics && (!Path.IsPathFullyQualified(metrics) || Path.GetExtension(metrics) != ".prom"))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{metrics}' is not an absolute path that ends in '.prom': collectors of Prometheus read no other files.",
                "Name a file in the folder that node_exporter is told by --collector.textfile.directory, such as /var/lib/node_exporter/msonlinebackup.prom.",
                metrics);
        }

        if (settings.Throttle is { } throttle)
        {
            limits.CheckThrottle(throttle.WorkBits);
            limits.CheckThrottle(throttle.OtherBits);
            CheckHours(throttle);
        }
    }

    private static void CheckHours(ThrottleSetting throttle)
    {
        TimeSpan day = TimeSpan.FromDays(1);
        if (!IsWithinDay(throttle.WorkStart) || throttle.WorkStart == day || !IsWithinDay(throttle.WorkEnd))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The work hours from {throttle.WorkStart:c} to {throttle.WorkEnd:c} are not times of day in whole seconds.",
                "Give times of day such as '08:00' and '18:00', not bare numbers. An end before the start means the next day.");
        }

        // PowerShell reads a bare number, as in -StartWorkHour 8, as so many ticks.
        bool IsWithinDay(TimeSpan time) => time >= TimeSpan.Zero && time <= day && time.Ticks % TimeSpan.TicksPerSecond == 0;
    }

    private MachineSettings Open(SettingsState? state)
    {
        if (state is null)
        {
            return new MachineSettings();
        }

        ProxySetting? proxy = state.Proxy is { } stored ? new ProxySetting(stored.Server, stored.Port, stored.UserName, OpenPassword(stored), stored.Bypass) : null;
        return new MachineSettings
        {
            Proxy = proxy,
            IsDirect = state.IsDirect,
            Throttle = state.Throttle,
            Snapshots = state.Snapshots,
            KeepLocalSnapshots = state.KeepLocalSnapshots,
            SystemLog = state.SystemLog,
            MetricsFile = state.MetricsFile,
            ScriptFile = state.ScriptFile,
            AllowedSources = state.AllowedSources ?? [],
            SecondaryVault = state.SecondaryVault is not { } vault ? null : new VaultAddress(vault.Location)
            {
                Secret = OpenSecret(vault), RequiresPrivateEndpoint = vault.RequiresPrivateEndpoint, IsSecondary = true,
            },
        };
    }

    private string? OpenSecret(SecondaryVaultState vault)
    {
        if (vault.SealedSecret is null)
        {
            return null;
        }

        return secret.TryUnwrap(VaultPurpose, vault.Location, vault.SealedSecret) ?? throw new BackupException(
            BackupErrorId.StateInvalid,
            $"What opens the secondary vault '{vault.Location}', in '{folder.PathOf("settings.json")}', cannot be decrypted: the file or the machine's secret was changed, or comes from another machine.",
            "Delete that file and set proxy, bandwidth and secondary vault again.",
            folder.PathOf("settings.json"));
    }

    private string? OpenPassword(ProxyState proxy)
    {
        if (proxy.SealedPassword is null)
        {
            return null;
        }

        return secret.TryUnwrap(Purpose, Bind(proxy.Server, proxy.Port, proxy.UserName), proxy.SealedPassword) ?? throw new BackupException(
            BackupErrorId.StateInvalid,
            $"The password of the proxy '{proxy.Server}' in '{folder.PathOf("settings.json")}' cannot be decrypted: the file or the machine's secret was changed, or comes from another machine.",
            "Delete that file and set the proxy and bandwidth again.",
            folder.PathOf("settings.json"));
    }

    private SettingsState Seal(MachineSettings settings)
    {
        ProxyState? proxy = settings.Proxy is { } given
            ? new ProxyState(given.Server, given.Port, given.UserName, given.Password is null
                ? null
                : secret.Wrap(Purpose, Bind(given.Server, given.Port, given.UserName), given.Password), given.Bypass)
            : null;
        return new SettingsState
        {
            Proxy = proxy,
            IsDirect = settings.IsDirect,
            Throttle = settings.Throttle,
            Snapshots = settings.Snapshots,
            KeepLocalSnapshots = settings.KeepLocalSnapshots,
            SystemLog = settings.SystemLog,
            MetricsFile = settings.MetricsFile,
            ScriptFile = settings.ScriptFile,
            AllowedSources = settings.AllowedSources is [] ? null : settings.AllowedSources,
            SecondaryVault = settings.SecondaryVault is not { } vault ? null : new SecondaryVaultState(
                vault.Location, vault.RequiresPrivateEndpoint, vault.Secret is null ? null : secret.Wrap(VaultPurpose, vault.Location, vault.Secret)),
        };
    }
}

/// <summary>What <c>settings.json</c> holds.</summary>
internal sealed record SettingsState
{
    public ProxyState? Proxy { get; init; }

    public bool IsDirect { get; init; }

    public ThrottleSetting? Throttle { get; init; }

    public SnapshotMode Snapshots { get; init; }

    public int KeepLocalSnapshots { get; init; }

    public SystemLogMode SystemLog { get; init; }

    public string? MetricsFile { get; init; }

    public string? ScriptFile { get; init; }

    public IReadOnlyList<SourceKind>? AllowedSources { get; init; }

    public SecondaryVaultState? SecondaryVault { get; init; }
}

/// <summary>The secondary vault as it is stored.</summary>
internal sealed record SecondaryVaultState(string Location, bool RequiresPrivateEndpoint = false, byte[]? SealedSecret = null);

/// <summary>A proxy as it is stored.</summary>
internal sealed record ProxyState(string Server, int Port, string? UserName = null, byte[]? SealedPassword = null, string? Bypass = null);
