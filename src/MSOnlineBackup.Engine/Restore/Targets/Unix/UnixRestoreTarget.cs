using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A folder of a POSIX system to restore into.</summary>
internal sealed class UnixRestoreTarget : IRestoreTarget
{
    // rwxrwxrwx less the umask: what a folder keeps that will not get a mode of its own.
    private const uint DefaultFolderMode = 0x1FF;
    private const uint OwnerMode = 0x1C0;

    private readonly TargetFolders _folders;

    // Not asked for again once a file system had none. Another one mounted below has a temporary name instead.
    private volatile bool _hasNameless = true;

    private UnixRestoreTarget(UnixSystem system, byte[] path, int handle, bool skipSecurity, UnixStat? vault)
    {
        // Each file has a handle and holds one of its folder; the vault's files and the runtime have theirs.
        const int Reserve = 64;
        long budget = Math.Max(0, UnixSystem.MostOpenFiles - Reserve);
        MostOpenFiles = (int)Math.Clamp(budget / 4, 4, 250);
        System = system;
        _folders = new TargetFolders(
            system, path, handle, skipSecurity ? DefaultFolderMode : IRestoreTarget.UnfinishedMode, (int)Math.Clamp(budget / 4, 4, 128), vault);
        Metadata = new UnixMetadata(system, skipSecurity);
        Existing = new ExistingItems(system, _folders);
        Names = new ItemNames(system, _folders);
        Items = new ItemMetadata(system, _folders, Metadata);
    }

    /// <summary>The calls.</summary>
    public UnixSystem System { get; }

    /// <summary>What sets metadata.</summary>
    public UnixMetadata Metadata { get; }

    /// <summary>What is there.</summary>
    public ExistingItems Existing { get; }

    /// <summary>What gives items their names.</summary>
    public ItemNames Names { get; }

    /// <summary>The metadata of what has its name.</summary>
    public ItemMetadata Items { get; }

    /// <inheritdoc/>
    public int MostOpenFiles { get; }

    /// <summary>Opens a folder that is there.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Its absolute path, raw.</param>
    /// <param name="skipSecurity">Whether owner, permissions and access lists are left as new items have them.</param>
    /// <param name="vault">The folder that nothing may be restored into; null for none.</param>
    public static UnixRestoreTarget Open(UnixSystem system, byte[] path, bool skipSecurity, UnixStat? vault = null)
    {
        int handle = system.OpenBase(-1, path, followLink: true);
        if (handle >= 0 && vault is { } forbidden && IsWithin(system, handle, forbidden))
        {
            UnixSystem.Close(handle);
            throw UnixRestoreError.IsVault(path);
        }

        return handle >= 0 ? new UnixRestoreTarget(system, path, handle, skipSecurity, vault) : throw UnixRestoreError.OfItem(handle, path);
    }

    /// <summary>The full path of an item, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => _folders.FullPath(path);

    /// <inheritdoc/>
    public ManifestEntry? Find(EntryPath path) => Existing.Find(path);

    /// <inheritdoc/>
    public bool HoldsItems(EntryPath folder) => Existing.HoldsItems(folder);

    /// <inheritdoc/>
    public int Read(ManifestEntry existing, long offset, Span<byte> destination) => Existing.Read(existing, offset, destination);

    /// <inheritdoc/>
    public bool IsZero(ManifestEntry existing, long offset, long length) => Existing.IsZero(existing, offset, length);

    /// <inheritdoc/>
    public Stream OpenRead(EntryPath path) => Existing.OpenRead(path);

    /// <inheritdoc/>
    public bool CanHaveStream(ReadOnlySpan<byte> name) => System.IsStream(name);

    /// <inheritdoc/>
    public IRestoreStream CreateStream(EntryPath folder, ReadOnlyMemory<byte> name, long length) =>
        throw UnixRestoreError.OfItem(-Errno.NotSupported, FullPath(folder));

    /// <inheritdoc/>
    public Stream? OpenStream(EntryPath path, ReadOnlyMemory<byte> name) => Existing.OpenStream(path, name);

    /// <inheritdoc/>
    public void Remove(EntryPath path) => Names.Remove(path);

