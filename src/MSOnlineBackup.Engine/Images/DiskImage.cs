using System.Runtime.CompilerServices;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Images;

/// <summary>A disk of a recovery point that is looked into: its parts, and the files on them. Of the vault is read what is asked for. It lives no longer than the vault.</summary>
public sealed class DiskImage : IDisposable
{
    private readonly IItemView _view;
    private readonly VaultOptions _options;

    private DiskImage(IItemView view, ViewItem item, string name, IReadOnlyList<ImagePart> parts, VaultOptions options) => (_view, Item, Name, Parts, _options) = (view, item, name, parts, options);

    /// <summary>The disk's file in the point.</summary>
    public ViewItem Item { get; }

    /// <summary>What it was called when it was asked for.</summary>
    public string Name { get; }

    /// <summary>Its parts, in their order.</summary>
    public IReadOnlyList<ImagePart> Parts { get; }

    /// <summary>Whether a file of a point is the image of a disk: one of a machine's, or of a block device. Files that happen to be images are not.</summary>
    public static bool IsDisk(ViewItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item is { Entry.Kind: EntryKind.File, Source: { } source } && (IsOfMachine(source)
            ? item.Entry.Path.Bytes.StartsWith("disks/"u8) && item.Entry.Path.Bytes.EndsWith(".raw"u8)
            : item.Entry.Path.IsRoot && source.Path.StartsWith("/dev/", StringComparison.Ordinal));
    }

    /// <summary>Opens a disk of a point.</summary>
    /// <param name="view">The view of the point. It is disposed of with what is returned.</param>
    /// <param name="point">The point.</param>
    /// <param name="disk">Its name in the backup of a machine (<c>vda</c>, or <c>vm1/vda</c> where a point has several), that of a device (<c>sdb</c>), or the full path of any file.</param>
    /// <param name="options">The vault's.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeItemNotFound: there is none, or more than one. VolumeCorrupt: its partition table cannot be read. VaultDataCorrupt, ….</exception>
    internal static async Task<DiskImage> OpenAsync(IItemView view, RecoveryPoint point, string disk, VaultOptions options, CancellationToken cancellationToken)
    {
        (ViewItem item, ulong folder) = await FindDiskAsync(view, point, disk, cancellationToken).ConfigureAwait(false);
        return new DiskImage(view, item, disk, await ImagePart.ReadAsync(view, item, folder, ImagePart.RefusalOf(options), cancellationToken).ConfigureAwait(false), options);
    }

    /// <summary>The file of a disk of a point, and the folder that it is in.</summary>
    /// <exception cref="BackupException">VolumeItemNotFound: there is none, or more than one. VaultDataCorrupt, ….</exception>
    internal static async Task<(ViewItem Item, ulong Folder)> FindDiskAsync(IItemView view, RecoveryPoint point, string disk, CancellationToken cancellationToken)
    {
        (ViewItem Item, ulong Folder)[] found = [];
        foreach (string path in PathsOf(point, disk))
        {
            if (await view.FindPathAsync(point, path, cancellationToken).ConfigureAwait(false) is { Entry.Kind: EntryKind.File } item)
            {
                ViewItem? folder = path.LastIndexOf('/') is > 0 and int end ? await view.FindPathAsync(point, path[..end], cancellationToken).ConfigureAwait(false) : null;
                found = [.. found, (item, (folder ?? view.Root).Id)];
            }
        }

        return found switch
        {
            [var only] => only,
            [] => throw new BackupException(
                BackupErrorId.VolumeItemNotFound, $"The recovery point has no disk '{disk}'.", "Give a disk as 'obengine image ls POINT' lists it, or the full path of a file.", disk),
            _ => throw new BackupException(
                BackupErrorId.VolumeItemNotFound, $"The recovery point has more than one disk '{disk}': {string.Join(", ", found.Select(disk => $"'{disk.Item.FullPath}'"))}.", "Give its full path.", disk),
        };
    }

