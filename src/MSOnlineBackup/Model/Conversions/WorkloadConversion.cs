using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>Between workloads as scripts see them and the engine's.</summary>
internal static class WorkloadConversion
{
    /// <summary>The engine's form.</summary>
    /// <exception cref="BackupException">PolicyInvalid: the time between full backups is not in whole minutes.</exception>
    public static WorkloadSettings ToEngine(this OBWorkloadSpec spec) => new(
        spec.Name,
        Enum.Parse<WorkloadKind>(spec.Kind.ToString()),
        spec.Socket.Length == 0 ? null : spec.Socket,
        spec.Port == 0 ? null : spec.Port,
        spec.User.Length == 0 ? null : spec.User,
        spec.Kind == OBWorkloadKind.Sqlite ? null : WholeMinutes(spec.FullEvery, spec.Name),
        spec.OptionFile.Length == 0 ? null : spec.OptionFile,
        (spec.DatabasePath + spec.BackupFolder) is { Length: > 0 } path ? path : null);

    /// <summary>A time between full backups in minutes; null for none.</summary>
    /// <param name="time">The time.</param>
    /// <param name="target">What it is of.</param>
    /// <exception cref="BackupException">PolicyInvalid: it is not in whole minutes.</exception>
    public static int? WholeMinutes(TimeSpan? time, string target) => time is not { } given ? null : given.Ticks % TimeSpan.TicksPerMinute == 0
        ? int.CreateSaturating(given.TotalMinutes)
        : throw new BackupException(
            BackupErrorId.PolicyInvalid, $"'{given:c}' between full backups of '{target}' is not a time in whole minutes.", "Write it as '1d' or '12h', or as days, hours and minutes, such as '1.00:00:00'.", target);

    /// <summary>As scripts see it.</summary>
    public static OBWorkloadSpec ToOutput(this WorkloadSettings settings) => new()
    {
        Name = settings.Name,
        Kind = Enum.Parse<OBWorkloadKind>(settings.Kind.ToString()),
        Socket = settings.Socket ?? "",
        Port = settings.PortInUse ?? 0,
        User = settings.User ?? "",
        FullEvery = settings.StandsAlone ? TimeSpan.Zero : settings.FullEveryMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        DatabasePath = settings.Kind == WorkloadKind.SqlServer ? "" : settings.Path ?? "",
        BackupFolder = settings.Kind == WorkloadKind.SqlServer ? settings.Path ?? "" : "",
        OptionFile = settings.OptionFile ?? "",
    };

    /// <summary>As scripts see it.</summary>
    /// <param name="state">How it stands.</param>
    /// <param name="serverName">The machine that it is of.</param>
    public static OBWorkload ToOutput(this WorkloadState state, string serverName)
    {
        OBWorkloadWindow[] windows = [.. state.Windows.Select(window => new OBWorkloadWindow { From = window.From.UtcDateTime, To = window.To.UtcDateTime })];
        return new OBWorkload
        {
            Name = state.Name,
            Kind = Enum.Parse<OBWorkloadKind>(state.Kind.ToString()),
            ServerName = serverName,
            RecoverableFrom = windows is [var first, ..] && state.StandsAlone ? first.From : windows is [.., var last] ? last.From : null,
            RecoverableTo = windows is [.., var newest] ? newest.To : null,
            Windows = windows,
            LastFull = state.LastFull?.From.UtcDateTime,
            LastLog = state.LastLog?.To.UtcDateTime,
            FullBackups = state.Chains.Count,
            Databases = [.. state.Databases],
            ServerVersion = state.LastFull?.Version ?? "",
        };
    }
}
