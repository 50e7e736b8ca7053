using System.Globalization;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Ext4;

/// <summary>Images of ext2, ext3 and ext4, made by their own tools and filled by the kernel.</summary>
internal static class Ext4Image
{
    /// <summary>Skips a test that cannot have one.</summary>
    public static void Require(string kind = "ext4")
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux: it mounts an image.");
        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"There is no mkfs.{kind}, or no kernel that mounts it: install e2fsprogs.");
    }

    /// <summary>Fills a mounted file system with what there can be.</summary>
    public static void Fill(string root, int names = 600)
    {
        byte[] content = new byte[3_000_000];
        new Random(7).NextBytes(content);
        foreach (int length in (int[])[0, 1, 59, 60, 61, 100, 130, 1024, 4096, 5000, 100_000, 3_000_000])
        {
            File.WriteAllBytes(Path.Combine(root, $"file-{length}"), content[..length]);
        }

        string deep = root;
        for (int i = 0; i < 30; i++)
        {
            deep = Directory.CreateDirectory(Path.Combine(deep, $"folder {i}")).FullName;
        }

        File.WriteAllText(Path.Combine(deep, "at the end"), "here");
        string many = Directory.CreateDirectory(Path.Combine(root, "many")).FullName;
        for (int i = 0; i < names; i++)
        {
            File.WriteAllText(Path.Combine(many, $"a name of some length that fills blocks {i:D6}"), i % 50 == 0 ? $"{i}" : "");
        }

        // Every other block is a hole, so that there are as many extents as blocks.
        using (FileStream holes = File.Create(Path.Combine(root, "holes")))
        {
            for (int i = 0; i < 700; i++)
            {
                holes.Position = i * 8192L;
                holes.Write(content, i * 1000, 900);
            }

            holes.SetLength(7_000_000);
        }

        Directory.CreateDirectory(Path.Combine(root, "empty"));
        string one = Directory.CreateDirectory(Path.Combine(root, "few")).FullName;
        File.WriteAllText(Path.Combine(one, "ümläut €"), "u");
        File.WriteAllText(Path.Combine(one, new string('n', 255)), "long name");
        File.CreateSymbolicLink(Path.Combine(root, "short link"), "few/x");
        File.CreateSymbolicLink(Path.Combine(root, "link-59"), new string('a', 59));
        File.CreateSymbolicLink(Path.Combine(root, "link-60"), new string('b', 60));
        File.CreateSymbolicLink(Path.Combine(root, "long link"), "/" + string.Join('/', Enumerable.Repeat("elsewhere", 60)));
        Shell.RunChecked("mkfifo", Path.Combine(root, "pipe"));
        Shell.RunChecked("mknod", Path.Combine(root, "null"), "c", "1", "3");
        Shell.RunChecked("mknod", Path.Combine(root, "disk"), "b", "7", "200");
        Shell.RunChecked("ln", Path.Combine(root, "file-100"), Path.Combine(root, "few", "another name"));
        Shell.RunChecked("chown", "70001:80002", Path.Combine(root, "file-60"));
        Shell.RunChecked("chmod", "4751", Path.Combine(root, "file-60"));
        Shell.RunChecked("chmod", "1777", Path.Combine(root, "empty"));
        Touch("2040-02-03T04:05:06.123456789Z", "file-61");
        Touch("1965-02-03T04:05:06.5Z", "file-59");
        Touch("2300-01-01T00:00:00.000000001Z", "empty");
        Shell.Run("fallocate", "-l", "200000", Path.Combine(root, "reserved"));

        void Touch(string time, string name) => Shell.RunChecked("touch", "-d", time, Path.Combine(root, name));
    }

    /// <summary>Makes an image, and fills it.</summary>
    public static void Make(string image, string point, string kind, string options, long size = 48 << 20, int names = 600)
    {
        using (MountedFileSystem.InImage(image, point, kind, size, options.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            Fill(point, names);
        }

        MountedFileSystem.WaitUntilReleased(image);
    }

    /// <summary>Makes and fills a small one with what a fuzzer can reach.</summary>
    public static byte[] MakeSmall(TempFolder folder, string options, int names)
    {
        string image = folder[$"small-{names.ToString(CultureInfo.InvariantCulture)}"];
        using (MountedFileSystem mounted = MountedFileSystem.InImage(image, folder["small"], "ext4", 4 << 20, options.Split(' ')))
        {
            string root = folder["small"];
            string many = Directory.CreateDirectory(Path.Combine(root, "many")).FullName;
            for (int i = 0; i < names; i++)
            {
                File.WriteAllText(Path.Combine(many, $"name {i:D40}"), "");
            }

            using FileStream holes = File.Create(Path.Combine(root, "holes"));
            for (int i = 0; i < 300; i++)
            {
                holes.Position = i * 2048L;
                holes.Write([1, 2, 3]);
            }

            File.WriteAllText(Path.Combine(root, "text"), "some text");
            File.WriteAllText(Path.Combine(root, "more text"), new string('x', 130));
            File.CreateSymbolicLink(Path.Combine(root, "link"), "text");
            File.CreateSymbolicLink(Path.Combine(root, "long link"), new string('y', 300));
            Directory.CreateDirectory(Path.Combine(root, "a", "b", "c"));
        }

        MountedFileSystem.WaitUntilReleased(image);
        return File.ReadAllBytes(image);
    }
}
