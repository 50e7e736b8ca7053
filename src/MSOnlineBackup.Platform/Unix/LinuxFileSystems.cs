using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>The names of the mounted file systems.</summary>
internal static unsafe partial class LinuxFileSystems
{
    private static readonly FrozenSet<string> _pseudo = FrozenSet.Create(
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs",
        "tracefs");

    private const string MountTable = "/proc/self/mountinfo";

    // f_type of statfs(2), for where /proc is not mounted. devtmpfs shares its number with tmpfs.
    private static readonly FrozenDictionary<uint, string> _byMagic = new Dictionary<uint, string>
    {
        [0x0187] = "autofs",
        [0x1CD1] = "devpts",
        [0x4D44] = "vfat",
        [0x6969] = "nfs",
        [0x9FA0] = "proc",
        [0xEF53] = "ext4",
        [0x0027_E0EB] = "cgroup",
        [0x0102_1994] = "tmpfs",
        [0x1980_0202] = "mqueue",
        [0x2011_BAB0] = "exfat",
        [0x2FC1_2FC1] = "zfs",
        [0x4249_4E4D] = "binfmt_misc",
        [0x5846_5342] = "xfs",
        [0x6165_676C] = "pstore",
        [0x6265_6570] = "configfs",
        [0x6265_6572] = "sysfs",
        [0x6367_7270] = "cgroup2",
        [0x6462_6720] = "debugfs",
        [0x6573_5543] = "fusectl",
        [0x6573_5546] = "fuse",
        [0x6759_6969] = "rpc_pipefs",
        [0x6E73_6673] = "nsfs",
        [0x7363_6673] = "securityfs",
        [0x7472_6163] = "tracefs",
        [0x794C_7630] = "overlay",
        [0x9123_683E] = "btrfs",
        [0x9584_58F6] = "hugetlbfs",
        [0xCAFE_4A11] = "bpf",
        [0xDE5E_81E4] = "efivarfs",
        [0xF2F5_2010] = "f2fs",
        [0xF97C_FF8C] = "selinuxfs",
        [0xFF53_4D42] = "cifs",
    }.ToFrozenDictionary();

    /// <summary>Whether a file system only shows what the kernel knows.</summary>
    public static bool IsPseudo(string? name) => name is not null && _pseudo.Contains(name);

    /// <summary>The name of the file system that an open item is on; null where nothing tells.</summary>
    /// <remarks>The mount table is read anew each time: the numbers of mounts are used again when one is gone.</remarks>
    public static string? NameOf(int handle, ulong mountId)
    {
        if (mountId != 0 && File.Exists(MountTable) && NameOf(mountId, File.ReadLines(MountTable)) is string name)
        {
            return name;
        }

        long* statfs = stackalloc long[64];
        return FileSystemStat(handle, statfs) == 0 ? _byMagic.GetValueOrDefault(unchecked((uint)statfs[0])) : null;
    }

    /// <summary>Finds a mount in lines of mountinfo: its number stands first, the file system's name after " - ".</summary>
    internal static string? NameOf(ulong mountId, IEnumerable<string> lines)
    {
        string start = mountId.ToString(CultureInfo.InvariantCulture) + " ";
        foreach (string line in lines)
        {
            int separator = line.IndexOf(" - ", StringComparison.Ordinal);
            if (separator >= 0 && line.StartsWith(start, StringComparison.Ordinal))
            {
                return line[(separator + 3)..].Split(' ', 2)[0];
            }
        }

        return null;
    }

    [LibraryImport(Libc.Library, EntryPoint = "fstatfs")]
    private static partial int FileSystemStat(int handle, long* result);
}
