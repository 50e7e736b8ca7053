using System.Globalization;
using System.Text.Json;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Azure.Machines;

/// <summary>A disk of a machine in Azure.</summary>
/// <param name="Lun">Its number; null for that of the operating system.</param>
/// <param name="Id">The address of the managed disk; null where it is none.</param>
/// <param name="Bytes">Its size; 0 where Azure does not say.</param>
/// <param name="Attachment">How it is attached, as Azure describes it.</param>
/// <param name="Resource">The managed disk, as Azure describes it; null where it is none.</param>
/// <param name="Unfit">Why it cannot be backed up, a sentence without its end; null where it can.</param>
internal sealed record AzureDisk(long? Lun, string? Id, long Bytes, JsonElement Attachment, JsonElement? Resource, string? Unfit)
{
    private const string OfSystem = "os";

    // Their moments have another form (VHDX), or cannot be compared.
    private static readonly string[] _otherKinds = ["UltraSSD_LRS", "PremiumV2_LRS"];

    /// <summary>What it is called: os, lun0. A disk that takes the place of another one takes its name, too.</summary>
    public string Name => Lun is { } lun ? string.Create(CultureInfo.InvariantCulture, $"lun{lun}") : OfSystem;

    /// <summary>The operating system's family, of its disk: Linux, Windows; null for others.</summary>
    public string? System => Attachment.Text("osType");

    /// <summary>As recovery points have it.</summary>
    public MachineDisk ToMachineDisk() => new(Name, MachineDescription.FileOf(Name), null, Bytes, "vhd", Id ?? Attachment.Text("vhd", "uri")?.Split('?')[0], IsReadOnly: false);

    /// <summary>Reads what a machine and its disk say.</summary>
    public static AzureDisk Read(JsonElement attachment, JsonElement? resource)
    {
        long bytes = resource?.Number("properties", "diskSizeBytes") ?? (resource?.Number("properties", "diskSizeGB") ?? attachment.Number("diskSizeGB") ?? 0) << 30;
        return new AzureDisk(attachment.Number("lun"), attachment.Text("managedDisk", "id"), bytes, attachment, resource, FindReason(attachment, resource));
    }

    private static string? FindReason(JsonElement attachment, JsonElement? resource)
    {
        if (attachment.Text("diffDiskSettings", "option") is not null)
        {
            return "is ephemeral: it lives in the host alone";
        }

        if (attachment.Text("managedDisk", "id") is null)
        {
            return "is no managed disk";
        }

        if (resource is not { } disk)
        {
            return "is not there any more, or this machine's identity may not see it";
        }

        string kind = disk.Text("sku", "name") ?? "";
        return _otherKinds.Contains(kind, StringComparer.OrdinalIgnoreCase) ? $"is of the kind {kind}, whose moments are not read"
            : disk.Number("properties", "maxShares") is > 1 ? "is shared by several machines"
            : disk.Text("properties", "securityProfile", "securityType") is { } security && security.StartsWith("ConfidentialVM", StringComparison.OrdinalIgnoreCase) ? "is one of a confidential machine"
            : disk.Text("properties", "networkAccessPolicy") == "DenyAll" ? "may not be exported (its network access is DenyAll)"
            : disk.Text("properties", "dataAccessAuthMode") == "AzureActiveDirectory" ? "may be exported only with a token of Entra ID (its data access mode is AzureActiveDirectory)"
            : null;
    }
}
