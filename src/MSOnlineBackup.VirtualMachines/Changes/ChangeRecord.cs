using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.VirtualMachines.Changes;

/// <summary>
/// The record of what was written to a disk since a recovery point: a dirty bitmap, whose name says of which session, how large the disk was then, and under which name the point has it. The size is in it since a
/// bitmap follows its disk silently where that grows or shrinks; the name is, since it follows the image silently where two disks change places, and the point has the other's bytes there.
/// </summary>
/// <param name="Session">The session.</param>
/// <param name="Size">The size of the disk then, in bytes.</param>
/// <param name="Disk">What the disk is known by in the point: <see cref="MarkOf"/> of its name.</param>
internal readonly record struct ChangeRecord(SessionId Session, long Size, string Disk)
{
    /// <summary>What the names of all that backups make in a machine begin with.</summary>
    public const string Prefix = "obengine-";

    /// <summary>How many bytes a bit is for: what QEMU and qemu-img take by themselves for images with clusters of 64 KiB.</summary>
    public const int Granularity = 64 << 10;

    private const int MarkLength = 16;

    /// <summary>The bitmap's name.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Session}-{Size}-{Disk}");

    /// <summary>What the name of a disk is told by in a bitmap's: the first half of its hash, for a name may have any length and letters.</summary>
    public static string MarkOf(string disk) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(disk)).AsSpan(0, MarkLength / 2));

    /// <summary>Reads a name; null where it is none of a record.</summary>
    public static ChangeRecord? Parse(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal) || name.Split('-') is not [_, var digits, var size, { Length: MarkLength } mark] || !mark.All(char.IsAsciiHexDigitLower))
        {
            return null;
        }

        return SessionId.TryParse(digits, out SessionId session) && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
            ? new ChangeRecord(session, bytes, mark)
            : null;
    }

    /// <summary>What changed, by what the bitmap has: what the disk has grown by since is new too.</summary>
    /// <param name="dirty">The runs that the bitmap has, in order.</param>
    /// <param name="length">The size of the disk now, not less than <see cref="Size"/>.</param>
    public DiskChanges ToChanges(IEnumerable<(long Start, long Length)> dirty, long length)
    {
        var runs = new List<(long Start, long Length)>();
        foreach ((long start, long count) in dirty)
        {
            long end = Math.Min(start + count, Size);
            if (start < end)
            {
                runs.Add((start, end - start));
            }
        }

        if (length > Size)
        {
            if (runs is [.., var last] && last.Start + last.Length == Size)
            {
                runs[^1] = (last.Start, length - last.Start);
            }
            else
            {
                runs.Add((Size, length - Size));
            }
        }

        return new DiskChanges(Session, runs);
    }
}
