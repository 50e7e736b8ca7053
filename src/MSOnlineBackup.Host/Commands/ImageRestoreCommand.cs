using System.CommandLine;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Engine.Restore;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image restore</c>.</summary>
internal sealed class ImageRestoreCommand : HostCommand
{
    private readonly ImageSelection _image;
    private readonly Option<string> _to = new("--to") { HelpName = "DIR", Required = true, Description = "The folder to restore into; vda:2:/etc becomes DIR/etc." };
    private readonly Option<RestoreConflict> _conflict;
    private readonly Option<bool> _mapNames;
    private readonly Option<bool> _verify;

    public ImageRestoreCommand()
        : base(
            "restore",
            "Restore a file, or a folder with everything in it, from a disk of a recovery point. The disk is not restored for it.",
            "obengine image restore latest vda:2:/etc --machine vm1 --vault /mnt/backup --to /tmp/restored")
    {
        _image = new ImageSelection(this, isRequired: true);
        Add(_to);
        _conflict = Choice("--conflict", "What to do if an item exists and differs: leave it, overwrite it, or restore a copy beside it.", RestoreConflict.Skip);
        _mapNames = Flag("--map-names", "Restore names that Windows does not allow under names that it does: a:b as a：b. The mapping can be reversed.");
        _verify = Flag("--verify", "Read every restored file again, and compare it with the file on the disk.");
    }

    public override bool IsJob => true;

    public override string StopNote => "Stopping; what is restored completely stays. Interrupt again to end at once.";

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        DiskPath place = _image.File(context);
        return _image.UseAsync(context, place, async (image, point) =>
        {
            var request = new RestoreRequest
            {
                Point = point,
                TargetFolder = context.Parsed.GetRequiredValue(_to),
                Conflict = context.Parsed.GetValue(_conflict),
                MapNames = context.Has(_mapNames),
                Verify = context.Has(_verify),
            };
            RestoreResult result = await context.Renderer.FollowAsync(monitor => image.RestoreAsync(place.Part!, place.Path!, request, monitor, context.Stop)).ConfigureAwait(false);
            return RestoreCommand.Describe(request, result);
        });
    }
}
