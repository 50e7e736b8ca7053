using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>How far a recovery point is of one moment, for people.</summary>
internal static class SnapshotText
{
    /// <summary>In a word or two, as in a table: "file system".</summary>
    public static string Word(ConsistencyLevel? level) => level switch
    {
        ConsistencyLevel.None => "none",
        ConsistencyLevel.Crash => "crash",
        ConsistencyLevel.FileSystem => "file system",
        ConsistencyLevel.Application => "application",
        _ => "",
    };

    /// <summary>In a line.</summary>
    public static string Of(SourceConsistency? consistency) => consistency switch
    {
        null => "none was asked for",
        { Level: ConsistencyLevel.None } => $"not of all: files were read while others may have written. {consistency.Reason}".TrimEnd(),
        { Level: ConsistencyLevel.Crash } => $"{consistency.Snapshot ?? "none needed"}: all files are of one moment, as after a loss of power. {consistency.Reason}".TrimEnd(),
        _ => $"{consistency.Snapshot ?? "none needed"}: all files are of one moment ({Word(consistency.Level)}). {consistency.Reason}".TrimEnd(),
    };
}
