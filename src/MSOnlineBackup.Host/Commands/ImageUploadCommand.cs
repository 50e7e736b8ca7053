using System.CommandLine;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Azure.Uploads;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image upload</c>.</summary>
internal sealed class ImageUploadCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly Argument<string> _disk;
    private readonly VaultSelection _vault;
    private readonly Option<string> _to = new("--to-azure-disk") { HelpName = "ID", Required = true, Description = "The address of the new disk: /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/disks/NAME." };
    private readonly Option<string> _location = new("--location") { HelpName = "REGION", Required = true, Description = "Azure's region: westeurope." };
    private readonly Option<string?> _sku;
    private readonly Option<string?> _system;
    private readonly Option<string?> _generation;
    private readonly Option<bool> _trusted;
    private readonly Option<string?> _zone;

    public ImageUploadCommand()
        : base(
            "upload",
            "Restore a disk of a recovery point as a managed disk in Azure: it is read back and compared. The point's azuredeploy.json makes a machine of such disks.",
            "obengine image upload latest os --machine vm3 --vault /mnt/backup --to-azure-disk /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/disks/vm3-os --location westeurope --os-type Linux --generation V2")
    {
        _point = new PointSelection(this);
        _disk = Required("DISK", "The disk, as 'obengine image ls POINT' lists it: os, lun0, vda.");
        _vault = new VaultSelection(this);
        Add(_to);
        Add(_location);
        _sku = Value("--sku", "KIND", "The kind of the disk: Premium_LRS, StandardSSD_LRS, Standard_LRS, Premium_ZRS, StandardSSD_ZRS. Default: StandardSSD_LRS.");
        _system = Value("--os-type", "FAMILY", "Of the disk of an operating system: Linux or Windows.");
        _generation = Value("--generation", "V1|V2", "Of the disk of an operating system: V1 (BIOS) or V2 (UEFI).");
        _trusted = Flag("--trusted-launch", "It is the disk of an operating system for a machine with Trusted Launch.");
        _zone = Value("--zone", "N", "The availability zone. Default: none.");
    }

    public override bool IsJob => true;

    public override string StopNote => "Stopping; the new disk is removed. Interrupt again to end at once; then the next upload there removes it.";

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        var request = new AzureDiskRequest
        {
            Id = AzureResourceId.Parse(context.Parsed.GetRequiredValue(_to), AzureResourceId.Disks).ToString(),
            Location = context.Parsed.GetRequiredValue(_location),
            Sku = context.Get(_sku) ?? "StandardSSD_LRS",
            OperatingSystem = One(context, _system, "Linux", "Windows"),
            Generation = One(context, _generation, "V1", "V2"),
            IsTrusted = context.Has(_trusted),
            Zone = context.Get(_zone),
        };
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint point = await _point.GetAsync(context, vault).ConfigureAwait(false);
        using DiskBytes disk = await (await vault.IndexAsync(context.Stop).ConfigureAwait(false)).OpenDiskBytesAsync(point, context.Get(_disk), context.Stop).ConfigureAwait(false);
        AzureDiskResult result = await context.Renderer.FollowAsync(monitor => AzureMachines.UploadAsync(_vault.Connect(context), request, disk, monitor, context.Stop)).ConfigureAwait(false);
        string text = $"disk      {result.Id}\nsize      {Quantity.Size(result.Bytes)}\nwritten   {Quantity.Size(result.WrittenBytes)}, the rest is zeroes\nverified  {Quantity.Size(result.VerifiedBytes)} read back and compared";
        return new Outcome(new UploadSummary(point.SessionId.ToString(), disk.Path, result.Id, result.Bytes, result.WrittenBytes, result.VerifiedBytes), text);
    }

    private static string? One(CommandContext context, Option<string?> option, params string[] words) => context.Get(option) is not { } text ? null
        : words.FirstOrDefault(word => word.Equals(text, StringComparison.OrdinalIgnoreCase))
        ?? throw context.Invalid($"'{text}' is not a value of {option.Name}.", $"Write {string.Join(" or ", words)}.", text);
}
