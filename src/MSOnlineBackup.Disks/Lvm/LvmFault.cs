using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Lvm;

/// <summary>What can be wrong with LVM's physical and logical volumes.</summary>
internal static class LvmFault
{
    public static BackupException Corrupt(string how) => VolumeFault.Corrupt("LVM physical volume", how);

    /// <summary>One logical volume cannot be put together, because it is of a kind that is not.</summary>
    public static BackupException Unsupported(string name, string why) => VolumeFault.Unsupported($"logical volume '{name}'", why, name);

    /// <summary>One logical volume contradicts itself.</summary>
    public static BackupException Corrupt(string name, string how) => VolumeFault.Corrupt($"logical volume '{name}'", how, name);
}
