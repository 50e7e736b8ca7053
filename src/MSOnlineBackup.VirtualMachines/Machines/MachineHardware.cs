namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>What starts a machine.</summary>
public enum FirmwareKind
{
    /// <summary>The BIOS.</summary>
    Bios,

    /// <summary>UEFI, which keeps variables in a flash of its own.</summary>
    Uefi,
}

/// <summary>What a machine is made of, beside its disks. What is not known is null.</summary>
public sealed record MachineHardware
{
    /// <summary>The file of a recovery point that has the variables of UEFI.</summary>
    public const string VariablesFile = "nvram.fd";

    /// <summary>The processors' architecture, as QEMU names it: "x86_64".</summary>
    public string? Architecture { get; init; }

    /// <summary>The machine's type, as QEMU names it: "pc-q35-7.2".</summary>
    public string? Machine { get; init; }

    /// <summary>How many processors it has.</summary>
    public int? Processors { get; init; }

    /// <summary>Its memory, in bytes.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>What starts it.</summary>
    public FirmwareKind? Firmware { get; init; }

    /// <summary>Of UEFI, the file of the firmware on the host that it ran on.</summary>
    public string? FirmwareFile { get; init; }

    /// <summary>The kinds of its disks' devices, by the disks' names: "virtio-blk-device", "scsi-hd".</summary>
    public IReadOnlyDictionary<string, string>? DiskDevices { get; init; }

    /// <summary>Its network cards.</summary>
    public IReadOnlyList<MachineCard>? Cards { get; init; }
}

/// <summary>A network card.</summary>
/// <param name="Device">The kind of its device: "virtio-net-pci".</param>
/// <param name="Address">Its MAC address; null where it is not known.</param>
public sealed record MachineCard(string Device, string? Address);
