namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>
/// The absolute path of a source's root, as text, and what follows from it: the full paths of its items, and their place
/// below a restore's target, in which full paths of every platform compare alike.
/// </summary>
internal static class SourcePath
{
    /// <summary>How paths are written on this system.</summary>
    public static PathForm Local => OperatingSystem.IsWindows() ? PathForm.Windows : PathForm.Posix;

    /// <summary>Whether a source can have this path: not empty, and a place below a target follows from it.</summary>
    public static bool IsValid(PathForm form, string path) => path.Length > 0 && EntryPath.IsValid(ToTarget(form, path).Bytes);

    /// <summary>The place below a target of a full path: <c>/home/a</c> becomes <c>home/a</c>; of Windows <c>C:\x</c> becomes <c>C/x</c>,
    /// <c>\\server\share</c> becomes <c>server/share</c>. Not necessarily a legal path.</summary>
    public static EntryPath ToTarget(PathForm form, string path)
    {
        byte[] bytes = EntryName.Unescape(path);
        if (form == PathForm.Windows)
        {
            bool hasDrive = bytes.Length >= 2 && char.IsAsciiLetter((char)bytes[0]) && bytes[1] == ':' && (bytes.Length == 2 || bytes[2] is (byte)'\\' or (byte)'/');
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

    /// <summary>The full path of an entry of a source, as a listing shows it.</summary>
    public static string Join(PathForm form, string source, EntryPath entry)
    {
        if (entry.IsRoot)
        {
            return source;
        }

        bool endsWithSeparator = source.EndsWith('/') || (form == PathForm.Windows && source.EndsWith('\\'));
        return endsWithSeparator ? $"{source}{entry}" : $"{source}/{entry}";
    }

    /// <summary>The full path of an entry of a source, as a listing shows it.</summary>
    public static string Join(RecoveryPointSource source, EntryPath entry) => Join(source.Form, source.Path, entry);

    /// <summary>The path below a source's root that a full path names; false where it lies elsewhere.</summary>
    public static bool TryRelate(RecoveryPointSource source, string fullPath, out EntryPath below)
    {
        EntryPath root = ToTarget(source);
        EntryPath full = ToTarget(source.Form, fullPath);
        bool related = full.IsAtOrBelow(root);
        below = related ? new EntryPath(full.Bytes[root.Bytes.Length..].TrimStart((byte)'/').ToArray()) : EntryPath.Root;
        return related;
    }
}
