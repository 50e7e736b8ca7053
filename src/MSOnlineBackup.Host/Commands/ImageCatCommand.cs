using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image cat</c>.</summary>
internal sealed class ImageCatCommand : HostCommand
{
    private const int ReadLength = 1 << 20;

    private readonly ImageSelection _image;

    public ImageCatCommand()
        : base("cat", "Write a file on a disk of a recovery point to standard output.", "obengine image cat latest vda:2:/etc/fstab --machine vm1 --vault /mnt/backup") =>
        _image = new ImageSelection(this, isRequired: true);

    public override bool WritesBytes => true;

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        DiskPath place = _image.File(context);
        return _image.UseAsync(context, place, async (image, point) =>
        {
            IFileVolume volume = image.FindVolume(place.Part!);
            VolumeItem item = await image.FindAsync(place.Part!, place.Path!, context.Stop).ConfigureAwait(false);
            if (item.Kind != EntryKind.File)
            {
                throw context.Invalid($"'{place}' is not a file.", "Name a file. 'obengine image restore' restores folders.", place.ToString());
            }

            HostEnvironment environment = context.Environment;
            BackupException? doubt = image.DoubtOf(place.Part!);
            if (doubt is not null)
            {
                context.Renderer.Warn(doubt);
            }

            byte[] buffer = new byte[ReadLength];
            long written = 0;
            while (await volume.ReadAsync(item, written, buffer, context.Stop).ConfigureAwait(false) is > 0 and int read && !environment.OutputIsUnread())
            {
                environment.OutputBytes.Write(buffer.AsSpan(0, read));
                if (environment.OutputFault() is not null)
                {
                    break;
                }

                written += read;
            }

            ExitCode code = environment.OutputFault() is not null ? ExitCode.Failed : doubt is null ? ExitCode.Success : ExitCode.CompletedWithSkips;
            return new Outcome(new CatSummary(point.SessionId.ToString(), place.ToString(), written) { Command = "image cat", ExitCode = (int)code }, "");
        });
    }
}