    /// <summary>The file system of a part.</summary>
    /// <param name="part">The name of the part: <see cref="ImagePart.Name"/>.</param>
    /// <exception cref="BackupException">VolumeItemNotFound: there is no such part. VolumeUnsupported, VolumeCorrupt: there is none that can be read.</exception>
    public IFileVolume FindVolume(string part) => Parts.FirstOrDefault(each => each.Name == part) is { } found
        ? found.Content.RequireFiles()
        : throw new BackupException(
            BackupErrorId.VolumeItemNotFound, $"The disk '{Name}' has no part '{part}'.", $"'obengine image ls POINT {Name}' lists its parts.", part);

    /// <summary>Why what is on a part may not be as it was on the disk: its file system was in use, and has a log that is not read. Null where there is no doubt.</summary>
    /// <param name="part">The name of the part: <see cref="ImagePart.Name"/>.</param>
    /// <exception cref="BackupException">As of <see cref="FindVolume"/>.</exception>
    public BackupException? DoubtOf(string part)
    {
        IFileVolume volume = FindVolume(part);
        string shown = $"{Name}:{part}";

        // Who holds a file system still has it bring everything to its place.
        bool wasHeld = volume.WasInUse && Item.Source?.Consistency is { Level: >= ConsistencyLevel.FileSystem };
        return volume.Note is not { } note || wasHeld
            ? null
            : new BackupException(
                BackupErrorId.VolumeInUse,
                $"What is shown of '{shown}' may not be all that was on it. {note}",
                "Restore the disk, and mount a copy of it: that reads the log. Back up machines with their guest agent (--agent), which holds the file systems still.",
                shown);
    }

    /// <summary>The item of a file system by its path.</summary>
    /// <param name="volume">The file system.</param>
    /// <param name="path">The path from its root; <c>/</c> for that.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeItemNotFound; VolumeCorrupt, ….</exception>
    public static async Task<VolumeItem> FindAsync(IFileVolume volume, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(path);
        EntryPath place = EntryPath.Parse(path);
        VolumeItem item = volume.Root;
        for (int start = 0; start < place.Bytes.Length;)
        {
            int length = place.Bytes[start..].IndexOf((byte)'/');
            byte[] name = (length < 0 ? place.Bytes[start..] : place.Bytes.Slice(start, length)).ToArray();
            item = (item.Kind == EntryKind.Directory ? await volume.FindAsync(item, name, cancellationToken).ConfigureAwait(false) : null)
                ?? throw new BackupException(
                    BackupErrorId.VolumeItemNotFound, $"The file system has no item '{path}'.", "List the folder above it. Links are not followed.", path);
            start += name.Length + 1;
        }

        return item;
    }

    /// <summary>The item of a part by its path. Where it is not found, and what is on the part is in doubt, the error says so.</summary>
    /// <param name="part">The name of the part: <see cref="ImagePart.Name"/>.</param>
    /// <param name="path">The path from the root of its file system.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="FindVolume"/>; VolumeItemNotFound; VolumeCorrupt, ….</exception>
    public async Task<VolumeItem> FindAsync(string part, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(FindVolume(part), path, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeItemNotFound && DoubtOf(part) is { } doubt)
        {
            throw new BackupException(e.Id, $"{e.Message} {doubt.Message}", doubt.RecommendedAction, path, innerException: e);
        }
    }

