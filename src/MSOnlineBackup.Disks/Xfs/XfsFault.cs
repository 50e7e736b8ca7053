using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>What can be wrong with an XFS volume.</summary>
internal static class XfsFault
{
    public static BackupException Corrupt(string how) => VolumeFault.Corrupt("XFS file system", how);

    public static BackupException Unsupported(string why) => VolumeFault.Unsupported("XFS file system", why);
}
