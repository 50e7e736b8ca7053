using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>A file system, or a part of one, that is mounted.</summary>
/// <param name="Id">The number by which <see cref="UnixStat.MountId"/> names the mount.</param>
/// <param name="Point">Where it is mounted, raw.</param>
/// <param name="Root">Which folder of the file system is seen there, raw; "/" for all of it.</param>
/// <param name="FileSystem">Its kind, as "ext4".</param>
/// <param name="Device">What it is mounted from, as "/dev/sda1", or "pool/data".</param>
/// <param name="DeviceNumber">The numbers of the device, as "253:1".</param>
/// <param name="IsReadOnly">Whether the file system, and not just this view of it, cannot be written to.</param>
internal sealed record MountedVolume(ulong Id, byte[] Point, byte[] Root, string FileSystem, string Device, string DeviceNumber, bool IsReadOnly)
{
    /// <summary>Whether this view of it cannot be written to, whatever others can.</summary>
    public bool IsViewReadOnly { get; init; }
}

/// <summary>What is mounted, as Linux tells each process.</summary>
internal static class MountTable
{
    private const string File = "/proc/self/mountinfo";

    /// <summary>All that is mounted now; nothing where the kernel does not tell.</summary>
    public static IReadOnlyList<MountedVolume> Read() =>
        System.IO.File.Exists(File) ? [.. Parse(System.IO.File.ReadLines(File, Encoding.Latin1))] : [];

    /// <summary>Reads lines of mountinfo. Their text has a character for each byte.</summary>
    internal static IEnumerable<MountedVolume> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            // 36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/root rw,errors=continue
            string[] mount = line.Split(' ');
            int separator = Array.IndexOf(mount, "-", Math.Min(6, mount.Length));
            if (separator >= 0 && separator + 3 < mount.Length && ulong.TryParse(mount[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong id))
            {
                yield return new MountedVolume(
                    id,
                    Unescape(mount[4]),
                    Unescape(mount[3]),
                    mount[separator + 1],
                    Encoding.UTF8.GetString(Unescape(mount[separator + 2])),
                    mount[2],
                    mount[separator + 3].Split(',').Contains("ro"))
                {
                    IsViewReadOnly = mount[5].Split(',').Contains("ro"),
                };
            }
        }
    }

    // Blanks, tabs, line feeds and backslashes stand as \ooo.
    private static byte[] Unescape(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        var plain = new List<byte>(bytes.Length);
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == (byte)'\\' && i + 3 < bytes.Length)
            {
                plain.Add((byte)(((bytes[i + 1] & 7) << 6) | ((bytes[i + 2] & 7) << 3) | (bytes[i + 3] & 7)));
                i += 3;
            }
            else
            {
                plain.Add(bytes[i]);
            }
        }

        return [.. plain];
    }
}
