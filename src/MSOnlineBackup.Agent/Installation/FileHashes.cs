using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Installation;

/// <summary>
/// A list of files with their SHA-256, in the format of the program sha256sum: a line a file, of 64 hexadecimal digits, two spaces and a path with slashes.
/// So the list can be checked where nothing of ours runs, too.
/// </summary>
/// <param name="Hashes">From a path, relative to the list's folder, to the 64 digits in lower case.</param>
public sealed record FileHashes(IReadOnlyDictionary<string, string> Hashes)
{
    private const int Digits = 64;
    private const int MaxLength = 4 << 20;
    private const int MaxFiles = 20_000;

    private static readonly SearchValues<char> _hexadecimal = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>Reads a list.</summary>
    /// <param name="content">Its bytes.</param>
    /// <param name="name">Where they come from, for the message.</param>
    /// <exception cref="BackupException">PackageInvalid: it is none, or names files outside its folder.</exception>
    public static FileHashes Parse(ReadOnlySpan<byte> content, string name)
    {
        if (content.Length > MaxLength)
        {
            throw PackageErrors.Invalid(name, "it is too long to be a list of hashes");
        }

        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (ReadOnlySpan<char> line in Encoding.UTF8.GetString(content).AsSpan().EnumerateLines())
        {
            if (line.IsEmpty)
            {
                continue;
            }

            // Between the two a space, and a space or, for what was read as binary, an asterisk.
            if (line.Length < Digits + 3 || line[..Digits].ContainsAnyExcept(_hexadecimal) || line[Digits] != ' ' || line[Digits + 1] is not (' ' or '*')
                || !IsInside(line[(Digits + 2)..]) || hashes.Count == MaxFiles)
            {
                throw PackageErrors.Invalid(name, "it is damaged, or no list of hashes");
            }

            hashes[line[(Digits + 2)..].ToString()] = line[..Digits].ToString().ToLowerInvariant();
        }

        return hashes.Count > 0 ? new FileHashes(hashes) : throw PackageErrors.Invalid(name, "it is empty");
    }

    /// <summary>The hash of a file, as the list has it; null where there is no such file.</summary>
    /// <exception cref="IOException">It cannot be read, or <see cref="UnauthorizedAccessException"/>.</exception>
    public static async Task<string?> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using FileStream file = File.OpenRead(path);
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static bool IsInside(ReadOnlySpan<char> path)
    {
        if (path.ContainsAny('\\', ':', '\0'))
        {
            return false;
        }

        foreach (Range part in path.Split('/'))
        {
            if (path[part] is "" or "." or "..")
            {
                return false;
            }
        }

        return true;
    }
}
