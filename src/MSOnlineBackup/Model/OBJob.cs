using System.Globalization;

namespace MSOnlineBackup;

/// <summary>A backup or recovery: running, or of the past.</summary>
public sealed class OBJob : IEquatable<OBJob>
{
    /// <summary>Its id.</summary>
    public Guid JobId { get; internal init; }

    /// <summary>What it does.</summary>
    public CBJobType JobType { get; internal init; }

    /// <summary>How it stands.</summary>
    public OBJobStatus JobStatus { get; internal init; } = new();

    /// <summary>When it began, in local time.</summary>
    public DateTime DisplayTime { get; internal init; }

    /// <summary>The recovery point that it made or read; null where there is none.</summary>
    public string? RecoveryPointId { get; internal init; }

    /// <summary>A job, so that cmdlets take its id. Whether there is such a job, they find out.</summary>
    public static implicit operator OBJob(Guid id) => new() { JobId = id };

    /// <summary>A job from its id as text.</summary>
    /// <exception cref="FormatException">The text is not an id.</exception>
    public static OBJob Parse(string id) => Guid.Parse(id);

    /// <summary>Whether it is the same job, however far it was when either was fetched.</summary>
    public bool Equals(OBJob? other) => other is not null && JobId == other.JobId;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OBJob);

    /// <inheritdoc/>
    public override int GetHashCode() => JobId.GetHashCode();

    /// <summary>As in "Backup of 2026-11-21 21:00: Completed".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{JobType} of {DisplayTime:yyyy-MM-dd HH:mm}: {JobStatus.JobState}");
}

/// <summary>How a job stands.</summary>
public sealed class OBJobStatus
{
    /// <summary>The state.</summary>
    public CBJobState JobState { get; internal init; }

    /// <summary>When it began, in UTC.</summary>
    public DateTime StartTime { get; internal init; }

    /// <summary>When it ended, in UTC; the earliest date there is while it runs.</summary>
    public DateTime EndTime { get; internal init; } = DateTime.MinValue;

    /// <summary>Why it failed.</summary>
    public OBErrorInfo ErrorInfo { get; internal init; } = new();

    /// <summary>Its sources, in the policy's order.</summary>
    public OBDatasourceStatus[] DatasourceStatus { get; internal init; } = [];

    /// <summary>How many items were skipped; Get-OBSkippedItem lists them.</summary>
    public long SkippedItems { get; internal init; }

    /// <summary>Bytes of content that were new to the vault.</summary>
    public long NewBytes { get; internal init; }

    /// <summary>Bytes sent to the vault.</summary>
    public long StoredBytes { get; internal init; }

    /// <summary>What somebody should see to, though the job did its work.</summary>
    public string[] Warnings { get; internal init; } = [];

    /// <summary>What is wrong with the vault, or the way to it, while the job waits for it; null where it does not wait.</summary>
    public string? WaitReason { get; internal init; }

    /// <summary>When it is tried again, in UTC; null where the job does not wait. Where it has passed, it is being tried.</summary>
    public DateTime? WaitUntil { get; internal init; }

    /// <summary>What the job keeps to at this moment, in bits a second, all connections together; null for no limit, and of a job that has ended.</summary>
    public long? BandwidthLimit { get; internal init; }

    /// <summary>What the vault was asked, from opening it on; null where nobody counted.</summary>
    public OBVaultTraffic? VaultTraffic { get; internal init; }

    /// <summary>The state.</summary>
    public override string ToString() => JobState.ToString();
}

/// <summary>How far a job is with one source.</summary>
public sealed class OBDatasourceStatus
{
    /// <summary>The source.</summary>
    public OBDataSource Datasource { get; internal init; } = new();

    /// <summary>How it stands with it.</summary>
    public CBJobState JobState { get; internal init; }

    /// <summary>Bytes of content.</summary>
    public OBProgress ByteProgress { get; internal init; } = new(0, 0, 0);

    /// <summary>Files.</summary>
    public OBProgress FileProgress { get; internal init; } = new(0, 0, 0);

    /// <summary>Why it failed.</summary>
    public OBErrorInfo ErrorInfo { get; internal init; } = new();

    /// <summary>Of a backup, how far what was read is of one moment; Unknown until it is through.</summary>
    public OBConsistency Consistency { get; internal init; }

    /// <summary>Why it is so; empty where there is nothing to say.</summary>
    public string ConsistencyReason { get; internal init; } = "";

    /// <summary>The root of the source's path: "C:\", or "/".</summary>
    public string DriveLetter { get; internal init; } = "";

    /// <summary>As in "/home: Completed".</summary>
    public override string ToString() => $"{Datasource.DataSourceName}: {JobState}";
}
