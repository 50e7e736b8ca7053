using System.Text;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>
/// Names as clients get and say them, which know text alone: as they are where they are text, and as obengine shows them (<see cref="PathText"/>) where they are not, or
/// where they could be taken for one that is shown so. No two names of a folder look alike.
/// </summary>
internal static class ServedName
{
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A raw name as text.</summary>
    public static string Show(PathForm form, ReadOnlySpan<byte> name) => IsPlain(form, name) ? _strict.GetString(name) : PathText.Show(form, name);

    /// <summary>The raw name that text stands for, as a client said it; null where no name looks so.</summary>
    public static byte[]? Read(PathForm form, ReadOnlySpan<byte> said)
    {
        string text;
        try
        {
            text = _strict.GetString(said);
        }
        catch (DecoderFallbackException)
        {
            // Who says bytes means them.
            return said.ToArray();
        }

        byte[] name = PathText.Read(form, text);
        return Show(form, name) == text ? name : null;
    }

    private static bool IsPlain(PathForm form, ReadOnlySpan<byte> name)
    {
        foreach (Rune rune in Encoding.UTF8.GetString(name).EnumerateRunes())
        {
            if (Rune.IsControl(rune) || rune.Value is 0xFFFD or 0xFFFE or 0xFFFF)
            {
                return false;
            }
        }

        return PathText.Read(form, _strict.GetString(name)).AsSpan().SequenceEqual(name);
    }
}
