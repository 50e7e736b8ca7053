namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>One spelling for each path of Windows, so that a source is known again however it is written.</summary>
internal static class WindowsPath
{
    private const string Extended = @"\\?\";
    private const string ExtendedShare = @"\\?\UNC\";
    private const string Device = @"\\.\";
    private const string Root = @"GLOBALROOT\";

    /// <summary>A full path: the drive in upper case, no <c>\\?\</c> or <c>\\.\</c> where the path does without, no separator at its end but for the root of a
    /// volume. The names in it stay as they are written: whether their case counts is the file system's.</summary>
    /// <param name="path">A path, resolved against the current folder.</param>
    public static string Normalize(string path) => Shorten(Path.GetFullPath(path));

    /// <summary>As <see cref="Normalize"/>, for a path that is full already.</summary>
    internal static string Shorten(string full)
    {
        if (full.StartsWith(ExtendedShare, StringComparison.OrdinalIgnoreCase))
        {
            full = @"\\" + full[ExtendedShare.Length..];
        }
        else if ((full.StartsWith(Extended, StringComparison.Ordinal) || full.StartsWith(Device, StringComparison.Ordinal))
            && HasDrive(full[Extended.Length..]))
        {
            full = full[Extended.Length..];
        }

        string trimmed = IsRootOfDevice(full) || full.Length <= @"C:\".Length ? full : full.TrimEnd('\\');
        return HasDrive(trimmed) ? char.ToUpperInvariant(trimmed[0]) + trimmed[1..] : trimmed;
    }

    /// <summary>
    /// Whether a path, as <see cref="Shorten"/> has it, is a device and no folder or file: <c>\\.\PhysicalDrive0</c>, <c>\\.\C:</c>, <c>NUL</c>.
    /// </summary>
    public static bool IsDevice(string path) =>
        path.StartsWith(Device, StringComparison.Ordinal)
        || (path.StartsWith(Extended, StringComparison.Ordinal) && IsNameOfDevice(path) && !path.EndsWith('\\'));

    // \\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7\ is the root of a volume, as is \\?\Volume{…}\; without its end it is the volume itself.
    private static bool IsRootOfDevice(string path) => path.StartsWith(Extended, StringComparison.Ordinal) && IsNameOfDevice(path);

    // Whether nothing below a device is named.
    private static bool IsNameOfDevice(string path)
    {
        int names = path.AsSpan(Extended.Length).TrimEnd('\\').Count('\\') + 1;
        return names <= (path.AsSpan(Extended.Length).StartsWith(Root, StringComparison.OrdinalIgnoreCase) ? 3 : 1);
    }

    private static bool HasDrive(string path) => path is [_, ':', '\\', ..] && char.IsAsciiLetter(path[0]);
}
