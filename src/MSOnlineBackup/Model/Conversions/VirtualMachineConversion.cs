using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Addresses;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>Between virtual machines as scripts see them and the engine's.</summary>
internal static class VirtualMachineConversion
{
    /// <summary>The engine's form.</summary>
    public static VirtualMachineSettings ToEngine(this OBVirtualMachineSpec spec) => new(
        spec.Name,
        spec.QmpSocket.Length > 0 ? [MachineAddress.Qmp.Scheme + spec.QmpSocket] : spec.ImagePath,
        OrNull(spec.AgentSocket),
        spec.Hooks,
        spec.RequireFreeze,
        spec.Disk.Length == 0 ? null : spec.Disk,
        spec.ExcludeDisk.Length == 0 ? null : spec.ExcludeDisk,
        OrNull(spec.WorkFolder),
        OrNull(spec.ConsistencyGroup));

    /// <summary>As scripts see it.</summary>
    /// <exception cref="BackupException">PolicyInvalid: a file has an address that is none.</exception>
    public static OBVirtualMachineSpec ToOutput(this VirtualMachineSettings settings) => new()
    {
        Name = settings.Name,
        QmpSocket = SocketOf(settings.Address),
        ImagePath = ImagesOf(settings.Address),
        AgentSocket = settings.AgentSocket ?? "",
        Hooks = settings.HasHooks,
        RequireFreeze = settings.RequiresFreeze,
        Disk = [.. settings.Disks ?? []],
        ExcludeDisk = [.. settings.ExcludedDisks ?? []],
        WorkFolder = settings.WorkFolder ?? "",
        ConsistencyGroup = settings.Group ?? "",
    };

    /// <summary>A machine as it is now.</summary>
    /// <param name="agent">This machine's agent.</param>
    /// <param name="name">What it is called; null for the name that it has itself.</param>
    /// <param name="address">How it is reached.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineBusy, VirtualMachineProgramUnusable, SourceItemUnreadable, ….</exception>
    public static async Task<OBVirtualMachine> LookAsync(BackupAgent agent, string? name, MachineAddress address, CancellationToken cancellationToken)
    {
        await using IVirtualMachine machine = await agent.OpenVirtualMachineAsync(address, name, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<MachineDisk> disks = await machine.ListDisksAsync(cancellationToken).ConfigureAwait(false);
        return new OBVirtualMachine
        {
            Name = name ?? machine.Name,
            Uuid = Guid.TryParse(machine.Uuid, out Guid uuid) ? uuid : null,
            Hypervisor = machine.Hypervisor,
            QmpSocket = SocketOf(address),
            ImagePath = ImagesOf(address),
            Disks = [.. disks.Select(disk => new OBMachineDisk
            {
                Name = disk.Name, Bytes = disk.Bytes, Format = disk.Format, Image = disk.Image ?? "", Serial = disk.Serial ?? "", IsReadOnly = disk.IsReadOnly,
            })],
        };
    }

    private static string SocketOf(MachineAddress address) => address is MachineAddress.Qmp qmp ? qmp.Socket : "";

    private static string[] ImagesOf(MachineAddress address) => address is MachineAddress.Off off ? [.. off.Images.Select(image => image.File)] : [];

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
