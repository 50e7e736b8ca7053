using System.Text.Json;
using MSOnlineBackup.VirtualMachines.Azure.Management;

namespace MSOnlineBackup.VirtualMachines.Azure.Points;

/// <summary>A restore point of a machine: a moment of its disks, all at once, that Azure keeps.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">Its address.</param>
/// <param name="Consistency">CrashConsistent, FileSystemConsistent, ApplicationConsistent, as Azure found it; null where it does not say.</param>
/// <param name="IsWhole">Whether it was made to its end.</param>
/// <param name="Disks">Its disks.</param>
internal sealed record RestorePoint(string Name, string Path, string? Consistency, bool IsWhole, IReadOnlyList<RestorePointDisk> Disks)
{
    /// <summary>Reads what Azure says of one.</summary>
    public static RestorePoint Read(JsonElement point)
    {
        var disks = new List<RestorePointDisk>();
        if (point.Find("properties", "sourceMetadata", "storageProfile") is { } profile)
        {
            foreach (JsonElement disk in profile.Items("dataDisks").Prepend(profile.Find("osDisk") ?? default))
            {
                if (disk.Text("diskRestorePoint", "id") is { } moment)
                {
                    disks.Add(new RestorePointDisk(disk.Number("lun"), disk.Text("managedDisk", "id"), moment));
                }
            }
        }

        return new RestorePoint(
            point.Text("name") ?? "", point.Text("id") ?? "", point.Text("properties", "consistencyMode"), point.Text("properties", "provisioningState") == "Succeeded", disks);
    }
}

/// <summary>A disk in a restore point.</summary>
/// <param name="Lun">Its number; null for that of the operating system.</param>
/// <param name="Disk">The address of the disk; null where Azure does not say.</param>
/// <param name="Moment">The address of the moment of it.</param>
internal sealed record RestorePointDisk(long? Lun, string? Disk, string Moment);

/// <summary>Of which disk a moment is: two moments of one disk, and only those, can be compared by Azure.</summary>
/// <param name="Disk">The unique id of the disk: another one under the same name has another.</param>
/// <param name="Family">The family of moments that build on each other.</param>
internal sealed record MomentOrigin(string Disk, string Family);
