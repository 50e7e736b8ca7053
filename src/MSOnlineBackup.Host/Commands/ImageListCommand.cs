using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image ls</c>.</summary>
internal sealed class ImageListCommand : HostCommand
{
    private readonly ImageSelection _image;
    private readonly Option<bool> _long;
    private readonly Option<bool> _recursive;

    public ImageListCommand()
        : base(
            "ls",
            "List the disks of a recovery point, the partitions of one, or the files on a partition. No disk is restored for it.",
            """
            obengine image ls latest --machine vm1 --vault /mnt/backup
            obengine image ls latest vda --machine vm1 --vault /mnt/backup
            obengine image ls latest vda:2:/etc -l --machine vm1 --vault /mnt/backup
            """)
    {
        _image = new ImageSelection(this, isRequired: false);
        _long = Flag("--long", "Of files also show mode, owner, group, size (bytes) and time of modification.", "-l");
        _recursive = Flag("--recursive", "List everything below a folder.", "-R");
    }

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        var damage = new DamageTally(context.Renderer);
        return _image.Place(context) switch
        {
            null => _image.UseAsync(context, async (vault, point) =>
            {
                long count = 0;
                await foreach (RecoverableItem disk in vault.ListDisksAsync(point, context.Stop).ConfigureAwait(false))
                {
                    context.Renderer.Item(DiskLine.Of(point, disk), line => $"{line.Name,-16}  {Quantity.Size(line.Bytes),10}  {line.Path}");
                    count++;
                }

                return new Outcome(new ListSummary("image ls", count), count == 0 ? "This point has no disks. The image of a disk among its files is named by its full path." : "");
            }),
            { Part: null } place => _image.UseAsync(context, place, (image, point) =>
            {
                foreach (ImagePart part in image.Parts)
                {
                    context.Renderer.Item(DiskPartLine.Of(point, image, part), Show);
                }

                return Task.FromResult(new Outcome(new ListSummary("image ls", image.Parts.Count), ""));
            }),
            { } place => _image.UseAsync(context, place, async (image, point) =>
            {
                Func<ItemLine, string> text = context.Has(_long) ? line => ItemText.Long(line, context) : ItemText.Short;
                long count = 0;
                await foreach (RecoverableItem item in image.ListAsync(place.Part!, place.Path ?? "/", context.Has(_recursive), damage.Add, context.Stop).ConfigureAwait(false))
                {
                    context.Renderer.Item(ItemLine.Of(point, item), text);
                    count++;
                }

                return new Outcome(new ListSummary("image ls", count) { ExitCode = (int)damage.ExitCode }, "");
            }),
        };
    }

    private static string Show(DiskPartLine line)
    {
        string what = line.Kind is null ? "" : $"{line.Kind}{(line.Label is { Length: > 0 } label ? $" '{label}'" : "")}";
        return $"{line.Place,-12}  {Quantity.Size(line.Bytes),10}  {what,-24}  {line.Error ?? line.Note ?? line.Name ?? ""}".TrimEnd();
    }
}
