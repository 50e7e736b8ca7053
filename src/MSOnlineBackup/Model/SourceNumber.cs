using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Model;

/// <summary>
/// The number of a source. It comes from the path alone: it is the same in policies, jobs and recovery points, whatever stands beside it there, and
/// no other source ever gets it.
/// </summary>
internal static class SourceNumber
{
    // Scripts keep it in tables, and some in doubles: 48 bits are exact there, and two sources of a machine do not meet in them.
    private const int Bytes = 6;

    /// <summary>The number of a source: 1 to 2^48 - 1.</summary>
    /// <param name="source">Its path, or "System State".</param>
    public static long Of(string source)
    {
        // Paths with a drive or a share are Windows', where case does not count.
        string name = source.StartsWith('/') ? source : source.ToUpperInvariant();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        Span<byte> number = stackalloc byte[sizeof(long)];
        hash[..Bytes].CopyTo(number[^Bytes..]);
        return Math.Max(1, BinaryPrimitives.ReadInt64BigEndian(number));
    }
}
