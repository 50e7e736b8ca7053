using System.Collections.Frozen;

namespace MSOnlineBackup.Engine.Sources.Rules;

/// <summary>What the name of a file system says of sources on it.</summary>
internal static class FileSystemKinds
{
    private static readonly FrozenDictionary<string, SourceKind[]> _kinds = new Dictionary<string, SourceKind[]>
    {
        ["tmpfs"] = [SourceKind.Memory],
        ["ramfs"] = [SourceKind.Memory],
        ["overlay"] = [SourceKind.Container],
        ["overlayfs"] = [SourceKind.Container],
        ["aufs"] = [SourceKind.Container],
        ["fuse.fuse-overlayfs"] = [SourceKind.Container],
        ["ocfs2"] = [SourceKind.Cluster],
        ["gfs"] = [SourceKind.Cluster],
        ["gfs2"] = [SourceKind.Cluster],
        ["gpfs"] = [SourceKind.Cluster],
        ["lustre"] = [SourceKind.Cluster],
        ["beegfs"] = [SourceKind.Cluster],
        ["pvfs2"] = [SourceKind.Cluster],
        ["csvfs"] = [SourceKind.Cluster],
        ["acfs"] = [SourceKind.Cluster],
        ["xsan"] = [SourceKind.Cluster],
        ["acfs_xsan"] = [SourceKind.Cluster],
        ["ceph"] = [SourceKind.Network, SourceKind.Replicated],
        ["fuse.ceph"] = [SourceKind.Network, SourceKind.Replicated],
        ["fuse.ceph-fuse"] = [SourceKind.Network, SourceKind.Replicated],
        ["glusterfs"] = [SourceKind.Network, SourceKind.Replicated],
        ["fuse.glusterfs"] = [SourceKind.Network, SourceKind.Replicated],
        ["fuse.mfs"] = [SourceKind.Network, SourceKind.Replicated],
        ["iso9660"] = [],
        ["9p"] = [SourceKind.Network],
        ["virtiofs"] = [SourceKind.Network],
        ["vboxsf"] = [SourceKind.Network],
        ["prl_fs"] = [SourceKind.Network],
        ["davfs"] = [SourceKind.Network],
        ["webdav"] = [SourceKind.Network],
        ["ftp"] = [SourceKind.Network],
        ["afpfs"] = [SourceKind.Network],
        ["afs"] = [SourceKind.Network],
        ["coda"] = [SourceKind.Network],
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    // By the beginning of the name: nfs4, cifs, smb3, smbfs, ncpfs.
    private static readonly string[] _network = ["nfs", "cifs", "smb", "ncp"];

    // Programs that show what is on a local disk: other file systems, several as one, or what is encrypted there.
    private static readonly FrozenSet<string> _localPrograms = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "fuseblk", "fuse.ntfs-3g", "fuse.ntfs", "fuse.exfat", "fuse.exfat-fuse", "fuse.ext4", "fuse.apfs", "fuse.apfs-fuse", "fuse.zfs", "fuse.dislocker",
        "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.securefs", "fuse.veracrypt", "fuse.bindfs", "fuse.mergerfs", "fuse.unionfs", "fuse.mhddfs", "fuse.squashfuse");

    /// <summary>The kinds that the name alone makes sources on it; none for an ordinary one.</summary>
    public static IReadOnlyList<SourceKind> Of(string fileSystem) =>
        _kinds.TryGetValue(fileSystem, out SourceKind[]? kinds) ? kinds
        : _network.Any(name => fileSystem.StartsWith(name, StringComparison.OrdinalIgnoreCase)) || IsProgram(fileSystem) ? [SourceKind.Network]
        : [];

    /// <summary>Whether a program makes up the file system, and nothing is known of where it has the files from.</summary>
    public static bool IsProgram(string fileSystem) =>
        fileSystem.StartsWith("fuse", StringComparison.OrdinalIgnoreCase) && !_kinds.ContainsKey(fileSystem) && !_localPrograms.Contains(fileSystem);
}
