namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>A disk of a machine, and in a recovery point of it.</summary>
/// <param name="Name">What the machine's owner calls it. No two disks of a machine have one name.</param>
/// <param name="File">Its file in a recovery point: <see cref="MachineDescription.FileOf"/>.</param>
/// <param name="Serial">The serial number that the guest sees; null for none.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Format">The format of its image when it was backed up.</param>
/// <param name="Image">The file of its image then; null where there was none.</param>
/// <param name="IsReadOnly">Whether the guest could not write to it.</param>
public sealed record MachineDisk(string Name, string File, string? Serial, long Bytes, string Format, string? Image, bool IsReadOnly);
