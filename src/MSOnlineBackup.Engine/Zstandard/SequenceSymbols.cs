namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// One of the three parts of a sequence - literals length, offset, match length: its codes, its default distribution and where
/// its decoding table lies. All three tables are one array, so that one pointer reaches them.
/// </summary>
internal sealed class SequenceSymbols
{
    /// <summary>Where the decoding table of literals lengths begins.</summary>
    public const int LiteralsLengthTable = 0;

    /// <summary>Where the decoding table of match lengths begins.</summary>
    public const int MatchLengthTable = LiteralsLengthTable + (1 << ZstandardFormat.LiteralsLengthMaximumAccuracyLog);

    /// <summary>Where the decoding table of offsets begins.</summary>
    public const int OffsetTable = MatchLengthTable + (1 << ZstandardFormat.MatchLengthMaximumAccuracyLog);

    /// <summary>How many entries the three tables have together.</summary>
    public const int TablesSize = OffsetTable + (1 << ZstandardFormat.OffsetMaximumAccuracyLog);

    /// <summary>Literals lengths.</summary>
    public static readonly SequenceSymbols LiteralsLength = new(
        LiteralsLengthTable, ZstandardFormat.LiteralsLengthMaximumAccuracyLog,
        Entries(ZstandardFormat.LiteralsLengthBaselines, ZstandardFormat.LiteralsLengthExtraBits),
        ZstandardFormat.LiteralsLengthDefaultDistribution, ZstandardFormat.LiteralsLengthDefaultAccuracyLog);

    /// <summary>Match lengths.</summary>
    public static readonly SequenceSymbols MatchLength = new(
        MatchLengthTable, ZstandardFormat.MatchLengthMaximumAccuracyLog,
        Entries(ZstandardFormat.MatchLengthBaselines, ZstandardFormat.MatchLengthExtraBits),
        ZstandardFormat.MatchLengthDefaultDistribution, ZstandardFormat.MatchLengthDefaultAccuracyLog);

    /// <summary>
    /// Offsets. Codes of two extra bits and more stand for offsets; code 0 and the two values of code 1 for the repeated offsets
    /// 0, 1 and 2.
    /// </summary>
    public static readonly SequenceSymbols Offset = new(
        OffsetTable, ZstandardFormat.OffsetMaximumAccuracyLog, OffsetEntries(),
        ZstandardFormat.OffsetDefaultDistribution, ZstandardFormat.OffsetDefaultAccuracyLog);

    private readonly FseEntry[] _defaultTable;

    private SequenceSymbols(
        int tableStart, int maximumAccuracyLog, FseEntry[] entries, ReadOnlySpan<short> defaultDistribution, int defaultAccuracyLog)
    {
        TableStart = tableStart;
        MaximumAccuracyLog = maximumAccuracyLog;
        Symbols = entries;
        DefaultAccuracyLog = defaultAccuracyLog;
        _defaultTable = new FseEntry[1 << defaultAccuracyLog];
        FseTable.Build(defaultDistribution, defaultAccuracyLog, entries, _defaultTable);
    }

    /// <summary>Where the table begins.</summary>
    public int TableStart { get; }

    /// <summary>The largest accuracy log that a block may give the table.</summary>
    public int MaximumAccuracyLog { get; }

    /// <summary>Baseline and extra bits of every code.</summary>
    public FseEntry[] Symbols { get; }

    /// <summary>The accuracy log of <see cref="DefaultTable"/>.</summary>
    public int DefaultAccuracyLog { get; }

    /// <summary>The table of the predefined distribution.</summary>
    public ReadOnlySpan<FseEntry> DefaultTable => _defaultTable;

    private static FseEntry[] Entries(ReadOnlySpan<int> baselines, ReadOnlySpan<byte> extraBits)
    {
        var entries = new FseEntry[baselines.Length];
        for (int code = 0; code < entries.Length; code++)
        {
            entries[code] = new FseEntry((uint)baselines[code], NextState: 0, extraBits[code], StateBits: 0);
        }

        return entries;
    }

    private static FseEntry[] OffsetEntries()
    {
        var entries = new FseEntry[ZstandardFormat.OffsetMaximumCode + 1];
        for (int code = 0; code < entries.Length; code++)
        {
            uint lowest = code < 2 ? (uint)code : (1u << code) - ZstandardFormat.RepeatedOffsetCount;
            entries[code] = new FseEntry(lowest, NextState: 0, (byte)code, StateBits: 0);
        }

        return entries;
    }
}
