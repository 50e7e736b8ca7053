namespace MSOnlineBackup.Disks.Partitions;

/// <summary>A part of a disk, as its partition table has it.</summary>
/// <param name="Number">The number by which the systems call it (1 in "sda1"); 0 for a disk without a table, which is one part.</param>
/// <param name="Start">Where it begins, in bytes.</param>
/// <param name="Length">How many bytes it has.</param>
/// <param name="Type">What the table says that it is for: a GUID in lower case (GPT), or two digits as in "0x83" (MBR); null without a table.</param>
/// <param name="Name">The name that the table gives it (GPT); null where it gives none.</param>
public sealed record Partition(int Number, long Start, long Length, string? Type, string? Name)
{
    /// <summary>What messages call it.</summary>
    internal string Place => Number == 0 ? "the disk" : FormattableString.Invariant($"partition {Number}");
}
