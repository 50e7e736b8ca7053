namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>How many bits the first state of each of the three decoding tables of sequences takes.</summary>
internal struct AccuracyLogs
{
    /// <summary>What stands for "this frame has had no such table yet".</summary>
    public const int None = -1;

    /// <summary>Of the table of literals lengths.</summary>
    public int LiteralsLength;

    /// <summary>Of the table of match lengths.</summary>
    public int MatchLength;

    /// <summary>Of the table of offsets.</summary>
    public int Offset;
}