    /// <summary>Lists a file, or what is in a folder.</summary>
    /// <param name="part">The name of the part: <see cref="ImagePart.Name"/>.</param>
    /// <param name="path">The path on its file system; <c>/</c> for its root.</param>
    /// <param name="recursive">Whether all that is below the folder is listed.</param>
    /// <param name="onDamage">Is told of what could not be read, and of <see cref="DoubtOf"/>; the listing goes on.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="FindAsync(string, string, CancellationToken)"/>.</exception>
    public async IAsyncEnumerable<RecoverableItem> ListAsync(
        string part, string path, bool recursive, Action<BackupException> onDamage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(onDamage);
        IFileVolume volume = FindVolume(part);
        if (DoubtOf(part) is { } doubt)
        {
            onDamage(doubt);
        }

        VolumeItem top = await FindAsync(part, path, cancellationToken).ConfigureAwait(false);
        RecoveryPointSource source = ImageRestore.SourceOf($"{Name}:{part}");
        var place = EntryPath.Parse(path);
        await foreach (SourceItem item in new VolumeTree(volume, source.Path).RunAsync(top, place, recursive, cancellationToken).ConfigureAwait(false))
        {
            if (item.Failure is { } failure)
            {
                onDamage(failure);
            }

            if (!item.Entry.Path.IsRoot || top.Kind != EntryKind.Directory)
            {
                yield return new RecoverableItem(source, Details(item, onDamage) with { Path = RestoreSelection.Join(place, item.Entry.Path.Bytes) });
            }
        }
    }

    /// <summary>Restores a file, or a folder with all that is in it, by its own name into a folder.</summary>
    /// <param name="part">The name of the part: <see cref="ImagePart.Name"/>.</param>
    /// <param name="path">The path on its file system; <c>/</c> for all that is on it.</param>
    /// <param name="request">Where to, and how; its point and its paths are not looked at.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; what is complete stays.</param>
    /// <returns>What was restored; where there is a <see cref="DoubtOf"/>, that counts as something that was skipped.</returns>
    /// <exception cref="BackupException">As of <see cref="FindAsync(string, string, CancellationToken)"/>; RestoreTargetInvalid, RestoreTargetFull, ….</exception>
    public async Task<RestoreResult> RestoreAsync(string part, string path, RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        IFileVolume volume = FindVolume(part);
        VolumeItem top = await FindAsync(part, path, cancellationToken).ConfigureAwait(false);
        return await ImageRestore.RunAsync(volume, top, EntryPath.Parse(path), $"{Name}:{part}", DoubtOf(part), request, monitor, _options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a disk of a point is called by itself: <c>vda</c>, <c>sdb</c>.</summary>
    public static string NameOf(RecoverableItem disk)
    {
        string name = (disk ?? throw new ArgumentNullException(nameof(disk))).Name;
        name = name[(name.LastIndexOf('/') + 1)..];
        return IsOfMachine(disk.Source) && name.EndsWith(".raw", StringComparison.Ordinal) ? name[..^".raw".Length] : name;
    }

    /// <summary>Where the disks of a source are: the path of a folder of them, or of the source that is one; null where it has none.</summary>
    internal static string? FolderOf(RecoveryPointSource source) =>
        IsOfMachine(source) ? source.Path + "/disks" : source.Path.StartsWith("/dev/", StringComparison.Ordinal) ? source.Path : null;

    /// <inheritdoc/>
    public void Dispose() => _view.Dispose();

    private static ManifestEntry Details(SourceItem item, Action<BackupException> onDamage)
    {
        try
        {
            return item.ReadDetails();
        }
        catch (BackupException e) when (e.IsOfSourceItem)
        {
            onDamage(e);
            return item.Entry;
        }
    }

    // Those of files and folders are absolute.
    private static bool IsOfMachine(RecoveryPointSource source) => source.Form == PathForm.Posix && !source.Path.StartsWith('/');

    private static IEnumerable<string> PathsOf(RecoveryPoint point, string disk)
    {
        yield return disk;
        if (!disk.StartsWith('/'))
        {
            yield return "/dev/" + disk;
        }

        foreach (RecoveryPointSource source in point.Sources.Where(IsOfMachine))
        {
            yield return $"{source.Path}/disks/{disk}.raw";
            if (disk.StartsWith(source.Path + '/', StringComparison.Ordinal))
            {
                yield return $"{source.Path}/disks/{disk[(source.Path.Length + 1)..]}.raw";
            }
        }
    }
}
