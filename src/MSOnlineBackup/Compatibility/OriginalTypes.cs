using MSOnlineBackup.Agent;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Compatibility;

/// <summary>
/// The names by which published scripts call types of the original. While the module is imported, PowerShell knows them as other names of ours; the assemblies
/// of the original are not imitated.
/// </summary>
public static class OriginalTypes
{
    private const string Model = "Microsoft.Internal.CloudBackup.ObjectModel.OMCommon.";

    /// <summary>From the original's name to our type.</summary>
    public static IReadOnlyDictionary<string, Type> All { get; } = new Dictionary<string, Type>
    {
        [Model + "CBJobState"] = typeof(CBJobState),
        [Model + "CBJobType"] = typeof(CBJobType),
        [Model + "CBBackupServer"] = typeof(OBBackupServer),
        ["Microsoft.Internal.CloudBackup.Client.Common.CBClientCommon"] = typeof(CBClientCommon),
    };
}

/// <summary>What published scripts ask the original's client of.</summary>
public static class CBClientCommon
{
    /// <summary>Whether this machine is registered with a vault and has a passphrase.</summary>
    /// <param name="ignored">Scripts give 0.</param>
    public static bool GetMachineRegistrationStatus(int ignored = 0)
    {
        _ = ignored;
        return Agent().Machine is { Registration: not null, HasPassphrase: true };
    }

    /// <summary>The jobs of this machine, the running one included, newest first.</summary>
    /// <param name="filters">
    /// Of times, the first is the earliest beginning that is asked for, the second the latest (local, where nothing else is said); anything else does not
    /// count.
    /// </param>
    public static OBJob[] QueryJobs(params object?[] filters)
    {
        DateTime[] times =
            [.. (filters ?? []).Select(filter => filter is System.Management.Automation.PSObject wrapped ? wrapped.BaseObject : filter).OfType<DateTime>()];
        DateTimeOffset from = times.Length > 0 ? Moment(times[0]) : DateTimeOffset.MinValue;
        DateTimeOffset to = times.Length > 1 ? Moment(times[1]) : DateTimeOffset.MaxValue;
        return [.. Agent().Jobs.List().Where(job => job.Started >= from && job.Started <= to).Reverse().Select(job => job.ToOutput())];
    }

    /// <summary>The name of a state.</summary>
    /// <param name="status">A job, its status, or the state itself.</param>
    public static string ConvertJobStatusToString(object status) => (status is System.Management.Automation.PSObject wrapped ? wrapped.BaseObject : status) switch
    {
        OBJob job => job.JobStatus.JobState.ToString(),
        CBJobState state => state.ToString(),
        var other => other?.ToString() ?? "",
    };

    private static BackupAgent Agent() => ModuleEnvironment.OpenAgent(_ => { });

    private static DateTimeOffset Moment(DateTime time) =>
        time == DateTime.MinValue ? DateTimeOffset.MinValue
        : time == DateTime.MaxValue ? DateTimeOffset.MaxValue
        : new DateTimeOffset(time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Local) : time);
}
