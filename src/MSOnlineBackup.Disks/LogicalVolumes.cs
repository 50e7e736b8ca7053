using MSOnlineBackup.Disks.Lvm;
using MSOnlineBackup.Disks.Probing;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks;

/// <summary>The logical volumes (LVM) of a machine, put together from its disks. Nothing is activated, and no name of the system's is taken.</summary>
public sealed class LogicalVolumes
{
    private LogicalVolumes(IReadOnlyList<GroupVolume> volumes, IReadOnlyList<BackupException> damage) => (Volumes, Damage) = (volumes, damage);

    /// <summary>The logical volumes, group by group. What is damaged, or of a kind that is not read, is there with its error.</summary>
    public IReadOnlyList<GroupVolume> Volumes { get; }

    /// <summary>Why there may be others: physical volumes and groups that cannot be read.</summary>
    public IReadOnlyList<BackupException> Damage { get; }

    /// <summary>Puts them together.</summary>
    /// <param name="disks">The machine's disks, with the names that messages call them: "vda".</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<LogicalVolumes> OpenAsync(IReadOnlyList<(string Name, Disk Disk)> disks, CancellationToken cancellationToken)
    {
        var damage = new List<BackupException>();
        var physical = new List<LvmPhysicalVolume>();
        foreach ((string name, Disk disk) in disks)
        {
            foreach (DiskVolume part in disk.Volumes.Where(part => part.Content.Kind == LvmPhysicalVolume.Kind))
            {
                string place = part.Partition.Number == 0 ? name : $"{name}, {part.Partition.Place}";
                try
                {
                    LvmPhysicalVolume volume = (await LvmPhysicalVolume.ReadAsync(part.Bytes!, cancellationToken).ConfigureAwait(false))!;
                    physical.Add(volume);
                    damage.AddRange(volume.Damage is BackupException error ? [VolumeFault.At(error, place)] : []);
                }
                catch (BackupException e)
                {
                    damage.Add(VolumeFault.At(e, place));
                }
            }
        }

        var volumes = new List<GroupVolume>();
        foreach (LogicalVolume found in LvmGroup.Assemble(physical, damage.Add))
        {
            volumes.Add(new GroupVolume(
                found.Group,
                found.Name,
                found.Content?.Length ?? 0,
                found.Content is null
                    ? PartContent.Without(null, found.Error!)
                    : await Probes.AskAsync(found.Content, $"logical volume {found.Group}/{found.Name}", cancellationToken).ConfigureAwait(false)));
        }

        return new LogicalVolumes(volumes, damage);
    }
}
