namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// The numbers of the Zstandard format (RFC 8878) that its reader and its writer share. Names are the RFC's.
/// </summary>
internal static class ZstandardFormat
{
    /// <summary>The first four bytes of a frame, as a little-endian number.</summary>
    public const uint MagicNumber = 0xFD2FB528;

    /// <summary>The most bytes one block may hold, written or decoded (128 KiB).</summary>
    public const int BlockMaximumSize = 1 << 17;

    /// <summary>Bytes of the header that precedes every block.</summary>
    public const int BlockHeaderSize = 3;

    /// <summary>Bytes of a stream of literals' jump table: the sizes of the first three of four streams, two bytes each.</summary>
    public const int JumpTableSize = 6;

    /// <summary>The shortest match that a sequence can tell, in bytes.</summary>
    public const int MinimumMatchLength = 3;

    /// <summary>The longest code of the literals' Huffman tree, in bits.</summary>
    public const int HuffmanMaximumBits = 11;

    /// <summary>The largest accuracy log of the FSE table that Huffman weights are written with.</summary>
    public const int HuffmanWeightMaximumAccuracyLog = 6;

    /// <summary>The smallest accuracy log of any FSE table that a frame describes.</summary>
    public const int MinimumAccuracyLog = 5;

    /// <summary>The largest accuracy log of a table of literals length codes.</summary>
    public const int LiteralsLengthMaximumAccuracyLog = 9;

    /// <summary>The largest accuracy log of a table of match length codes.</summary>
    public const int MatchLengthMaximumAccuracyLog = 9;

    /// <summary>The largest accuracy log of a table of offset codes.</summary>
    public const int OffsetMaximumAccuracyLog = 8;

    /// <summary>The accuracy log of <see cref="LiteralsLengthDefaultDistribution"/>.</summary>
    public const int LiteralsLengthDefaultAccuracyLog = 6;

    /// <summary>The accuracy log of <see cref="MatchLengthDefaultDistribution"/>.</summary>
    public const int MatchLengthDefaultAccuracyLog = 6;

    /// <summary>The accuracy log of <see cref="OffsetDefaultDistribution"/>.</summary>
    public const int OffsetDefaultAccuracyLog = 5;

    /// <summary>The largest literals length code.</summary>
    public const int LiteralsLengthMaximumCode = 35;

    /// <summary>The largest match length code.</summary>
    public const int MatchLengthMaximumCode = 52;

    /// <summary>
    /// The largest offset code. A code is also the number of its extra bits, and its baseline is two to that power; the
    /// default distribution ends at 28.
    /// </summary>
    public const int OffsetMaximumCode = 31;

    /// <summary>Offset values 1 to 3 name a repeated offset; a real offset is written as itself plus this.</summary>
    public const int RepeatedOffsetCount = 3;

    /// <summary>Where a literals length code begins, in bytes.</summary>
    public static ReadOnlySpan<int> LiteralsLengthBaselines =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096,
        8192, 16384, 32768, 65536,
    ];

    /// <summary>How many bits follow a literals length code, to be added to its baseline.</summary>
    public static ReadOnlySpan<byte> LiteralsLengthExtraBits =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12,
        13, 14, 15, 16,
    ];

    /// <summary>Where a match length code begins, in bytes.</summary>
    public static ReadOnlySpan<int> MatchLengthBaselines =>
    [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
        19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
        35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051,
        4099, 8195, 16387, 32771, 65539,
    ];

    /// <summary>How many bits follow a match length code, to be added to its baseline.</summary>
    public static ReadOnlySpan<byte> MatchLengthExtraBits =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11,
        12, 13, 14, 15, 16,
    ];

    /// <summary>The predefined distribution of literals length codes; -1 is a probability of "less than one".</summary>
    public static ReadOnlySpan<short> LiteralsLengthDefaultDistribution =>
    [
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1,
        2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
        -1, -1, -1, -1,
    ];

    /// <summary>The predefined distribution of match length codes; -1 is a probability of "less than one".</summary>
    public static ReadOnlySpan<short> MatchLengthDefaultDistribution =>
    [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1,
        -1, -1, -1, -1, -1,
    ];

    /// <summary>The predefined distribution of offset codes; -1 is a probability of "less than one".</summary>
    public static ReadOnlySpan<short> OffsetDefaultDistribution =>
    [
        1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
    ];

    /// <summary>The three repeated offsets that a frame begins with, the latest first.</summary>
    public static ReadOnlySpan<int> InitialRepeatedOffsets => [1, 4, 8];
}
