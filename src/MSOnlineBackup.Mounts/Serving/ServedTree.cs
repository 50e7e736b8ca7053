using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>
/// A view for clients that know folders and files alone. Symbolic links are followed, as far as they lead to files and folders of the same point; those that do not, and
/// those back to a folder on the way to them, are not there, so that who walks through everything comes to an end. Devices, pipes and sockets are not there either.
/// </summary>
/// <param name="view">The view.</param>
/// <param name="isOfAllPoints">Whether it is one of all points: then absolute links begin at their point, which is in a folder of its machine.</param>
internal sealed class ServedTree(IItemView view, bool isOfAllPoints)
{
    private const int MostLinks = 40;

    /// <summary>The view.</summary>
    public IItemView View => view;

    private int PointDepth => isOfAllPoints ? 2 : 0;

    /// <summary>The folder that holds everything.</summary>
    public ServedItem Root => new("", new ServedPlace(view.Root, null), null) { Id = view.Root.Id };

    /// <summary>The item that names lead to, one in the other from the root on; null where there is none.</summary>
    /// <exception cref="BackupException">What leads there is damaged; VaultUnreachable, ….</exception>
    public async ValueTask<ServedItem?> FindAsync(IEnumerable<byte[]> names, CancellationToken cancellationToken)
    {
        ServedItem? at = Root;
        foreach (byte[] name in names)
        {
            at = await FindAsync(at, name, cancellationToken).ConfigureAwait(false);
            if (at is null)
            {
                return null;
            }
        }

        return at;
    }

    /// <summary>An item of a folder, or what it leads to, as clients see it; null where they see nothing.</summary>
    public async ValueTask<ServedItem?> ShowAsync(ServedItem folder, ViewItem item, CancellationToken cancellationToken)
    {
        ServedPlace? place = new(item, folder.Place);
        if (item.Entry.Kind == EntryKind.SymbolicLink)
        {
            place = await FollowAsync(folder.Place, item, new Links(), cancellationToken).ConfigureAwait(false);
        }

        return place is null || !IsShown(place.Item) || (place.Item.IsFolder && folder.IsWithin(place.Item))
            ? null
            : new ServedItem(ServedName.Show(item.Form, item.Name.Span), place, folder) { Id = item.Id };
    }

    private static bool IsShown(ViewItem item) => item.Entry.Kind is EntryKind.File or EntryKind.Directory;

    private async ValueTask<ServedItem?> FindAsync(ServedItem folder, byte[] said, CancellationToken cancellationToken) =>
        folder.IsFolder
        && ServedName.Read(folder.Item.Form, said) is { } name
        && await view.FindAsync(folder.Item.Id, name, cancellationToken).ConfigureAwait(false) is { } item
            ? await ShowAsync(folder, item, cancellationToken).ConfigureAwait(false)
            : null;

    private async ValueTask<ServedPlace?> FollowAsync(ServedPlace folder, ViewItem link, Links links, CancellationToken cancellationToken)
    {
        if (++links.Followed > MostLinks)
        {
            return null;
        }

        ServedPlace? top = folder.At(PointDepth);
        (bool isAbsolute, ReadOnlyMemory<byte> target) = Read(link);
        if (target.IsEmpty || (isAbsolute && top is null))
        {
            return null;
        }

        ServedPlace at = isAbsolute ? top! : folder;
        foreach (ReadOnlyMemory<byte> name in Split(target))
        {
            if (name.IsEmpty || name.Span is [(byte)'.'])
            {
                continue;
            }

            if (name.Span is [(byte)'.', (byte)'.'])
            {
                // Above the root of a file system is the root.
                at = ReferenceEquals(at, top) ? at : at.Folder ?? at;
                continue;
            }

            if (!at.Item.IsFolder || await view.FindAsync(at.Item.Id, name, cancellationToken).ConfigureAwait(false) is not { } item)
            {
                return null;
            }

            if (item.Entry.Kind != EntryKind.SymbolicLink)
            {
                at = new ServedPlace(item, at);
                continue;
            }

            if (await FollowAsync(at, item, links, cancellationToken).ConfigureAwait(false) is not { } led)
            {
                return null;
            }

            at = led;
        }

        return at;
    }

    // A link of Windows names a drive, which is a folder of the view; one that begins at "the root" would need the drive that it is on.
    private static (bool IsAbsolute, ReadOnlyMemory<byte> Target) Read(ViewItem link)
    {
        ReadOnlyMemory<byte> target = link.Entry.LinkTarget;
        if (link.Form != PathForm.Windows)
        {
            return (target.Span is [(byte)'/', ..], target);
        }

        byte[] path = target.ToArray();
        path.AsSpan().Replace((byte)'\\', (byte)'/');
        ReadOnlySpan<byte> rest = path;
        if (rest.StartsWith("//?/"u8) || rest.StartsWith("/??/"u8))
        {
            rest = rest[4..];
        }

        return rest is [_, (byte)':', (byte)'/', ..] or [_, (byte)':'] ? (true, (byte[])[rest[0], .. rest[2..]])
            : rest is [(byte)'/', ..] || rest.Length != path.Length ? (false, default)
            : (false, path);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> path)
    {
        while (true)
        {
            int end = path.Span.IndexOf((byte)'/');
            yield return end < 0 ? path : path[..end];
            if (end < 0)
            {
                yield break;
            }

            path = path[(end + 1)..];
        }
    }

    // As many as a system follows on one way, however the links lead into one another.
    private sealed class Links
    {
        public int Followed { get; set; }
    }
}