    /// <inheritdoc/>
    public bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace) => Names.TryCreateHardLink(path, existing, replace);

    /// <inheritdoc/>
    public bool HasMetadata(ManifestEntry entry) => Items.IsSet(entry);

    /// <inheritdoc/>
    public void SetMetadata(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata) => Items.Set(entry, freeze, reportMetadata);

    /// <inheritdoc/>
    public void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata) => Items.Freeze(entry, reportMetadata);

    /// <inheritdoc/>
    public bool IgnoresCase(EntryPath folder)
    {
        using TargetFolders.Lease? opened = _folders.AcquireFolder(folder, create: true);
        int at = opened!.Value.Handle;
        bool isKnown = System.Stat(at, out UnixStat before) >= 0;
        (byte[] name, int handle) = ItemNames.MakeTemporary(name => System.CreateFile(at, name, 0));
        if (handle < 0)
        {
            return false;
        }

        UnixSystem.Close(handle);
        bool ignoresCase = System.Stat(at, Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(name).ToUpperInvariant()), out _) >= 0;
        _ = UnixSystem.Unlink(at, name);
        if (isKnown)
        {
            // A folder that keeps what it has keeps its time too.
            _ = System.SetModified(new UnixNode(-1, at, "."u8), before.Modified);
        }

        return ignoresCase;
    }

    /// <inheritdoc/>
    public Action? OpenDirectory(EntryPath path, bool unlock)
    {
        using TargetFolders.Lease? folder = _folders.AcquireFolder(path, create: true);
        int handle = folder!.Value.Handle;
        if (System.Stat(handle, out UnixStat stat) < 0)
        {
            return null;
        }

        // A folder that an earlier restore finished may lack what its owner needs to write in it; root needs nothing. Where it is another's,
        // the first write tells.
        bool isLocked = unlock && stat.Flags != 0 && SetFlags(handle, ~stat.Flags, 0) >= 0;
        bool isClosed = (stat.Mode & OwnerMode) != OwnerMode && !System.MayWriteIn(handle)
            && System.ChangeMode(handle, "."u8, (stat.Mode & 0xFFF) | OwnerMode) >= 0;
        return isLocked || isClosed ? GiveBack : null;

        void GiveBack()
        {
            using TargetFolders.Lease? again = _folders.AcquireFolder(path, create: false);
            int result = again is null ? -Errno.NotFound : 0;
            if (isClosed && result >= 0)
            {
                result = System.ChangeMode(again!.Value.Handle, "."u8, stat.Mode & 0xFFF);
            }

            if (isLocked && result >= 0)
            {
                result = SetFlags(again!.Value.Handle, uint.MaxValue, stat.Flags);
            }

            if (result < 0)
            {
                throw UnixRestoreError.OfMetadata(result, "The permissions or flags", "Set them back by hand.", _folders.FullPath(path));
            }
        }
    }

    /// <inheritdoc/>
    public IRestoreFile CreateFile(ManifestEntry entry)
    {
        TargetFolders.Lease folder = _folders.AcquireParent(entry.Path, create: true)!.Value;
        uint mode = Metadata.CreationMode(entry);
        byte[]? temporary = null;
        int handle = _hasNameless ? System.CreateNameless(folder.Handle, mode) : -Errno.NotSupported;
        if (handle == -Errno.NotSupported || handle == -Errno.Invalid || handle == -Errno.IsDirectory || handle == -Errno.NotFound)
        {
            _hasNameless = false;
            (temporary, handle) = ItemNames.MakeTemporary(name => System.CreateFile(folder.Handle, name, mode));
        }

        if (handle < 0)
        {
            folder.Dispose();
            throw UnixRestoreError.OfItem(handle, _folders.FullPath(entry.Path));
        }

        return new UnixRestoreFile(this, entry, folder, temporary, handle);
    }

    /// <inheritdoc/>
    public void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata)
    {
        ReadOnlySpan<byte> fullPath = _folders.FullPath(entry.Path);
        using TargetFolders.Lease? parent = _folders.AcquireParent(entry.Path, create: true);
        TargetFolders.Lease folder = parent!.Value;
        (byte[] temporary, int result) = ItemNames.MakeTemporary(name => Make(entry, folder.Handle, name));
        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, fullPath);
        }

        bool placed = false;
        try
        {
            result = System.Stat(folder.Handle, temporary, out UnixStat stat);
            if (result < 0)
            {
                throw UnixRestoreError.OfItem(result, fullPath);
            }

            Surplus surplus = folder.HandsOnAccessList(Metadata) ? Surplus.AccessLists : Surplus.Nothing;
            Metadata.Set(entry, new UnixNode(-1, folder.Handle, temporary), stat, surplus, fullPath, reportMetadata);
            Names.Place(folder, temporary, entry.Path, replace);
            placed = true;
        }
        finally
        {
            if (!placed)
            {
                _ = UnixSystem.Unlink(folder.Handle, temporary);
            }
        }
    }

    /// <inheritdoc/>
    public void Synchronize()
    {
        foreach ((byte[] path, int handle) in _folders.OnePerMedium())
        {
            int result = handle < 0 ? handle : System.Synchronize(handle);
            if (result < 0)
            {
                throw UnixRestoreError.OfMedium(result, _folders.FullPath(path));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _folders.Dispose();

    // Whether a folder is another, or below it: whatever path led to it.
    private static bool IsWithin(UnixSystem system, int folder, in UnixStat other)
    {
        int handle = folder;
        bool found = false;
        for (UnixStat last = default; !found && handle >= 0 && system.Stat(handle, out UnixStat stat) >= 0 && !stat.IsSameInode(last); last = stat)
        {
            found = stat.IsSameInode(other);
            int parent = found ? -1 : system.OpenBase(handle, ".."u8);
            if (handle != folder)
            {
                UnixSystem.Close(handle);
            }

            handle = parent;
        }

        if (handle != folder && handle >= 0)
        {
            UnixSystem.Close(handle);
        }

        return found;
    }

    private int SetFlags(int folder, uint kept, uint added)
    {
        int handle = System.OpenDirectory(folder, "."u8);
        if (handle < 0)
        {
            return handle;
        }

        int result = System.Stat(handle, out UnixStat stat);
        result = result < 0 ? result : System.GetFlags(handle, stat, out uint flags) is var got
            && got < 0 ? got : System.SetFlags(handle, (flags & kept) | added);
        UnixSystem.Close(handle);
        return result;
    }

    private int Make(ManifestEntry entry, int at, ReadOnlySpan<byte> name) =>
        entry.Kind != EntryKind.SymbolicLink
            ? System.MakeNode(
                at, name, UnixStat.TypeOf(entry.Kind) | Metadata.CreationMode(entry), entry.Metadata.DeviceNumber)
            : entry.LinkTarget.Span.Contains((byte)0) ? -Errno.Invalid
            : UnixSystem.MakeSymbolicLink(entry.LinkTarget.Span, at, name);
}
