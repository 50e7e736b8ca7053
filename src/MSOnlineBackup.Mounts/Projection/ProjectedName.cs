using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>
/// Names that Windows allows in a folder, for names of any system: what it does not allow in one is written as in addresses (<c>a:b</c> becomes <c>a%3Ab</c>). Names that
/// look alike then, or that Windows takes for one, have a number.
/// </summary>
internal static class ProjectedName
{
    private const int MostUnits = 255;
    private const int KeptUnits = 230;

    private static readonly HashSet<string> _devices = new(
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. "0123456789¹²³".SelectMany(digit => (string[])[$"COM{digit}", $"LPT{digit}"])], StringComparer.OrdinalIgnoreCase);

    /// <summary>A name that Windows allows.</summary>
    public static string Of(string name)
    {
        var shown = new StringBuilder(name.Length);
        foreach (char unit in name)
        {
            _ = IsAllowed(unit) ? shown.Append(unit) : Escape(shown, unit);
        }

        // Windows drops these at the end of a name, and means devices by those names, whatever follows a dot.
        if (shown.Length > 0 && shown[^1] is '.' or ' ')
        {
            char last = shown[^1];
            Escape(shown.Remove(shown.Length - 1, 1), last);
        }

        string text = shown.ToString();
        string stem = text.Split('.')[0].TrimEnd(' ');
        if (_devices.Contains(stem))
        {
            text = Escape(new StringBuilder(), text[0]).Append(text.AsSpan(1)).ToString();
        }

        return text.Length <= MostUnits ? text : Cut(text);
    }

    /// <summary>A name with a number before its extension, for the second, third, … of those that are taken for one.</summary>
    public static string Numbered(string name, int number)
    {
        string mark = string.Create(CultureInfo.InvariantCulture, $" ({number})");
        int dot = name.LastIndexOf('.');
        (string stem, string extension) = dot > 0 && name.Length - dot <= 16 ? (name[..dot], name[dot..]) : (name, "");
        int room = MostUnits - mark.Length - extension.Length;
        return $"{(stem.Length > room ? Whole(stem, room) : stem)}{mark}{extension}";
    }

    private static bool IsAllowed(char unit) => unit >= ' ' && unit is not ('<' or '>' or ':' or '"' or '/' or '\\' or '|' or '?' or '*');

    private static StringBuilder Escape(StringBuilder shown, char unit) => shown.Append(CultureInfo.InvariantCulture, $"%{(int)unit:X2}");

    // Names of Linux have 255 bytes at most; what Windows does not allow takes three units in place of one.
    private static string Cut(string text) =>
        $"{Whole(text, KeptUnits)}~{Convert.ToHexString(SHA256.HashData(Encoding.Unicode.GetBytes(text)).AsSpan(0, 8))}";

    private static string Whole(string text, int length) => text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
