using System.Text;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// The one place that writes the paths of a recovery point for people, and reads what they type: in the form of the machine that was backed up, whatever
/// machine this is. <c>posix</c>: <c>/a/b</c>, special bytes as <see cref="EntryName"/> has them. <c>windows</c>: <c>C:\a\b</c>, and as
/// a backslash always separates there, special bytes are written with what no name of Windows has: <c>&lt;HH&gt;</c>.
/// </summary>
public static class PathText
{
    /// <summary>How paths are written on this machine: what a restore has made is shown so.</summary>
    public static PathForm Local => OperatingSystem.IsWindows() ? PathForm.Windows : PathForm.Posix;

    /// <summary>A path, or a name, as it is shown.</summary>
    /// <param name="form">The form of the point that holds it; <see cref="Local"/> for what is on this machine.</param>
    /// <param name="path">Its raw bytes; names joined by '/' (a root of Windows also by '\').</param>
    public static string Show(PathForm form, ReadOnlySpan<byte> path)
    {
        if (form != PathForm.Windows)
        {
            return EntryName.Escape(path);
        }

        var text = new StringBuilder(path.Length);
        Span<char> chars = stackalloc char[2];
        while (!path.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(path, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done;
            if (valid && rune.Value is '/' or '\\')
            {
                text.Append('\\');
            }
            else if (valid && !Rune.IsControl(rune) && !IsEscape(path))
            {
                text.Append(chars[..rune.EncodeToUtf16(chars)]);
            }
            else
            {
                foreach (byte b in path[..consumed])
                {
                    text.Append('<').Append(Convert.ToHexStringLower([b])).Append('>');
                }
            }

            path = path[consumed..];
        }

        return text.ToString();

        static bool IsEscape(ReadOnlySpan<byte> rest) =>
            rest is [(byte)'<', _, _, (byte)'>', ..] && char.IsAsciiHexDigit((char)rest[1]) && char.IsAsciiHexDigit((char)rest[2]);
    }

    /// <summary>A path below a restore's target as this machine writes it.</summary>
    public static string Show(EntryPath path) => Show(Local, path.Bytes);

    /// <summary>The path of something in a folder, as it is shown.</summary>
    /// <param name="form">The form of both.</param>
    /// <param name="folder">The folder's path, as it is shown; empty for no folder.</param>
    /// <param name="below">The path below it, likewise; separators at its ends do not count.</param>
    public static string Join(PathForm form, string folder, string below)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(below);
        return form == PathForm.Windows
            ? folder.Length == 0 ? below.Trim('\\', '/') : $"{folder.TrimEnd('\\', '/')}\\{below.Trim('\\', '/')}"
            : $"{folder.TrimEnd('/')}/{below.Trim('/')}";
    }

    /// <summary>The raw bytes of what <see cref="Show(PathForm, ReadOnlySpan{byte})"/> wrote, or of what somebody typed. Separators stay as they are.</summary>
    public static byte[] Read(PathForm form, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (form != PathForm.Windows)
        {
            return EntryName.Unescape(text);
        }

        var bytes = new List<byte>(text.Length);
        Span<byte> encoded = stackalloc byte[4];
        for (int i = 0; i < text.Length;)
        {
            if (text[i] == '<' && i + 3 < text.Length && text[i + 3] == '>' && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16));
                i += 4;
            }
            else if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                bytes.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
                i += rune.Utf16SequenceLength;
            }
            else
            {
                // Half a pair, which names of Windows may have: the bytes that a backup gave it.
                bytes.AddRange([(byte)(0xE0 | (text[i] >> 12)), (byte)(0x80 | ((text[i] >> 6) & 0x3F)), (byte)(0x80 | (text[i] & 0x3F))]);
                i++;
            }
        }

        return [.. bytes];
    }
}
