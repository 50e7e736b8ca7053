namespace MSOnlineBackup.VirtualMachines.Azure.Uploads;

/// <summary>A managed disk that is to be made of a disk of a recovery point.</summary>
public sealed record AzureDiskRequest
{
    /// <summary>Its address: <c>/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/disks/NAME</c>. Nothing is there yet.</summary>
    public required string Id { get; init; }

    /// <summary>The region: <c>westeurope</c>.</summary>
    public required string Location { get; init; }

    /// <summary>The kind of the disk.</summary>
    public string Sku { get; init; } = "StandardSSD_LRS";

    /// <summary>Of the disk of an operating system, its family: Linux, Windows; null for a disk of data.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>Of the disk of an operating system, the generation of the machine that starts from it: V1 (BIOS), V2 (UEFI).</summary>
    public string? Generation { get; init; }

    /// <summary>Whether it is the disk of an operating system for a machine with Trusted Launch.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>The availability zone; null for none.</summary>
    public string? Zone { get; init; }
}

/// <summary>What a restore of a disk to Azure did.</summary>
/// <param name="Id">The address of the disk.</param>
/// <param name="Bytes">The size of the new disk, which is a multiple of 1 MiB.</param>
/// <param name="WrittenBytes">How many bytes were written: what is zeroes was not.</param>
/// <param name="VerifiedBytes">How many bytes were read back and compared. Of the rest Azure says that it is zeroes.</param>
public sealed record AzureDiskResult(string Id, long Bytes, long WrittenBytes, long VerifiedBytes);
