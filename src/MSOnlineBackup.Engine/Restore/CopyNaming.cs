using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Names for what is restored beside something that keeps its own.</summary>
/// <param name="style">How they are made.</param>
/// <param name="started">When the restore began, in local time.</param>
internal sealed class CopyNaming(CopyNames style, DateTimeOffset started)
{
    private readonly string _date = started.ToString("yyyy-MM-dd HH-mm", CultureInfo.InvariantCulture);

    /// <summary>The n-th name to try, from 1 on.</summary>
    public byte[] NameBeside(ReadOnlySpan<byte> name, int number)
    {
        if (style == CopyNames.Dated)
        {
            return [.. Encoding.ASCII.GetBytes(number == 1 ? $"{_date} Copy of " : $"{_date} Copy ({number}) of "), .. name];
        }

        int dot = name.LastIndexOf((byte)'.');
        int stem = dot > 0 ? dot : name.Length;
        return [.. name[..stem], .. Encoding.ASCII.GetBytes(number == 1 ? " (restored)" : $" (restored {number})"), .. name[stem..]];
    }
}
