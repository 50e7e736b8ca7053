namespace MSOnlineBackup;

/// <summary>Something that is backed up as a whole: a folder tree, a file, or the system state.</summary>
public sealed class OBDataSource
{
    /// <summary>Its number, the same in policies, jobs and recovery points; 0 in a draft.</summary>
    public long DataSourceId { get; internal init; }

    /// <summary>Its path, or "System State".</summary>
    public string DataSourceName { get; internal init; } = "";

    /// <summary>Always empty: no writer of the original's volume snapshots stands behind it.</summary>
    public Guid WriterId { get; internal init; }

    /// <summary>Always empty, likewise.</summary>
    public Guid ApplicationId { get; internal init; }

    /// <summary>What of the policy concerns it: its own specification first, then what is left out of it.</summary>
    public OBFileSpec[] FileSpecs { get; internal init; } = [];

    /// <summary>All of it, by line.</summary>
    public override string ToString() =>
        $"DataSource\nDatasourceId:{DataSourceId}\nName:{DataSourceName}\n{string.Concat(FileSpecs.Select(spec => $"FileSpec:{spec}\n"))}";
}
