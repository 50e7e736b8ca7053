using MSOnlineBackup.Platform.Machine;

namespace MSOnlineBackup.Agent.Health;

/// <summary>What can be done on a machine, by its system and what is installed on it.</summary>
internal static class Capabilities
{
    /// <summary>All of it.</summary>
    /// <param name="parts">The machine.</param>
    /// <param name="scheduler">What runs schedules; null where nothing does.</param>
    /// <param name="hasSystemState">Whether there is a curated set of what makes up the system.</param>
    public static IEnumerable<Capability> Of(HealthParts parts, string? scheduler, bool hasSystemState)
    {
        SystemIdentity system = parts.System;
        bool isLinux = system.Family == SystemFamily.Linux;
        bool isWindows = system.Family == SystemFamily.Windows;
        bool isMac = system.Family == SystemFamily.MacOS;
        yield return system.Family == SystemFamily.Other
            ? No("Files", $"This was not made for {system.Name}.")
            : parts.IsPrivileged
                ? Yes("Files", "Folders and files of the whole machine.")
                : Partly("Files", "What this account may read; as root or administrator, the whole machine.");
        yield return (system.Family, system.IsClient, hasSystemState) switch
        {
            (SystemFamily.Windows, true, _) => No("SystemState", "As the original, not on Windows for clients; files are backed up."),
            (_, _, true) => Yes("SystemState", "Packages, services, users, and the configuration of the system."),
            (SystemFamily.Windows, _, _) => No("SystemState",
                "Not in this version on Windows; back up its files, and its system state by Windows Server Backup into a folder that is backed up."),
            _ => No("SystemState", $"Not on {system.Name}."),
        };
        yield return isLinux || isWindows || isMac ? Snapshots(parts) : No("Snapshots", "Not on this system: files are read in place, and each point says so.");
        yield return scheduler is null
            ? No("Schedules", "No scheduler of the system is used; have something run 'obengine schedule run' each hour.")
            : Yes("Schedules", $"{scheduler} runs them.");
        yield return system.Family == SystemFamily.Other ? No("Ownership", "Not known here.")
            : isWindows ? Yes("Ownership", "Owners and groups, by their security descriptors.") : Yes("Ownership", "Owners, groups and permission bits.");
        yield return isWindows ? Yes("AccessControlLists", "Security descriptors, the audit list with the right to read it.")
            : isLinux ? Yes("AccessControlLists", "POSIX lists, as extended attributes.")
            : isMac ? Partly("AccessControlLists", "As far as they are extended attributes.") : No("AccessControlLists", "Not known here.");
        yield return isWindows ? No("ExtendedAttributes", "Windows has streams.")
            : isLinux ? Yes("ExtendedAttributes", parts.IsPrivileged ? "All name spaces." : "Those of users; those of the system as root.")
            : isMac ? Yes("ExtendedAttributes", "Resource forks, too.") : No("ExtendedAttributes", "Not known here.");
        yield return isWindows ? Yes("AlternateStreams", "Those of NTFS and ReFS, of any length.") : No("AlternateStreams", "Only Windows has them.");
        yield return isLinux ? Yes("FileFlags", "Immutable, append only, no dump, and the others of 'chattr'.")
            : isMac ? Yes("FileFlags", "Those of 'chflags'.")
            : isWindows ? Yes("FileFlags", "Read only, hidden, system, archive.") : No("FileFlags", "Not known here.");
        yield return system.Family == SystemFamily.Other
            ? No("SparseFiles", "Not known here.")
            : Yes("SparseFiles", "Holes are neither read nor stored, and come back as holes.");
        yield return system.Family == SystemFamily.Other
            ? No("HardLinks", "Not known here.")
            : Yes("HardLinks", "Names of one file come back as names of one file.");
        yield return Yes("VaultInFolder", "A local disk, or a share that is mounted.");
        yield return Yes("VaultInAzure", "Blob Storage, by a signature or an identity of this machine.");
        yield return Yes("KeyVault", "Passphrases and key slots in Azure Key Vault.");
        yield return isLinux && parts.IsPrivileged
            ? Yes("FolderImmutability", "Objects of an immutable vault in a folder are flagged, where the file system can (chattr).")
            : No("FolderImmutability", "The storage itself does not keep a vault in a folder from being deleted here; the vault's own rules hold.");
        yield return parts.HasArgon2id ? Yes("Argon2id", "By libsodium.") : No("Argon2id", "libsodium cannot be loaded; PBKDF2 is used.");
        yield return isLinux ? parts.IsPrivileged || parts.HasProgram("fusermount3")
                ? Yes("Mount", "Recovery points as files in a folder, by FUSE.")
                : Partly("Mount", "By FUSE as root, or with the package fuse3; over WebDAV by anybody.")
            : isWindows ? Yes("Mount", "Recovery points as a drive letter, by WebDAV; in a folder where the feature Client-ProjFS is.")
            : Partly("Mount", "Only over WebDAV: 'obengine serve webdav'.");
    }

    private static Capability Snapshots(HealthParts parts)
    {
        const string Others = "Others are read in place, and each point says so.";
        string detail = parts.System.Family switch
        {
            SystemFamily.Windows => $"Of volumes of NTFS and ReFS, by shadow copies (VSS) with the writers of applications. {Others}",
            SystemFamily.MacOS => $"Of volumes of APFS that Time Machine does not leave out, but for the system's own. {Others}",
            _ => $"Of volumes of {string.Join(", ", new[] { "Btrfs", parts.HasProgram("zfs") ? "ZFS" : null, parts.HasProgram("lvcreate") ? "LVM" : null }.OfType<string>())}. {Others}",
        };
        return parts.IsPrivileged ? Yes("Snapshots", detail)
            : Partly("Snapshots", parts.System.Family switch
            {
                SystemFamily.Windows => $"{detail} They need an administrator.",
                SystemFamily.MacOS => $"{detail} They need root.",
                _ => $"{detail} Most need root.",
            });
    }

    private static Capability Yes(string name, string detail) => new(name, CapabilitySupport.Yes, detail);

    private static Capability Partly(string name, string detail) => new(name, CapabilitySupport.Partly, detail);

    private static Capability No(string name, string detail) => new(name, CapabilitySupport.No, detail);
}
