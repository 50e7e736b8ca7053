using System.Buffers;
using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>What a request says before its body. Texts are of Latin-1: a character a byte.</summary>
/// <param name="Method">The method.</param>
/// <param name="Target">What is asked for, as it was sent.</param>
/// <param name="Headers">The headers, by name in any case; those that stood there several times are joined by commas.</param>
internal sealed record HttpHead(string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Most bytes of a head.</summary>
    public const int MaxLength = 16 << 10;

    private const int MaxHeaders = 100;
    private const int MaxMethod = 32;

    private static readonly SearchValues<char> _token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // What several of which would mean is anybody's guess, and who guesses otherwise than somebody before it is deceived.
    private static readonly HashSet<string> _single = new(StringComparer.OrdinalIgnoreCase)
    {
        "Authorization", "Content-Length", "Depth", "Host", "If-Modified-Since", "If-Range", "If-Unmodified-Since", "Range", "Transfer-Encoding",
    };

    /// <summary>The value of a header; null where it is not there.</summary>
    public string? Get(string name) => Headers.GetValueOrDefault(name);

    /// <summary>Whether the client wants the connection to go on.</summary>
    public bool KeepsConnection => !HasItem("Connection", "close");

    /// <summary>Whether a body follows.</summary>
    public bool HasBody => IsChunked || ContentLength > 0;

    /// <summary>Whether the body comes in chunks.</summary>
    public bool IsChunked => Get("Transfer-Encoding") is not null;

    /// <summary>How many bytes the body has; 0 where it comes in chunks.</summary>
    public long ContentLength => Get("Content-Length") is { } length ? long.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture) : 0;

    /// <summary>Reads a head.</summary>
    /// <param name="bytes">Its bytes, without the empty line at its end.</param>
    /// <exception cref="HttpRefusal">It is none, or of another version.</exception>
    public static HttpHead Parse(ReadOnlySpan<byte> bytes)
    {
        string[] lines = Encoding.Latin1.GetString(bytes).Split("\r\n");
        string[] first = lines[0].Split(' ');
        if (first.Length != 3 || first[0].Length is 0 or > MaxMethod || first[0].AsSpan().ContainsAnyExcept(_token) || first[1].Length == 0 || !IsText(first[1]))
        {
            throw HttpRefusal.Malformed("it does not begin as requests do");
        }

        if (first[2] != "HTTP/1.1")
        {
            throw new HttpRefusal(505, "Only HTTP/1.1 is spoken here.", endsConnection: true);
        }

        if (lines.Length - 1 > MaxHeaders)
        {
            throw new HttpRefusal(431, "The request has too many headers.", endsConnection: true);
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || line.AsSpan(0, colon).ContainsAnyExcept(_token) || !IsText(line))
            {
                throw HttpRefusal.Malformed("one of its headers is none");
            }

            (string name, string value) = (line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
            if (headers.TryGetValue(name, out string? earlier))
            {
                value = _single.Contains(name) ? throw HttpRefusal.Malformed($"it has several headers '{name}'") : $"{earlier}, {value}";
            }

            headers[name] = value;
        }

        var head = new HttpHead(first[0], first[1], headers);
        head.CheckBody();
        return head;
    }

    /// <summary>Whether a header that is a list has an item.</summary>
    public bool HasItem(string name, string item) =>
        Get(name) is { } list && list.Split(',', StringSplitOptions.TrimEntries).Contains(item, StringComparer.OrdinalIgnoreCase);

    private static bool IsText(string line) => !line.Any(character => character is (< ' ' and not '\t') or '\x7f');

    private void CheckBody()
    {
        string? length = Get("Content-Length");
        if (length is not null && (length.Length is 0 or > 18 || !length.All(char.IsAsciiDigit)))
        {
            throw HttpRefusal.Malformed("the length of its body is no number");
        }

        if (Get("Transfer-Encoding") is { } encoding)
        {
            if (length is not null)
            {
                throw HttpRefusal.Malformed("the length of its body is said in two ways");
            }

            if (!encoding.Equals("chunked", StringComparison.OrdinalIgnoreCase))
            {
                throw new HttpRefusal(501, "A body may come in chunks, and not otherwise encoded.", endsConnection: true);
            }
        }
    }
}
