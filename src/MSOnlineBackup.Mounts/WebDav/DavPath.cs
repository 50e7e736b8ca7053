using System.Text;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Paths as they stand in requests and answers: names between slashes, bytes as <c>%HH</c>.</summary>
internal static class DavPath
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    /// <summary>The names of a request's target, and whether a slash ends it.</summary>
    /// <exception cref="HttpRefusal">It is not a path from the root, has parts that lead out of where they stand, or could be read in two ways.</exception>
    public static (IReadOnlyList<byte[]> Names, bool IsFolder) Parse(string target)
    {
        if (target is not ['/', ..])
        {
            throw new HttpRefusal(400, "What is asked for is not a path of this server.");
        }

        if (target.AsSpan().ContainsAny('?', '#'))
        {
            throw new HttpRefusal(400, "Paths here have neither queries nor fragments: write '?' in a name as %3F, and '#' as %23.");
        }

        if (target == "/")
        {
            return ([], true);
        }

        bool isFolder = target[^1] == '/';
        string[] parts = (isFolder ? target[1..^1] : target[1..]).Split('/');
        return ([.. parts.Select(Decode)], isFolder);
    }

    /// <summary>A name as a part of a path.</summary>
    public static string Encode(string name) => Encode(Encoding.UTF8.GetBytes(name));

    /// <summary>A name's bytes as a part of a path.</summary>
    public static string Encode(byte[] name)
    {
        var text = new StringBuilder(name.Length);
        foreach (byte b in name)
        {
            if (Unreserved.Contains((char)b, StringComparison.Ordinal))
            {
                text.Append((char)b);
            }
            else
            {
                text.Append('%').Append(Convert.ToHexString([b]));
            }
        }

        return text.ToString();
    }

    private static byte[] Decode(string part)
    {
        var name = new List<byte>(part.Length);
        for (int i = 0; i < part.Length; i++)
        {
            if (part[i] != '%')
            {
                // Some clients send bytes as they are.
                name.Add((byte)part[i]);
                continue;
            }

            if (i + 2 >= part.Length || !char.IsAsciiHexDigit(part[i + 1]) || !char.IsAsciiHexDigit(part[i + 2]))
            {
                throw new HttpRefusal(400, "A '%' in a path is followed by two hexadecimal digits: write '%' itself as %25.");
            }

            name.Add(Convert.ToByte(part.Substring(i + 1, 2), 16));
            i += 2;
        }

        byte[] decoded = [.. name];
        bool isName = decoded.Length > 0 && decoded is not ([(byte)'.'] or [(byte)'.', (byte)'.']) && !decoded.AsSpan().ContainsAny((byte)'/', (byte)0);
        return isName ? decoded : throw new HttpRefusal(400, "A part of the path is no name: parts are not empty, not '.' or '..', and have no slash and no NUL, encoded or not.");
    }
}
