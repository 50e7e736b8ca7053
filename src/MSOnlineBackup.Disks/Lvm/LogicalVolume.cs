using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Lvm;

/// <summary>A logical volume of LVM, put together from physical volumes. Nothing is activated: the system knows nothing of it.</summary>
/// <param name="Group">The name of its group. Groups of several machines may have one name.</param>
/// <param name="Name">Its name.</param>
/// <param name="Content">Its bytes; null where it cannot be put together.</param>
/// <param name="Error">Why not: VolumeUnsupported or VolumeCorrupt; null where it can.</param>
internal sealed record LogicalVolume(string Group, string Name, IDiskContent? Content, BackupException? Error);
