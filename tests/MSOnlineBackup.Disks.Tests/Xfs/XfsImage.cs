using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Xfs;

/// <summary>An XFS file system in a file, made by mkfs.xfs and filled through a mount of the system's.</summary>
internal static class XfsImage
{
    /// <summary>Makes one.</summary>
    /// <param name="options">More of mkfs; <c>-p</c> fills it without a mount.</param>
    public static string Create(string path, long size, params string[] options)
    {
        Assert.SkipWhen(Shell.Run("sh", "-c", "command -v mkfs.xfs && command -v xfs_io && command -v setfattr").ExitCode != 0, "There is no mkfs.xfs, xfs_io or setfattr: install xfsprogs and attr.");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(size);
        }

        // A small one is for tests only, and mkfs wants to be told.
        Shell.RunChecked("mkfs.xfs", [.. size < 300 << 20 ? (string[])["--unsupported"] : [], "-q", .. options, path]);
        return path;
    }

    /// <summary>Mounts it for a while.</summary>
    public static void Use(string image, Action<string> work)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("xfs"), "Needs root on Linux, and a kernel with XFS.");
        using var point = new TempFolder();
        Shell.RunChecked("mount", "-o", "loop", image, point.Path);
        try
        {
            work(point.Path);
        }
        finally
        {
            Shell.RunChecked("umount", point.Path);
        }

        // The loop device lets go of the file a little later.
        while (Shell.RunChecked("losetup", "-j", image).Length > 0)
        {
        }
    }
}
