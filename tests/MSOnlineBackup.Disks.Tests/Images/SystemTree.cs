using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>A file system as the system itself shows it, to compare a volume with.</summary>
internal static class SystemTree
{
    private const long MostHashed = 64 << 20;

    /// <summary>What the system says of an item.</summary>
    public sealed record Seen(char Kind, long Length, uint Mode, uint User, uint Group, uint Links, ItemTime Modified, string Target, string Hash);

    /// <summary>All items below a folder where a file system is mounted, by their paths; of long files a few parts are hashed.</summary>
    public static SortedDictionary<string, Seen> Read(string folder)
    {
        var items = new SortedDictionary<string, Seen>(StringComparer.Ordinal);
        foreach (string line in Shell.RunChecked("find", folder, "-mindepth", "1", "-printf", @"%y\t%s\t%m\t%U\t%G\t%n\t%T@\t%l\t%P\0").Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('\t', 9);
            char kind = parts[0][0];
            long length = kind is 'f' or 'l' ? long.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
            string[] time = parts[6].Split('.');
            var modified = new ItemTime(long.Parse(time[0], CultureInfo.InvariantCulture), long.Parse(time[1][..9], CultureInfo.InvariantCulture) * (time[0][0] == '-' ? -1 : 1));
            items.Add(parts[8], new Seen(
                kind,
                length,
                Convert.ToUInt32(parts[2], 8),
                uint.Parse(parts[3], CultureInfo.InvariantCulture),
                uint.Parse(parts[4], CultureInfo.InvariantCulture),
                uint.Parse(parts[5], CultureInfo.InvariantCulture),
                modified,
                parts[7],
                kind == 'f' ? Hash(Path.Combine(folder, parts[8]), length) : ""));
        }

        return items;
    }

    /// <summary>All items of a volume in the same form.</summary>
    /// <param name="skip">What cannot be read, and is not hashed.</param>
    public static async Task<SortedDictionary<string, Seen>> ReadAsync(IFileVolume volume, Predicate<string>? skip = null)
    {
        var items = new SortedDictionary<string, Seen>(StringComparer.Ordinal);
        foreach ((string path, VolumeItem item) in await ReadVolume.ItemsAsync(volume))
        {
            string target = item.Kind == EntryKind.SymbolicLink && skip?.Invoke(path) != true ? Encoding.UTF8.GetString(await ReadVolume.ReadAsync(volume, item)) : "";
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach ((long offset, int count) in item.Kind == EntryKind.File && skip?.Invoke(path) != true ? PartsOf(item.Length) : [])
            {
                hash.AppendData(await ReadVolume.ReadAsync(volume, item, offset, count));
            }

            items.Add(path, new Seen(
                KindOf(item.Kind),
                item.Length,
                item.Permissions ?? 0,
                item.UserId,
                item.GroupId,
                item.LinkCount,
                item.Modified,
                target,
                item.Kind == EntryKind.File && skip?.Invoke(path) != true ? Convert.ToHexStringLower(hash.GetHashAndReset())[..16] : ""));
        }

        return items;
    }

    /// <summary>Both have the same, item by item.</summary>
    public static void AssertSame(IReadOnlyDictionary<string, Seen> expected, IReadOnlyDictionary<string, Seen> actual)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, pair => Assert.Equal((pair.Key, pair.Value), (pair.Key, actual[pair.Key])));
    }

    private static char KindOf(EntryKind kind) => kind switch
    {
        EntryKind.File => 'f',
        EntryKind.Directory => 'd',
        EntryKind.SymbolicLink => 'l',
        EntryKind.Fifo => 'p',
        EntryKind.Socket => 's',
        EntryKind.CharacterDevice => 'c',
        EntryKind.BlockDevice => 'b',
        _ => '?',
    };

    private static string Hash(string path, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream file = File.OpenRead(path);
        foreach ((long offset, int count) in PartsOf(length))
        {
            byte[] bytes = new byte[count];
            file.Position = offset;
            file.ReadExactly(bytes);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static IEnumerable<(long Offset, int Count)> PartsOf(long length) => length <= MostHashed
        ? [(0, (int)length)]
        : [(0, 1 << 20), (length / 3, 1 << 20), ((4L << 30) - 4096 < length - (1 << 20) ? (4L << 30) - 4096 : length / 2, 1 << 20), (length - (1 << 20), 1 << 20)];
}
