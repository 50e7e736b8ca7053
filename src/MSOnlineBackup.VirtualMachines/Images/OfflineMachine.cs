using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>A machine that is off, by the images of its disks. One that is started meanwhile makes no recovery point.</summary>
public sealed class OfflineMachine : IVirtualMachine
{
    private readonly IReadOnlyList<MachineImage> _images;

    /// <summary>Creates it. The images are not looked at before they are backed up.</summary>
    /// <param name="name">What it is called in the vault.</param>
    /// <param name="images">Its images, at least one.</param>
    /// <exception cref="BackupException">VirtualMachineUnfit: two images have one name.</exception>
    public OfflineMachine(string name, IReadOnlyList<MachineImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        (Name, _images) = (name, images);
        if (images.GroupBy(image => image.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{name}' has two images '{twice.Key}'.", "Images are told apart by the names of their files.", name);
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string? Uuid => null;

    /// <inheritdoc/>
    public string Hypervisor => "off";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken)
    {
        var disks = new List<MachineDisk>();
        foreach (MachineImage image in _images)
        {
            long bytes = await OfflineDisk.LengthOfAsync(image.File, image.Format, cancellationToken).ConfigureAwait(false);
            disks.Add(new MachineDisk(image.Name, MachineDescription.FileOf(image.Name), null, bytes, image.Format, image.File, IsReadOnly: false));
        }

        return disks;
    }

    /// <inheritdoc/>
    public async Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disks);
        ArgumentNullException.ThrowIfNull(options);
        var moment = new OfflineMoment(Name);
        try
        {
            foreach (MachineDisk disk in disks)
            {
                OfflineDisk opened = await OfflineDisk.OpenAsync(disk.Image!, disk.Format, disk.Name, options.WorkFolder, cancellationToken).ConfigureAwait(false);
                moment.Add(disk, opened);
            }

            return moment;
        }
        catch
        {
            await moment.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Nothing is held.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
