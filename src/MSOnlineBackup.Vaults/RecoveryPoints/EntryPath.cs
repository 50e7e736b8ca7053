using System.Text;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// The path of an entry below its source's root: raw name bytes joined by '/'. The root itself is the empty path.
/// Names are bytes and round-trip whatever they are; on Windows they are UTF-8 (WTF-8 for lone surrogates).
/// </summary>
/// <remarks>The order is that of a depth-first walk with sorted names: component by component, by raw bytes, a folder
/// before what it holds. It equals comparing the bytes with '/' below every other byte.</remarks>
public readonly struct EntryPath : IEquatable<EntryPath>, IComparable<EntryPath>
{
    /// <summary>The longest path that an entry can have, in bytes.</summary>
    public const int MaxLength = 65_535;

    private readonly byte[]? _bytes;

    /// <summary>Wraps bytes, which must not be changed afterwards.</summary>
    public EntryPath(byte[] bytes) => _bytes = bytes;

    /// <summary>The root of the source.</summary>
    public static EntryPath Root => default;

    /// <summary>The raw bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether this is the root.</summary>
    public bool IsRoot => _bytes is null || _bytes.Length == 0;

    /// <summary>The last component.</summary>
    public ReadOnlySpan<byte> Name => Bytes[(Bytes.LastIndexOf((byte)'/') + 1)..];

    /// <summary>The folder that holds this entry; the root's parent is the root.</summary>
    public EntryPath Parent
    {
        get
        {
            int slash = Bytes.LastIndexOf((byte)'/');
            return slash < 0 ? Root : new EntryPath(Bytes[..slash].ToArray());
        }
    }

    /// <summary>The path of a child.</summary>
    public EntryPath Append(ReadOnlySpan<byte> name)
    {
        if (IsRoot)
        {
            return new EntryPath(name.ToArray());
        }

        byte[] joined = new byte[_bytes!.Length + 1 + name.Length];
        _bytes.CopyTo(joined, 0);
        joined[_bytes.Length] = (byte)'/';
        name.CopyTo(joined.AsSpan(_bytes.Length + 1));
        return new EntryPath(joined);
    }

    /// <summary>Whether this is <paramref name="folder"/> or lies below it.</summary>
    public bool IsAtOrBelow(EntryPath folder) => IsAtOrBelow(Bytes, folder.Bytes);

    /// <summary>Whether a raw path is <paramref name="folder"/> or lies below it.</summary>
    public static bool IsAtOrBelow(ReadOnlySpan<byte> path, ReadOnlySpan<byte> folder) =>
        folder.IsEmpty
        || (path.StartsWith(folder) && (path.Length == folder.Length || path[folder.Length] == (byte)'/'));

    /// <summary>Whether the bytes are a legal path: no empty, '.' or '..' component, no NUL, not absolute, not too long.</summary>
    /// <remarks>What comes from a vault is hostile until this has said yes.</remarks>
    public static bool IsValid(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return true;
        }

        if (bytes.Length > MaxLength || bytes.Contains((byte)0))
        {
            return false;
        }

        foreach (Range part in bytes.Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = bytes[part];
            if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Compares two raw paths in the order of the manifest.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        int l = left[common] == (byte)'/' ? -1 : left[common];
        int r = right[common] == (byte)'/' ? -1 : right[common];
        return l.CompareTo(r);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote, or what a user typed: UTF-8, with <c>\xHH</c> for a single byte.</summary>
    public static EntryPath Parse(string text) => new(EntryName.Unescape(text.Trim('/')));

    /// <inheritdoc/>
    public int CompareTo(EntryPath other) => Compare(Bytes, other.Bytes);

    /// <inheritdoc/>
    public bool Equals(EntryPath other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EntryPath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>The path as text; bytes that are not UTF-8, and control characters, as <c>\xHH</c>, a backslash as <c>\\</c>.</summary>
    public override string ToString() => EntryName.Escape(Bytes);

    /// <summary>Equality by bytes.</summary>
    public static bool operator ==(EntryPath left, EntryPath right) => left.Equals(right);

    /// <summary>Inequality by bytes.</summary>
    public static bool operator !=(EntryPath left, EntryPath right) => !left.Equals(right);

    /// <summary>Manifest order.</summary>
    public static bool operator <(EntryPath left, EntryPath right) => left.CompareTo(right) < 0;

    /// <summary>Manifest order.</summary>
    public static bool operator >(EntryPath left, EntryPath right) => left.CompareTo(right) > 0;

    /// <summary>Manifest order.</summary>
    public static bool operator <=(EntryPath left, EntryPath right) => left.CompareTo(right) <= 0;

    /// <summary>Manifest order.</summary>
    public static bool operator >=(EntryPath left, EntryPath right) => left.CompareTo(right) >= 0;
}

/// <summary>Raw name bytes to text and back, without loss.</summary>
public static class EntryName
{
    /// <summary>UTF-8 where the bytes are valid and printable, <c>\xHH</c> elsewhere, <c>\\</c> for a backslash.</summary>
    public static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        Span<char> chars = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done;
            if (valid && rune.Value == '\\')
            {
                text.Append(@"\\");
            }
            else if (valid && !Rune.IsControl(rune))
            {
                text.Append(chars[..rune.EncodeToUtf16(chars)]);
            }
            else
            {
                foreach (byte b in bytes[..consumed])
                {
                    text.Append(@"\x").Append(Convert.ToHexStringLower([b]));
                }
            }

            bytes = bytes[consumed..];
        }

        return text.ToString();
    }

    /// <summary>The bytes that <see cref="Escape"/> wrote as text. A backslash that begins no escape stands for itself.</summary>
    public static byte[] Unescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length;)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] == '\\')
            {
                bytes.Add((byte)'\\');
                i += 2;
            }
            else if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] == 'x'
                && char.IsAsciiHexDigit(text[i + 2]) && char.IsAsciiHexDigit(text[i + 3]))
            {
                bytes.Add(Convert.ToByte(text.Substring(i + 2, 2), 16));
                i += 4;
            }
            else
            {
                int length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
                i += length;
            }
        }

        return [.. bytes];
    }
}
