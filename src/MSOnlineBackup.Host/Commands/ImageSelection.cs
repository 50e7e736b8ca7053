using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary>A recovery point and a place on one of its disks.</summary>
internal sealed class ImageSelection
{
    private readonly PointSelection _point;
    private readonly Argument<string?> _place;
    private readonly VaultSelection _vault;

    public ImageSelection(Command command, bool isRequired)
    {
        _point = new PointSelection(command);
        _place = new Argument<string?>("PLACE")
        {
            Description = "A disk (vda), a partition of it (vda:2), or a file or folder there (vda:2:/etc). A file that is the image of a disk is a disk by its full path.",
            Arity = isRequired ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
        };
        command.Add(_place);
        _vault = new VaultSelection(command);
    }

    /// <summary>The place; null where none was given.</summary>
    public DiskPath? Place(CommandContext context) => context.GetOptional(_place) is { } text ? DiskPath.Parse(text) : null;

    /// <summary>The place, which is on a partition.</summary>
    public DiskPath File(CommandContext context) => Place(context) is { Part: not null } place
        ? place with { Path = place.Path ?? "/" }
        : throw context.Invalid($"'{context.GetOptional(_place)}' is a whole disk.", "Name a partition and a path on it, such as vda:2:/etc. 'obengine restore' restores whole disks.");

    /// <summary>Does something with the point.</summary>
    public async Task<Outcome> UseAsync(CommandContext context, Func<IndexedVault, RecoveryPoint, Task<Outcome>> use)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint point = await _point.GetAsync(context, vault).ConfigureAwait(false);
        return await use(await vault.IndexAsync(context.Stop).ConfigureAwait(false), point).ConfigureAwait(false);
    }

    /// <summary>Does something with the disk that was named.</summary>
    public Task<Outcome> UseAsync(CommandContext context, DiskPath place, Func<DiskImage, RecoveryPoint, Task<Outcome>> use) => UseAsync(context, async (vault, point) =>
    {
        using DiskImage image = await vault.OpenDiskAsync(point, place.Disk, context.Stop).ConfigureAwait(false);
        return await use(image, point).ConfigureAwait(false);
    });
}
