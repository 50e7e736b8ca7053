namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>The image of a disk of a machine that is off.</summary>
/// <param name="Name">What the disk is called: the id of its drive or device where the machine runs.</param>
/// <param name="File">The file of the image.</param>
/// <param name="Format">The image's format: raw, qcow2, or another that qemu-img knows.</param>
public sealed record MachineImage(string Name, string File, string Format);
