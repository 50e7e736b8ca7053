using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>What can be wrong with an NTFS volume.</summary>
internal static class NtfsFault
{
    public static BackupException Corrupt(string how) => VolumeFault.Corrupt("NTFS volume", how);

    public static BackupException Unsupported(string why) => VolumeFault.Unsupported("NTFS volume", why);
}
