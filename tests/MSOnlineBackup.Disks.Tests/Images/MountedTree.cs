using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>What the system shows of a mounted file system, to be compared with what is read from its image.</summary>
internal static class MountedTree
{
    // Longer ones are compared by tests of their own.
    private const long LongestCompared = 64 << 20;

    /// <summary>Each item of a folder as a line: kind, size, mode, owner, time, names, target, content.</summary>
    /// <param name="root">The folder where it is mounted.</param>
    /// <param name="fields">Of which fields <c>find</c> tells: %y %s %m %U %G %T@ %n %i %l.</param>
    public static SortedDictionary<string, string> Of(string root, string fields)
    {
        string output = Shell.RunChecked("find", root, "-mindepth", "1", "-printf", $"%P\\0%y\\0%s\\0{fields}\\0%l\\0");
        string[] parts = output.Split('\0');
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i + 4 < parts.Length; i += 5)
        {
            bool isFile = parts[i + 1] == "f";
            long size = long.Parse(parts[i + 2], CultureInfo.InvariantCulture);
            string content = isFile && size <= LongestCompared ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(root, parts[i])))) : "";
            lines.Add(parts[i], $"{parts[i + 1]} {(isFile || parts[i + 1] == "l" ? size : 0)} {parts[i + 3]} {parts[i + 4]} {content}");
        }

        return lines;
    }

    /// <summary>The same lines, from an image.</summary>
    /// <param name="volume">Its file system.</param>
    /// <param name="fields">What a line has after kind and size.</param>
    public static async Task<SortedDictionary<string, string>> OfAsync(IFileVolume volume, Func<VolumeItem, string> fields)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach ((IReadOnlyList<ReadOnlyMemory<byte>> path, VolumeItem item) in VolumeWalk.GoAsync(volume, volume.Root, (_, e) => throw e, stop))
        {
            string target = item.Kind == EntryKind.SymbolicLink ? Encoding.UTF8.GetString(await ReadAsync(volume, item)) : "";
            string content = item.Kind == EntryKind.File && item.Length <= LongestCompared ? Convert.ToHexString(SHA256.HashData(await ReadAsync(volume, item))) : "";
            char kind = item.Kind switch
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
            lines.Add(string.Join('/', path.Select(name => Encoding.UTF8.GetString(name.Span))), $"{kind} {item.Length} {fields(item)} {target} {content}");
        }

        return lines;
    }

    /// <summary>The fields "%m %U %G %T@ %n %i".</summary>
    public static string UnixFields(VolumeItem item) =>
        $"{Convert.ToString(item.Permissions!.Value, 8)} {item.UserId} {item.GroupId} {item.Modified.Seconds}.{item.Modified.Nanoseconds:D9}0 {item.LinkCount} {item.Id}";

    /// <summary>All bytes of a file or link, in pieces of an odd length.</summary>
    public static async Task<byte[]> ReadAsync(IFileVolume volume, VolumeItem item)
    {
        var bytes = new byte[item.Length];
        for (int done = 0; ;)
        {
            int count = await volume.ReadAsync(item, done, bytes.AsMemory(done, Math.Min(100_003, bytes.Length - done)), TestContext.Current.CancellationToken);
            done += count;
            if (count == 0)
            {
                Assert.Equal(bytes.Length, done);
                return bytes;
            }
        }
    }

    /// <summary>The only file system of an image.</summary>
    public static async Task<IFileVolume> OpenAsync(IDiskContent image) =>
        Assert.Single((await Disk.OpenAsync(image, TestContext.Current.CancellationToken)).Volumes).Content.RequireFiles();

    /// <summary>Asserts that both have the same items.</summary>
    public static void AssertSame(SortedDictionary<string, string> expected, SortedDictionary<string, string> found)
    {
        Assert.Equal([], expected.Except(found).Select(line => $"mount: {line.Key} {line.Value}").Concat(found.Except(expected).Select(line => $"image: {line.Key} {line.Value}")).Order().Take(20));
        Assert.NotEmpty(found);
    }
}
