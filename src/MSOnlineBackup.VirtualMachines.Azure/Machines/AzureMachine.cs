using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Azure.Points;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Azure.Machines;

/// <summary>
/// A virtual machine in Azure, running or not, by its address. Its disks are read from a restore point, which is one moment for all of them, and of the next one only what Azure says has changed.
/// Nothing runs in the guest unless its programs are to be told. One caller at a time.
/// </summary>
public sealed class AzureMachine : IVirtualMachine
{
    private readonly AzureAccess _access;
    private readonly AzureResourceId _id;
    private readonly ResourceManager _manager;
    private JsonElement _model;

    private AzureMachine(AzureAccess access, AzureResourceId id, ResourceManager manager, JsonElement model) => (_access, _id, _manager, _model) = (access, id, manager, model);

    /// <inheritdoc/>
    public string Name => _model.Text("name") ?? _id.Name;

    /// <inheritdoc/>
    public string? Uuid => _model.Text("properties", "vmId");

    /// <inheritdoc/>
    public string Hypervisor => "Azure";

    /// <summary>Finds it.</summary>
    /// <param name="id">Its address: <c>/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/virtualMachines/NAME</c>.</param>
    /// <param name="access">How Azure is reached, and who this machine is to it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid; VirtualMachineNotFound, VirtualMachineAccessDenied, VirtualMachineUnreachable; IdentityNotFound, ….</exception>
    public static async Task<AzureMachine> ConnectAsync(string id, AzureAccess access, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        AzureResourceId address = AzureResourceId.Parse(id, AzureResourceId.Machines);
        var manager = new ResourceManager(access);
        return new AzureMachine(access, address, manager, await manager.GetAsync(address.ToString(), ResourceManager.ComputeVersion, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Its disks: "os", and "lun0" and so on by their numbers. Those that cannot be backed up are among them, and refused with the reason where they are not left out.</summary>
    /// <exception cref="BackupException">As of <see cref="ConnectAsync"/>.</exception>
    public async Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken) =>
        [.. (await ReadDisksAsync(cancellationToken).ConfigureAwait(false)).Select(disk => disk.ToMachineDisk())];

    /// <inheritdoc/>
    /// <remarks>Where programs of the guest are told (<see cref="MomentOptions.GuestHasHooks"/>) Azure does that, by its own agent in the guest: no socket is needed.</remarks>
    public async Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disks);
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<AzureDisk> all = await ReadDisksAsync(cancellationToken).ConfigureAwait(false);
        AzureDisk[] chosen = [.. disks.Select(disk => all.FirstOrDefault(other => other.Name == disk.Name) ?? throw Unfit($"has no disk '{disk.Name}' any more", "See which disks it has, and run the backup again."))];
        if (chosen.FirstOrDefault(disk => disk.Unfit is not null) is { } unfit)
        {
            throw Unfit($"has a disk '{unfit.Name}' that {unfit.Unfit}", $"Leave it out (--exclude-disk {unfit.Name}), and back it up from within the guest.");
        }

        string location = _model.Text("location") ?? throw ManagementErrors.Senseless("it does not say where the machine is", _id.ToString());
        return await AzureMoment.BeginAsync(_access, new RestorePoints(_access, _id), new AzureMomentRequest(Name, location, _model, chosen, [.. all.Except(chosen)], options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Nothing is held.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<IReadOnlyList<AzureDisk>> ReadDisksAsync(CancellationToken cancellationToken)
    {
        _model = await _manager.GetAsync(_id.ToString(), ResourceManager.ComputeVersion, cancellationToken).ConfigureAwait(false);
        var disks = new List<AzureDisk>();
        if (_model.Find("properties", "storageProfile") is { } profile)
        {
            foreach (JsonElement attachment in profile.Items("dataDisks").OrderBy(disk => disk.Number("lun")).Prepend(profile.Find("osDisk") ?? default).Where(disk => disk.ValueKind == JsonValueKind.Object))
            {
                JsonElement? resource = attachment.Text("managedDisk", "id") is { } id ? await _manager.FindAsync(id, ResourceManager.DiskVersion, cancellationToken).ConfigureAwait(false) : null;
                disks.Add(AzureDisk.Read(attachment, resource));
            }
        }

        return disks;
    }

    private BackupException Unfit(string why, string action) => new(BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{Name}' {why}.", action, Name);
}
