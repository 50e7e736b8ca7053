namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Front-coded paths: how many bytes a path shares with the one before it in the same block, then the rest. The
/// sharing is maximal, so a single byte decides the order.</summary>
internal static class PathCoding
{
    /// <summary>Writes a path that follows <paramref name="previous"/>.</summary>
    /// <exception cref="InvalidOperationException">The path is not legal, or does not come after the previous one: a bug of the caller.</exception>
    public static void Write(BlockWriter block, ReadOnlySpan<byte> path, ReadOnlySpan<byte> previous, bool isFirst)
    {
        int shared = path.CommonPrefixLength(previous);
        if (!IsNext(path, previous, shared, isFirst))
        {
            throw new InvalidOperationException(
                $"The path '{EntryName.Escape(path)}' is not legal or does not come after '{EntryName.Escape(previous)}'.");
        }

        block.WriteVarint(shared);
        block.WriteCounted(path[shared..]);
    }

    /// <summary>Reads a path over the previous one.</summary>
    /// <param name="block">Where from.</param>
    /// <param name="path">The previous path, replaced by the new one; grown where needed.</param>
    /// <param name="length">Length of the previous path, then of the new one.</param>
    /// <param name="isFirst">Whether this is the block's first.</param>
    public static void Read(ref BlockReader block, ref byte[] path, ref int length, bool isFirst)
    {
        int shared = (int)block.ReadNumber(length);
        ReadOnlySpan<byte> rest = block.ReadBytes((int)block.ReadNumber(EntryPath.MaxLength - shared));
        ReadOnlySpan<byte> previous = path.AsSpan(0, length);
        bool ascends = isFirst || (!rest.IsEmpty
            && (shared == previous.Length || (rest[0] != previous[shared] && Rank(rest[0]) > Rank(previous[shared]))));
        if (!ascends)
        {
            throw block.Damaged("its paths are not in order");
        }

        length = shared + rest.Length;
        if (length > path.Length)
        {
            Array.Resize(ref path, Math.Min(Math.Max(length, path.Length * 2), EntryPath.MaxLength));
        }

        rest.CopyTo(path.AsSpan(shared));
        if (!IsLegalFrom(path.AsSpan(0, length), shared))
        {
            throw block.Damaged("it holds a path that is not legal");
        }
    }

    private static bool IsNext(ReadOnlySpan<byte> path, ReadOnlySpan<byte> previous, int shared, bool isFirst) =>
        path.Length <= EntryPath.MaxLength
        && (isFirst || (shared < path.Length && (shared == previous.Length || Rank(path[shared]) > Rank(previous[shared]))))
        && IsLegalFrom(path, shared);

    // What is shared was legal in the previous path; only the component in which they part, and what follows, is new.
    private static bool IsLegalFrom(ReadOnlySpan<byte> path, int shared)
    {
        int component = path[..shared].LastIndexOf((byte)'/') + 1;
        ReadOnlySpan<byte> rest = path[component..];
        return EntryPath.IsValid(rest) && !(component > 0 && rest.IsEmpty);
    }

    private static int Rank(byte value) => value == (byte)'/' ? -1 : value;
}
