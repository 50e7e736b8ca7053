using System.Globalization;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Names for what is restored beside something that keeps its own.</summary>
/// <param name="style">How they are made.</param>
/// <param name="started">When the restore began, in local time.</param>
internal sealed class CopyNaming(CopyNames style, DateTimeOffset started)
{
    private const int MaxNamesTried = 1000;

    // In bytes: what file systems take. What is longer after the last dot is no extension that tells anything.
    private const int LongestName = 255;
    private const int LongestExtension = 32;

    private readonly string _date = started.ToString("yyyy-MM-dd HH-mm", CultureInfo.InvariantCulture);

    /// <summary>A place beside one that is taken.</summary>
    /// <exception cref="BackupException">RestoreItemExists: all are taken.</exception>
    public EntryPath FindBeside(EntryPath place, IRestoreTarget target)
    {
        EntryPath parent = place.Parent;
        for (int number = 1; number <= MaxNamesTried; number++)
        {
            EntryPath candidate = parent.Append(NameBeside(place.Name, number));
            if (target.Find(candidate) is null)
            {
                return candidate;
            }
        }

        throw new BackupException(
            BackupErrorId.RestoreItemExists,
            $"No free name was found beside '{PathText.Show(place)}': all {MaxNamesTried} names tried are taken.",
            "Restore into another folder, or remove the copies that earlier restores left.",
            target: PathText.Show(place));
    }

    /// <summary>The n-th name to try, from 1 on.</summary>
    public byte[] NameBeside(ReadOnlySpan<byte> name, int number)
    {
        if (style == CopyNames.Dated)
        {
            int stem = StemOf(name);
            ReadOnlySpan<byte> extension = name[stem..];
            byte[] prefix = Encoding.ASCII.GetBytes(number == 1 ? $"{_date} Copy of " : $"{_date} Copy ({number}) of ");
            return [.. prefix, .. Shorten(name[..stem], prefix.Length + extension.Length), .. extension];
        }

        return WithSuffix(name, number == 1 ? " (restored)" : $" (restored {number})");
    }

    /// <summary>A name with something before its extension, cut where it would become too long.</summary>
    /// <param name="name">The name, raw.</param>
    /// <param name="text">What is put there: ASCII.</param>
    public static byte[] WithSuffix(ReadOnlySpan<byte> name, string text)
    {
        int stem = StemOf(name);
        byte[] suffix = Encoding.ASCII.GetBytes(text);
        return [.. Shorten(name[..stem], suffix.Length + name.Length - stem), .. suffix, .. name[stem..]];
    }

    private static int StemOf(ReadOnlySpan<byte> name)
    {
        int dot = name.LastIndexOf((byte)'.');
        return dot > 0 && name.Length - dot <= LongestExtension ? dot : name.Length;
    }

    // As much of a name as there is room for; no character is cut in two.
    private static ReadOnlySpan<byte> Shorten(ReadOnlySpan<byte> name, int others)
    {
        int length = Math.Min(name.Length, LongestName - others);
        while (length > 0 && length < name.Length && (name[length] & 0xC0) == 0x80)
        {
            length--;
        }

        return name[..length];
    }
}
