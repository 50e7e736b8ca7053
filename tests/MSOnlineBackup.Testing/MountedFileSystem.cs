namespace MSOnlineBackup.Testing;

/// <summary>A small file system of a test's own, unmounted with it. Needs root on Linux.</summary>
public sealed class MountedFileSystem : IDisposable
{
    private readonly string _point;

    private MountedFileSystem(string point, params string[] mountArguments)
    {
        _point = File.Exists(point) ? point : Directory.CreateDirectory(point).FullName;
        Shell.RunChecked("mount", [.. mountArguments, point]);
    }

    /// <summary>One in memory.</summary>
    /// <param name="point">Where to mount it.</param>
    /// <param name="size">Its size as mount takes it, for example "1m".</param>
    public static MountedFileSystem InMemory(string point, string size) => new(point, "-t", "tmpfs", "-o", $"size={size}", "tmpfs");

    /// <summary>One in an image file, which is sparse.</summary>
    public static MountedFileSystem InImage(string image, string point, string kind, long size = 512L << 20, params string[] options)
    {
        using (FileStream file = File.Create(image))
        {
            file.SetLength(size);
        }

        // That of FAT is quiet by itself, and takes no such option.
        Shell.RunChecked($"mkfs.{kind}", kind == "vfat" ? [.. options, image] : ["-q", .. options, image]);
        return new MountedFileSystem(point, "-o", kind == "vfat" ? "loop,utf8" : "loop", image);
    }

    /// <summary>One in an image file that was made before, once it is let go.</summary>
    public static MountedFileSystem Again(string image, string point, string options = "loop")
    {
        WaitUntilReleased(image);
        return new MountedFileSystem(point, "-o", options, image);
    }

    /// <summary>Waits until an image has all that was written to its file system: it is let go a little after it was unmounted.</summary>
    public static void WaitUntilReleased(string image)
    {
        while (Shell.RunChecked("losetup", "-j", image).Length > 0)
        {
            Thread.Sleep(20);
        }
    }

    /// <summary>A file or folder that is seen at another place too.</summary>
    public static MountedFileSystem Bound(string what, string point) => new(point, "--bind", what);

    /// <summary>The kernel's view of processes, whose files have no size and no end.</summary>
    public static MountedFileSystem Processes(string point) => new(point, "-t", "proc", "proc");

    /// <summary>Whether the program to make one is there, and a kernel that can mount it.</summary>
    public static bool CanMake(string kind) =>
        (File.Exists($"/sbin/mkfs.{kind}") || File.Exists($"/usr/bin/mkfs.{kind}"))
        && (File.ReadAllText("/proc/filesystems").Contains($"\t{kind}\n", StringComparison.Ordinal) || Shell.Run("sh", "-c", $"modprobe -q {kind}").ExitCode == 0);

    /// <summary>Changes its options, for example "ro".</summary>
    public void Remount(string options) => Shell.RunChecked("mount", "-o", $"remount,{options}", _point);

    public void Dispose() => Shell.RunChecked("umount", "-l", _point);
}
