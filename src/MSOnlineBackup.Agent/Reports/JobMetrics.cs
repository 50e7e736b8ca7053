using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Reports;

/// <summary>
/// The figures of this machine's jobs, from their records alone: the vault is asked nothing for them. Their names and labels are documented, and stay.
/// </summary>
internal static class JobMetrics
{
    private const string Prefix = "msonlinebackup_";

    /// <summary>As a text for Prometheus.</summary>
    /// <param name="machine">The machine's name in its vault.</param>
    /// <param name="jobs">The jobs on record, oldest first.</param>
    public static byte[] Encode(string machine, IReadOnlyList<JobRecord> jobs)
    {
        var text = new MetricsText();
        text.Gauge(Prefix + "info", "The version of MSOnlineBackup that wrote this.", 1, ("machine", machine), ("version", Product.Version));
        foreach (PolicyScope scope in PolicyScope.All)
        {
            Add(text, machine, scope.Key, [.. jobs.Where(job => job.Kind == JobKind.Backup && PolicyScope.OfSources(job.Sources.Select(source => source.Name)) == scope)]);
        }

        if (jobs.LastOrDefault(job => job.Kind == JobKind.Recovery && HasRun(job)) is { } recovery)
        {
            text.Gauge(Prefix + "recovery_timestamp_seconds", "When the last recovery ended, in seconds since 1970.", Seconds(recovery.Ended!.Value), ("machine", machine));
            text.Gauge(Prefix + "recovery_status", "How the last recovery ended: 0 failed or stopped, 1 with warnings, 2 as it should.", Status(recovery.State), ("machine", machine));
        }

        return text.Encode();
    }

    private static void Add(MetricsText text, string machine, string policy, List<JobRecord> jobs)
    {
        (string, string)[] of = [("machine", machine), ("policy", policy)];
        void Gauge(string name, string help, double value) => text.Gauge($"{Prefix}backup_{name}", help, value, of);

        if (jobs.LastOrDefault(job => job.State is JobState.Completed or JobState.CompletedWithWarnings) is { } good)
        {
            Gauge("success_timestamp_seconds", "When the last backup that made a recovery point ended, in seconds since 1970.", Seconds(good.Ended!.Value));
        }

        if (jobs.LastOrDefault(job => job.State == JobState.Skipped) is { } missed)
        {
            Gauge("missed_timestamp_seconds", "For when the last backup was scheduled that was not made, in seconds since 1970.", Seconds(missed.Started));
        }

        if (jobs.LastOrDefault(HasRun) is not { } last)
        {
            return;
        }

        long files = last.Sources.Sum(source => source.Files);
        long changed = last.Sources.Sum(source => source.ChangedFiles);
        Gauge("timestamp_seconds", "When the last backup ended, however it did, in seconds since 1970.", Seconds(last.Ended!.Value));
        Gauge("status", "How the last backup ended: 0 failed or stopped, 1 with warnings, 2 as it should.", Status(last.State));
        Gauge("duration_seconds", "How long the last backup took.", (last.Ended!.Value - last.Started).TotalSeconds);
        Gauge("files_processed", "Files that the last backup went through.", files);
        Gauge("files_changed", "Those of them that were new or changed.", changed);
        Gauge("files_unmodified", "Those of them that were as before.", files - changed);
        Gauge("data_processed_bytes", "Size of the files that the last backup went through.", last.Sources.Sum(source => source.Bytes));
        Gauge("data_read_bytes", "Bytes of them that had to be read.", last.Sources.Sum(source => source.ChangedBytes));
        Gauge("data_added_bytes", "Bytes of them that were new to the vault, before compression.", last.NewBytes);
        Gauge("data_stored_bytes", "Bytes that the last backup sent to the vault.", last.StoredBytes);
        Gauge("items_skipped", "Files and folders that the last backup skipped.", last.Skipped);
        Gauge("warnings", "What somebody should see to after the last backup.", last.Warnings?.Count ?? 0);
        if (last.Traffic is { } traffic)
        {
            AddTraffic(text, traffic, of);
        }

        foreach (JobSourceStatus source in last.Sources)
        {
            AddSource(text, source, [.. of, ("source", source.Name)]);
        }
    }

    private static void AddTraffic(MetricsText text, VaultTraffic traffic, (string, string)[] of)
    {
        foreach ((string operation, long count) in new[] { ("write", traffic.Writes), ("list", traffic.Lists), ("read", traffic.Reads), ("other", traffic.Others) })
        {
            text.Gauge(Prefix + "backup_vault_requests", "Requests of the last backup to the vault, as clouds charge them.", count, [.. of, ("operation", operation)]);
        }
    }

    private static void AddSource(MetricsText text, JobSourceStatus source, (string, string)[] of)
    {
        text.Gauge(Prefix + "source_status", "How the last backup of a source ended: 0 failed or stopped, 1 with warnings, 2 as it should.", Status(source.State), of);
        text.Gauge(Prefix + "source_files", "Files of a source in the last backup.", source.Files, of);
        text.Gauge(Prefix + "source_files_changed", "Those of them that were new or changed.", source.ChangedFiles, of);
        text.Gauge(Prefix + "source_bytes", "Size of the files of a source in the last backup.", source.Bytes, of);
    }

    private static bool HasRun(JobRecord job) => job.State is not (JobState.InProgress or JobState.Skipped);

    private static int Status(JobState state) => state switch
    {
        JobState.Completed => 2,
        JobState.CompletedWithWarnings => 1,
        _ => 0,
    };

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;
}
