using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Drives;

/// <summary>
/// Names as paths of a drive have them. PowerShell takes <c>/</c> and <c>\</c> for separators on every system, so what no path can hold is written as <see cref="PathText"/> writes
/// it for Windows, whatever the machine: a backslash in a name is <c>&lt;5c&gt;</c>.
/// </summary>
internal static class DrivePath
{
    private static readonly char[] _separators = ['/', '\\'];

    /// <summary>A raw name, as it is shown.</summary>
    public static string Show(ReadOnlySpan<byte> name)
    {
        var parts = new List<string>();
        foreach (Range part in name.Split((byte)'\\'))
        {
            parts.Add(PathText.Show(PathForm.Windows, name[part]));
        }

        return string.Join("<5c>", parts);
    }

    /// <summary>The raw name that <see cref="Show"/> wrote.</summary>
    public static byte[] Read(string name) => PathText.Read(PathForm.Windows, name);

    /// <summary>The names of a path.</summary>
    public static string[] Split(string path) => path.Split(_separators, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The names of a full path as listings of recovery points show it: <c>C:\a</c> is <c>C</c> and <c>a</c>, as in a view.</summary>
    public static string[] OfFullPath(PathForm form, string path)
    {
        if (form == PathForm.Windows)
        {
            string[] names = Split(path);
            return names is [[_, ':'] drive, ..] ? [drive[..1], .. names[1..]] : names;
        }

        return [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(name => Show(PathText.Read(form, name)))];
    }

    /// <summary>The names that the target of a link of a recovery point has, and whether they begin at the root of the machine.</summary>
    public static (bool IsAbsolute, string[] Names) OfLink(PathForm form, ReadOnlySpan<byte> target)
    {
        if (form == PathForm.Windows)
        {
            string text = PathText.Show(form, target);
            text = text.StartsWith(@"\??\", StringComparison.Ordinal) || text.StartsWith(@"\\?\", StringComparison.Ordinal) ? text[4..] : text;
            return (text is [_, ':', ..] or ['\\', '\\', ..], OfFullPath(form, text));
        }

        var names = new List<string>();
        foreach (Range part in target.Split((byte)'/'))
        {
            if (!target[part].IsEmpty)
            {
                names.Add(Show(target[part]));
            }
        }

        return (target is [(byte)'/', ..], [.. names]);
    }

    /// <summary>What an item may be done with, as its machine would show it: <c>drwxr-xr-x</c>, or of Windows <c>d-r-h-</c> as PowerShell does.</summary>
    public static string Mode(ManifestEntry entry, PathForm form)
    {
        if (form == PathForm.Windows)
        {
            FileAttributes attributes = entry.WindowsAttributes ?? default;
            bool isLink = entry.Kind == EntryKind.SymbolicLink || attributes.HasFlag(FileAttributes.ReparsePoint);
            return string.Concat(
                isLink ? 'l' : entry.Kind == EntryKind.Directory ? 'd' : '-',
                attributes.HasFlag(FileAttributes.Archive) ? 'a' : '-',
                attributes.HasFlag(FileAttributes.ReadOnly) ? 'r' : '-')
                + string.Concat(attributes.HasFlag(FileAttributes.Hidden) ? 'h' : '-', attributes.HasFlag(FileAttributes.System) ? 's' : '-');
        }

        uint mode = entry.Metadata.Mode;
        Span<char> text = stackalloc char[10];
        text[0] = entry.Kind switch
        {
            EntryKind.Directory => 'd',
            EntryKind.SymbolicLink => 'l',
            EntryKind.Fifo => 'p',
            EntryKind.Socket => 's',
            EntryKind.CharacterDevice => 'c',
            EntryKind.BlockDevice => 'b',
            _ => '-',
        };
        for (int bit = 0; bit < 9; bit++)
        {
            text[bit + 1] = (mode & (0x100u >> bit)) != 0 ? "rwx"[bit % 3] : '-';
        }

        // Set-user-id, set-group-id and the sticky bit stand where the right to execute does.
        for (int special = 0; special < 3; special++)
        {
            if ((mode & (0x800u >> special)) != 0)
            {
                int at = (3 * special) + 3;
                text[at] = (text[at] == 'x', special) switch { (true, 2) => 't', (false, 2) => 'T', (true, _) => 's', _ => 'S' };
            }
        }

        return new string(text);
    }
}
