using System.Globalization;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Lvm;

/// <summary>Image files as the only disks that LVM's own program sees, through loop devices. It is told not to speak to the kernel: nothing is activated.</summary>
internal sealed class LvmDisks : IDisposable
{
    private readonly List<string> _devices = [];
    private readonly string _configuration;

    public LvmDisks(TempFolder temp, params long[] sizes)
    {
        Assert.SkipWhen(Shell.Run("sh", "-c", "command -v lvm && command -v losetup").ExitCode != 0, "There is no lvm or losetup: install lvm2 and mount.");
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux: loop devices.");
        foreach ((int index, long size) in sizes.Index())
        {
            Images.Add(temp[$"disk{index}"]);
            using (FileStream file = File.Create(Images[index]))
            {
                file.SetLength(size);
            }

            _devices.Add(Shell.RunChecked("losetup", "-f", "--show", Images[index]).Trim());
        }

        string filter = string.Join(',', _devices.Select(device => $"\"a|^{device}$|\"").Append("\"r|.*|\""));
        _configuration = $"devices {{ filter=[{filter}] use_devicesfile=0 }} backup {{ backup=0 archive=0 }} global {{ activation=0 locking_dir=\"{Directory.CreateDirectory(temp["lock"]).FullName}\" event_activation=0 }}";
    }

    public List<string> Images { get; } = [];

    /// <summary>The devices, which LVM's commands name.</summary>
    public IReadOnlyList<string> Devices => _devices;

    /// <summary>Runs one of LVM's commands.</summary>
    public string Run(string command, params string[] arguments) =>
        Shell.RunChecked("env", ["LVM_SUPPRESS_FD_WARNINGS=1", "lvm", command, "--config", _configuration, .. arguments]);

    /// <summary>Makes a logical volume of so many extents.</summary>
    /// <param name="where">The devices that it may lie on; any where none is named.</param>
    public void Create(string group, string name, int extents, params string[] where) =>
        Run("lvcreate", ["-an", "-Zn", "-Wn", "-l", $"{extents}", "-n", name, group, .. where]);

    /// <summary>Writes to a logical volume, where LVM itself says that its extents are.</summary>
    /// <param name="volume">As "group/name".</param>
    public void Write(string volume, byte[] content)
    {
        int size = int.Parse(Query("vgs", "vg_extent_size", volume.Split('/')[0])[0].TrimEnd('B'), CultureInfo.InvariantCulture);
        int at = 0;
        foreach (string range in Query("lvs", "seg_pe_ranges", volume))
        {
            string[] parts = range.Split(':', '-');
            long start = long.Parse(Query("pvs", "pe_start", parts[0])[0].TrimEnd('B'), CultureInfo.InvariantCulture);
            (int first, int last) = (int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
            using FileStream disk = File.OpenWrite(Images[_devices.IndexOf(parts[0])]);
            disk.Position = start + ((long)first * size);
            int count = (last - first + 1) * size;
            disk.Write(content, at, count);
            at += count;
        }

        Assert.Equal(content.Length, at);
    }

    /// <summary>Lets go of the devices: the images are as they are.</summary>
    public void Dispose()
    {
        foreach (string device in _devices)
        {
            Shell.RunChecked("losetup", "-d", device);
        }

        _devices.Clear();
    }

    private List<string> Query(string command, string field, string name) =>
        [.. Run(command, "--noheadings", "--units", "b", "-o", field, name).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith("WARNING", StringComparison.Ordinal))];
}
