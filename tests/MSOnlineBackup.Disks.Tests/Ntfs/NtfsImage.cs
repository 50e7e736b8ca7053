using System.Diagnostics;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Ntfs;

/// <summary>An NTFS volume in a file, made and filled by the programs of ntfs-3g.</summary>
internal static class NtfsImage
{
    /// <summary>Makes an empty one.</summary>
    public static string Create(string path, long size, params string[] options)
    {
        Assert.SkipWhen(Shell.Run("sh", "-c", "command -v mkfs.ntfs && command -v ntfs-3g && command -v setfattr").ExitCode != 0, "There is no mkfs.ntfs, ntfs-3g or setfattr: install ntfs-3g and attr.");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(size);
        }

        Shell.RunChecked("mkfs.ntfs", ["-F", "-Q", "-q", "-p", "0", "-H", "16", "-S", "63", .. options, path]);
        return path;
    }

    /// <summary>Mounts it for a while.</summary>
    public static void Use(string image, Action<string> work, string options = "compression,special_files=wsl")
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && File.Exists("/dev/fuse"), "Needs root on Linux, and FUSE: ntfs-3g mounts the volume.");
        using var point = new TempFolder();
        var start = new ProcessStartInfo("ntfs-3g", ["-o", $"no_detach,{options}", image, point.Path]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process server = Process.Start(start)!;
        try
        {
            while (Shell.Run("mountpoint", "-q", point.Path).ExitCode != 0)
            {
                Assert.False(server.HasExited, "ntfs-3g did not mount the volume.");
            }

            work(point.Path);
        }
        finally
        {
            // All is written once the server has ended.
            if (Shell.Run("umount", point.Path).ExitCode != 0)
            {
                server.Kill();
            }

            server.WaitForExit();
        }
    }
}
