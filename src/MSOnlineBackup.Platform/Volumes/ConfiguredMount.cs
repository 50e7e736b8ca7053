using System.Globalization;

namespace MSOnlineBackup.Platform.Volumes;

/// <summary>A mount that the system's administrator has configured.</summary>
/// <param name="Point">Where.</param>
/// <param name="Device">Of what, as "/dev/mapper/data" or "UUID=…".</param>
/// <param name="IsEncrypted">Whether the device comes into being only when an encrypted one is unlocked.</param>
internal sealed record ConfiguredMount(string Point, string Device, bool IsEncrypted)
{
    private const string Mapper = "/dev/mapper/";

    /// <summary>Reads what fstab names, with what crypttab says of it.</summary>
    /// <param name="mounts">Lines of fstab.</param>
    /// <param name="encrypted">Lines of crypttab.</param>
    public static IReadOnlyList<ConfiguredMount> Parse(IEnumerable<string> mounts, IEnumerable<string> encrypted)
    {
        var names = Fields(encrypted).Select(fields => Mapper + fields[0]).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. Fields(mounts).Where(fields => fields.Length >= 3 && fields[1].StartsWith('/') && fields[2] != "swap")
                .Select(fields => new ConfiguredMount(Unescape(fields[1]), Unescape(fields[0]), names.Contains(Unescape(fields[0])))),
        ];
    }

    private static IEnumerable<string[]> Fields(IEnumerable<string> lines) => lines
        .Where(line => !line.TrimStart().StartsWith('#'))
        .Select(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        .Where(fields => fields.Length > 0);

    // Blanks stand as \040.
    private static string Unescape(string text)
    {
        for (int at = text.IndexOf('\\', StringComparison.Ordinal); at >= 0 && at + 3 < text.Length; at = text.IndexOf('\\', at + 1))
        {
            string digits = text.Substring(at + 1, 3);
            if (digits.All(digit => digit is >= '0' and <= '7'))
            {
                char character = (char)(((digits[0] - '0') << 6) | ((digits[1] - '0') << 3) | (digits[2] - '0'));
                text = string.Create(CultureInfo.InvariantCulture, $"{text[..at]}{character}{text[(at + 4)..]}");
            }
        }

        return text;
    }
}
