namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// The absolute path of a source's root, as a point has it, and what follows from it: the full paths of its items, and their place
/// below a restore's target, in which full paths of every platform compare alike.
/// </summary>
internal static class SourcePath
{
    private static ReadOnlySpan<byte> Extended => @"\\?\"u8;

    private static ReadOnlySpan<byte> ExtendedShare => @"\\?\UNC\"u8;

    /// <summary>Whether a source can have this path: not empty, and a place below a target follows from it.</summary>
    public static bool IsValid(PathForm form, string path) => path.Length > 0 && EntryPath.IsValid(ToTarget(form, path).Bytes);

    /// <summary>The place below a target of a source's path as a point has it (<see cref="EntryName"/>): <c>/home/a</c> becomes <c>home/a</c>; of Windows
    /// <c>C:\x</c> becomes <c>C/x</c>, <c>\\server\share</c> becomes <c>server/share</c>. Not necessarily a legal path.</summary>
    public static EntryPath ToTarget(PathForm form, string path)
    {
        byte[] bytes = EntryName.Unescape(path);
        if (form == PathForm.Windows)
        {
            bool hasDrive = HasDrive(bytes);
            if (hasDrive || bytes.AsSpan().StartsWith(@"\\"u8))
            {
                bytes.AsSpan().Replace((byte)'\\', (byte)'/');
            }

            if (hasDrive)
            {
                bytes = [bytes[0], .. bytes.AsSpan(2)];
            }
        }

        return new EntryPath(bytes.AsSpan().Trim((byte)'/').ToArray());
    }

    /// <summary>The place below a target of a source's root.</summary>
    public static EntryPath ToTarget(RecoveryPointSource source) => ToTarget(source.Form, source.Path);

    /// <summary>The place of a full path that somebody typed, or copied from a listing. In the form of Windows both separators count, also where there
    /// are more of them than it takes (<c>C:\\x</c>, as it stands in JSON), and <c>\\?\C:\x</c> is <c>C:\x</c>. Not necessarily a legal path.</summary>
    public static EntryPath Typed(PathForm form, string path)
    {
        byte[] bytes = PathText.Read(form, path);
        if (form == PathForm.Windows)
        {
            if (bytes.AsSpan().StartsWith(ExtendedShare))
            {
                bytes = bytes[ExtendedShare.Length..];
            }
            else if (bytes.AsSpan().StartsWith(Extended) && HasDrive(bytes.AsSpan(Extended.Length)))
            {
                bytes = bytes[Extended.Length..];
            }

            if (HasDrive(bytes))
            {
                bytes = [bytes[0], .. bytes.AsSpan(2)];
            }

            bytes.AsSpan().Replace((byte)'\\', (byte)'/');
            var single = new List<byte>(bytes.Length);
            foreach (byte b in bytes)
            {
                if (b != '/' || (single.Count > 0 && single[^1] != '/'))
                {
                    single.Add(b);
                }
            }

            bytes = [.. single];
        }

        return new EntryPath(bytes.AsSpan().Trim((byte)'/').ToArray());
    }

    /// <summary>The full path of an entry of a source, as it is shown.</summary>
    /// <param name="form">The source's form.</param>
    /// <param name="source">The path of its root, as a point has it.</param>
    /// <param name="entry">The entry.</param>
    public static string Join(PathForm form, string source, EntryPath entry)
    {
        string root = form == PathForm.Windows ? PathText.Show(form, EntryName.Unescape(source)) : source;
        if (entry.IsRoot)
        {
            return root;
        }

        char separator = form == PathForm.Windows ? '\\' : '/';
        string below = PathText.Show(form, entry.Bytes);
        return root.EndsWith(separator) ? root + below : $"{root}{separator}{below}";
    }

    /// <summary>The full path of an entry of a source, as it is shown.</summary>
    public static string Join(RecoveryPointSource source, EntryPath entry) => Join(source.Form, source.Path, entry);

    /// <summary>A full path that is shown, as a point has it.</summary>
    public static string ToStored(PathForm form, string shown) => form == PathForm.Windows ? EntryName.Escape(PathText.Read(form, shown)) : shown;

    /// <summary>A full path of a point, as it is shown.</summary>
    public static string FromStored(PathForm form, string stored) => Join(form, stored, EntryPath.Root);

    /// <summary>The path below a source's root that a place names; false where it lies elsewhere.</summary>
    /// <param name="source">The source.</param>
    /// <param name="place">The place, as <see cref="Typed"/> has it.</param>
    /// <param name="ignoreCase">Whether capital and small letters are the same.</param>
    /// <param name="below">The path.</param>
    public static bool TryRelate(RecoveryPointSource source, EntryPath place, bool ignoreCase, out EntryPath below)
    {
        below = EntryPath.Root;
        if (LengthOfFolder(ToTarget(source), place, ignoreCase) is not { } length)
        {
            return false;
        }

        below = new EntryPath(place.Bytes[length..].TrimStart((byte)'/').ToArray());
        return true;
    }

    /// <summary>Whether a place is a source's root, or above it.</summary>
    public static bool IsAtOrAbove(RecoveryPointSource source, EntryPath place, bool ignoreCase) =>
        LengthOfFolder(place, ToTarget(source), ignoreCase) is not null;

    // How much of a place its folder is, which may be longer or shorter as it is written itself; null where it lies elsewhere.
    private static int? LengthOfFolder(EntryPath folder, EntryPath place, bool ignoreCase)
    {
        if (!ignoreCase || folder.IsRoot)
        {
            return place.IsAtOrBelow(folder) ? folder.Bytes.Length : null;
        }

        int end = -1;
        for (int names = folder.Bytes.Count((byte)'/'); names >= 0; names--)
        {
            if (end == place.Bytes.Length)
            {
                return null;
            }

            int slash = place.Bytes[(end + 1)..].IndexOf((byte)'/');
            end = slash < 0 ? place.Bytes.Length : end + 1 + slash;
        }

        return CaselessName.AreEqual(folder.Bytes, place.Bytes[..end]) ? end : null;
    }

    private static bool HasDrive(ReadOnlySpan<byte> path) =>
        path.Length >= 2 && char.IsAsciiLetter((char)path[0]) && path[1] == ':' && (path.Length == 2 || path[2] is (byte)'\\' or (byte)'/');
}
