namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// What the match finder tells the encoder: copy so many literals, then so many bytes from further back. Packed into eight
/// bytes, because up to 32 Ki of them are written and read again for one block.
/// </summary>
internal readonly struct Sequence
{
    private const int LiteralsLengthShift = 24;
    private const int MatchLengthShift = 44;
    private const uint OffsetMask = (1 << LiteralsLengthShift) - 1;
    private const uint LengthMask = (1 << (MatchLengthShift - LiteralsLengthShift)) - 1;

    private readonly ulong _packed;

    /// <summary>Takes lengths in bytes, up to a block's, and the offset as the format writes it.</summary>
    /// <param name="offsetValue">1 to 3 for a repeated offset, otherwise the offset plus 3; below 2^24.</param>
    public Sequence(uint literalsLength, uint matchLength, uint offsetValue) =>
        _packed = offsetValue | ((ulong)literalsLength << LiteralsLengthShift) | ((ulong)matchLength << MatchLengthShift);

    /// <summary>How many literals come before the match, in bytes.</summary>
    public uint LiteralsLength => unchecked((uint)(_packed >> LiteralsLengthShift) & LengthMask);

    /// <summary>The match's length, in bytes.</summary>
    public uint MatchLength => unchecked((uint)(_packed >> MatchLengthShift));

    /// <summary>The offset as the format writes it.</summary>
    public uint OffsetValue => unchecked((uint)_packed & OffsetMask);
}
