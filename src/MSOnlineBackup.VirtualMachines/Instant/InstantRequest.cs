using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>What the guest's disks are connected to.</summary>
public enum DiskBus
{
    /// <summary>virtio-blk. Nothing in the guest gives up on a disk that takes long.</summary>
    Virtio,

    /// <summary>virtio-scsi.</summary>
    Scsi,

    /// <summary>SATA, for guests without drivers for the others.</summary>
    Sata,
}

/// <summary>How a machine of a recovery point is run at once.</summary>
public sealed record InstantRequest
{
    /// <summary>The folder that has, or gets, what belongs to the machine: images of its disks, which grow to all their data, and sockets, so that its path is short.</summary>
    public required string Folder { get; init; }

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>How much memory it has, in bytes: whole MiB.</summary>
    public long MemoryBytes { get; init; } = 2L << 30;

    /// <summary>How many processors it has.</summary>
    public int Processors { get; init; } = 1;

    /// <summary>What its disks are connected to.</summary>
    public DiskBus Bus { get; init; } = DiskBus.Virtio;

    /// <summary>More options of QEMU's, each as its name and, after a space, its value: <c>nic user,model=virtio-net-pci</c>.</summary>
    public IReadOnlyList<string> QemuOptions { get; init; } = [];

    /// <summary>QEMU.</summary>
    public string Program { get; init; } = "qemu-system-x86_64";

    /// <summary>How much of each disk is taken over in a second at most, in bytes; 0 for as much as can be. What the guest itself reads does not count.</summary>
    public long MostBytesPerSecond { get; init; }

    /// <summary>Is told what keeps the machine, or the taking over of its disks, from going on for now; from any thread.</summary>
    public Action<BackupException> Report { get; init; } = static _ => { };

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>How far a machine is.</summary>
/// <param name="Bytes">How much of its disks needs the vault no more, holes included.</param>
/// <param name="TotalBytes">How much there is.</param>
/// <param name="StandsStill">Whether the guest stands still, since a disk could not be read or written.</param>
public sealed record InstantProgress(long Bytes, long TotalBytes, bool StandsStill);
