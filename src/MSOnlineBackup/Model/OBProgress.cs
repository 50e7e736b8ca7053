namespace MSOnlineBackup;

/// <summary>How far something is, in bytes or in files.</summary>
public sealed class OBProgress
{
    internal OBProgress(long progress, long changed, long total)
    {
        Progress = progress;
        Changed = changed;
        Total = total;
    }

    /// <summary>What is done.</summary>
    public long Progress { get; }

    /// <summary>What of it was new or had changed.</summary>
    public long Changed { get; }

    /// <summary>What there is in all; 0 until known.</summary>
    public long Total { get; }

    /// <summary>As in "5 of 12".</summary>
    public override string ToString() => Total == 0 ? $"{Progress}" : $"{Progress} of {Total}";
}
