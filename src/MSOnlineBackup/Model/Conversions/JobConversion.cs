using System.Globalization;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From the engine's jobs to those that scripts see.</summary>
internal static class JobConversion
{
    /// <summary>A job as scripts see it.</summary>
    public static OBJob ToOutput(this JobRecord job) => new()
    {
        JobId = job.Id,
        JobType = job.Kind == JobKind.Backup ? CBJobType.Backup : CBJobType.Recovery,
        DisplayTime = job.Started.LocalDateTime,
        RecoveryPointId = job.RecoveryPointId?.ToString(),
        JobStatus = new OBJobStatus
        {
            JobState = StateOf(job.State),
            StartTime = job.Started.UtcDateTime,
            EndTime = job.Ended?.UtcDateTime ?? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc),
            ErrorInfo = ErrorOf(job.Error),
            DatasourceStatus = [.. job.Sources.Select(StatusOf)],
            SkippedItems = job.Skipped,
            NewBytes = job.NewBytes,
            StoredBytes = job.StoredBytes,
            VaultTraffic = job.Traffic?.ToOutput(),
            WaitReason = job.Wait?.Cause,
            WaitUntil = job.Wait?.Until.UtcDateTime,
            BandwidthLimit = job.BandwidthLimit,
            Warnings = [.. (job.Warnings ?? []).Select(warning => warning.Message)],
        },
    };

    /// <summary>A line of a job's log as scripts see it.</summary>
    public static OBJobLogEntry ToOutput(this JobLogEntry entry, Guid jobId) => new()
    {
        Time = entry.Time.LocalDateTime,
        Level = Enum.Parse<OBLogLevel>(entry.Level.ToString()),
        Event = entry.Event.ToString(),
        Message = entry.Message,
        ErrorId = entry.Id ?? "",
        Path = entry.Path ?? "",
        RecommendedAction = entry.Action ?? "",
        Settings = entry.Settings ?? new Dictionary<string, string>(),
        Figures = entry.Figures ?? new Dictionary<string, long>(),
        JobId = jobId,
    };

    /// <summary>How hard to compress, as the engine has it.</summary>
    public static Compression ToEngine(this OBCompression compression) => Enum.Parse<Compression>(compression.ToString());

    /// <summary>A state of the engine in the original's words.</summary>
    public static CBJobState StateOf(JobState state) => state switch
    {
        JobState.InProgress => CBJobState.InProgress,
        JobState.Completed => CBJobState.Completed,
        JobState.CompletedWithWarnings => CBJobState.CompletedWithWarning,
        JobState.Failed => CBJobState.Failed,
        JobState.Aborted => CBJobState.Aborted,
        JobState.Skipped => CBJobState.Skipped,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "No such state."),
    };

    private static OBDatasourceStatus StatusOf(JobSourceStatus source) => new()
    {
        Datasource = new OBDataSource { DataSourceId = SourceNumber.Of(source.Name), DataSourceName = source.Name },
        JobState = StateOf(source.State),
        ByteProgress = new OBProgress(source.Bytes, source.ChangedBytes, source.TotalBytes),
        FileProgress = new OBProgress(source.Files, source.ChangedFiles, source.TotalFiles),
        ErrorInfo = ErrorOf(source.Error),
        Consistency = source.Consistency.ToOutput(),
        ConsistencyReason = source.Consistency?.Reason ?? "",
        DriveLetter = Path.GetPathRoot(source.Name) ?? "",
    };

    private static OBErrorInfo ErrorOf(JobError? error)
    {
        if (error is null)
        {
            return new OBErrorInfo();
        }

        // A job of a newer version may know ids that this one does not.
        int number = Enum.TryParse(error.Id, out BackupErrorId id) && id != BackupErrorId.UnexpectedError ? (int)id : -1;
        return new OBErrorInfo
        {
            ErrorCode = NumberOf(error.ErrorCode) ?? number,
            DetailedErrorCode = number,
            ErrorId = error.Id,
            Message = error.Message,
            RecommendedAction = error.RecommendedAction,
            ErrorParamList = error.Target is string target ? [new OBErrorParam("Target", target)] : [],
        };
    }

    // The original writes its numbers both ways: 34506, 0x1FC07. Those with the highest bit set are negative, as everywhere.
    private static int? NumberOf(string? code) => code switch
    {
        null => null,
        _ when code.StartsWith("0x", StringComparison.OrdinalIgnoreCase) =>
            uint.TryParse(code.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) ? unchecked((int)value) : null,
        _ => int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null,
    };
}
