using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>A disk of a virtual machine.</summary>
/// <param name="Device">The device of the guest that has it, by its path in QEMU: what stays the same for as long as the machine runs.</param>
/// <param name="Name">What people call it: the id of the drive or of the device, or a part of <paramref name="Device"/>.</param>
/// <param name="Node">The node of QEMU's that has its content.</param>
/// <param name="Serial">The serial number that the guest sees; null for none.</param>
/// <param name="Size">Its size, in bytes.</param>
/// <param name="Format">The format of its image: qcow2, raw.</param>
/// <param name="File">The file of its image, as QEMU names it; null for none.</param>
/// <param name="IsReadOnly">Whether the guest cannot write to it.</param>
/// <param name="Bitmaps">The bitmaps that it has, of whomever.</param>
public sealed record QemuDisk(
    string Device, string Name, string Node, string? Serial, long Size, string Format, string? File, bool IsReadOnly, IReadOnlyList<QemuBitmap> Bitmaps)
{
    /// <summary>Whether the image keeps bitmaps while the machine is off.</summary>
    internal bool KeepsBitmaps { get; init; }

    /// <summary>The bitmaps of the images that this one is written over: who makes a snapshot has a record go on in the new image, which has what was written since then only.</summary>
    internal IReadOnlyList<(string Node, long? Size, QemuBitmap Bitmap)> LowerBitmaps { get; init; } = [];

    /// <summary>As recovery points have it.</summary>
    public MachineDisk ToMachineDisk() => new(Name, MachineDescription.FileOf(Name), Serial, Size, Format, File, IsReadOnly);
}

/// <summary>A dirty bitmap: what was written to a disk since it was made.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsRecording">Whether what is written is recorded in it.</param>
/// <param name="IsPersistent">Whether it stays where the machine is switched off.</param>
/// <param name="IsInconsistent">Whether it is of no use since the machine ended before it could be stored.</param>
public sealed record QemuBitmap(string Name, bool IsRecording, bool IsPersistent, bool IsInconsistent);
