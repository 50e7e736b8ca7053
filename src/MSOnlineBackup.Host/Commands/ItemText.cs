using System.Globalization;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Host.Commands;

/// <summary>An item of a recovery point as <c>ls</c> and <c>find</c> show it.</summary>
internal static class ItemText
{
    private const string Permissions = "rwxrwxrwx";

    /// <summary>The path; of a folder with a separator at its end.</summary>
    public static string Short(ItemLine item)
    {
        char separator = item.Attributes is null ? '/' : '\\';
        return item.Kind == EntryKind.Directory && !item.Path.EndsWith(separator) ? $"{item.Path}{separator}" : item.Path;
    }

    /// <summary>In the manner of ls -l; of Windows, where no item has modes and numbers of owners, in that of Get-ChildItem.</summary>
    public static string Long(ItemLine item, CommandContext context)
    {
        string mode = item.Attributes is null ? $"{Mode(item)}  {$"{item.UserId}:{item.GroupId}",-11}" : Attributes(item);
        string size = item.Bytes.ToString(CultureInfo.InvariantCulture);
        string link = item.LinkTarget is null ? "" : $" -> {item.LinkTarget}";
        string flags = item.Flags.Count == 0 ? "" : $"  ({string.Join(", ", item.Flags)})";
        return $"{mode}  {size,14}  {Time(item.Modified, context)}  {item.Path}{link}{flags}";
    }

    // As PowerShell's Mode: directory or link, archive, read-only, hidden, system.
    private static string Attributes(ItemLine item)
    {
        char kind = item.Kind switch
        {
            EntryKind.Directory => 'd',
            EntryKind.SymbolicLink => 'l',
            EntryKind.Unknown => '?',
            _ => '-',
        };
        return $"{kind}{Letter(FileAttributes.Archive, 'a')}{Letter(FileAttributes.ReadOnly, 'r')}{Letter(FileAttributes.Hidden, 'h')}{Letter(FileAttributes.System, 's')}";

        char Letter(FileAttributes attribute, char letter) => item.Attributes!.Contains(attribute.ToString()) ? letter : '-';
    }

    // A calendar of local time knows the years 1 to 9999.
    private static string Time(ItemTime time, CommandContext context) =>
        time.ToDateTimeOffset() is { } known ? context.LocalTime(known) : time.ToString();

    private static string Mode(ItemLine item)
    {
        int mode = Convert.ToInt32(item.Mode, 8);
        Span<char> text = stackalloc char[10];
        text[0] = item.Kind switch
        {
            EntryKind.Directory => 'd',
            EntryKind.SymbolicLink => 'l',
            EntryKind.Fifo => 'p',
            EntryKind.Socket => 's',
            EntryKind.CharacterDevice => 'c',
            EntryKind.BlockDevice => 'b',
            EntryKind.Unknown => '?',
            _ => '-',
        };
        for (int bit = 0; bit < Permissions.Length; bit++)
        {
            text[bit + 1] = (mode & (0b1_0000_0000 >> bit)) != 0 ? Permissions[bit] : '-';
        }

        // Set-user-id, set-group-id and sticky stand in the place of an x, as capitals where there is none.
        for (int special = 0; special < 3; special++)
        {
            if ((mode & (0x800 >> special)) != 0)
            {
                ref char place = ref text[3 + (special * 3)];
                char letter = special == 2 ? 't' : 's';
                place = place == 'x' ? letter : char.ToUpperInvariant(letter);
            }
        }

        return text.ToString();
    }
}
