using System.Collections.Concurrent;
using System.Runtime.Versioning;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// The files of a vault's folder on Linux and macOS. Each call opens the folder anew, makes sure that it is the same one, and goes down from there by open
/// folders, never through a link: who may write to the vault cannot lead an account with more rights to files beyond it.
/// </summary>
/// <remarks>The folder is not held open in between: a disk can be unmounted while a session that used it lives on.</remarks>
[UnsupportedOSPlatform("windows")]
internal sealed class UnixFolderFiles : FolderFiles
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnersFile | UnixFileMode.UserExecute;
    private const UnixFileMode GroupsFile = OwnersFile | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private const UnixFileMode GroupsFolder = OwnersFolder | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    private static readonly ObjectLock _held = new(Until: null, IsFirm: false);

    private readonly FolderIdentity _identity;

    // Folders below the root whose names are flushed, and their parents': not done again for each object.
    private readonly ConcurrentDictionary<string, bool> _settledFolders = new(StringComparer.Ordinal);

    /// <exception cref="BackupException">VaultNotFound.</exception>
    public UnixFolderFiles(string root, string location)
        : base(root, location)
    {
        _identity = FolderNative.TryStat(root + "/.") is { IsFolder: true } found ? found.Identity : throw FolderErrors.NotFound(location);
    }

    /// <inheritdoc/>
    public override void EnsureRoot() => OpenRoot(out _).Dispose();

    /// <inheritdoc/>
    public override bool TryCreate(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        for (bool retried = false; ; retried = true)
        {
            try
            {
                return TryCreateOnce(name, content, cancellationToken);
            }
            catch (IOException failure) when (!retried && FolderErrors.IsNotFound(failure))
            {
                // Somebody removed a folder since it was opened, or the temporary file. If it was the whole vault, the next turn says so.
                _settledFolders.Clear();
            }
        }
    }

    /// <inheritdoc/>
    public override int Read(string name, long offset, Span<byte> destination, bool fromMedium)
    {
        using SafeFileHandle file = OpenFile(name) ?? throw FolderErrors.Missing(Location, name, cause: null);
        if (fromMedium)
        {
            FolderNative.Forget(file);
        }

        int total = 0;
        while (total < destination.Length)
        {
            int read = RandomAccess.Read(file, destination[total..], offset + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    /// <inheritdoc/>
    public override StoredObject? Stat(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        return folders is null ? null : Describe(FolderNative.TryStat(folders.Last, LeafOf(name)), name);
    }

    /// <inheritdoc/>
    public override void Delete(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        if (folders is not null && FolderNative.TryRemove(folders.Last, LeafOf(name)))
        {
            Durability.Flush(folders.Last);
        }
    }

    /// <inheritdoc/>
    public override ObjectLock? ReadLock(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        return folders is not null && FolderNative.TryStat(folders.Last, LeafOf(name)) is { } found && IsSealed(found, FolderNative.Stat(folders.Last)) ? _held : null;
    }

    /// <inheritdoc/>
    public override bool IsFlagged(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        return folders is not null
            && (FolderNative.Stat(folders.Last).Flags.HasFlag(FolderFlags.AppendOnly) || FolderNative.TryStat(folders.Last, LeafOf(name)) is { Flags: not FolderFlags.None });
    }

    /// <inheritdoc/>
    public override void Lock(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        using SafeFileHandle? file = folders is null ? null : FolderNative.TryOpenFile(folders.Last, LeafOf(name));
        if (file is not null)
        {
            FolderNative.ChangeFlags(file, FolderFlags.Immutable, isSet: true);
            foreach (SafeFileHandle folder in folders!.All)
            {
                FolderNative.ChangeFlags(folder, FolderFlags.AppendOnly, isSet: true);
            }
        }
    }

    /// <inheritdoc/>
    public override void Unlock(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        if (folders is not null)
        {
            foreach (SafeFileHandle folder in folders.All)
            {
                FolderNative.ChangeFlags(folder, FolderFlags.AppendOnly, isSet: false);
            }

            Unflag(folders.Last, LeafOf(name));
        }
    }

    /// <inheritdoc/>
    public override void Release(string name)
    {
        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        if (folders is null)
        {
            return;
        }

        // Stopped in between, a folder or an object is without its flag: the listing of locks shows that, and the next run sets it again, or deletes.
        bool wasSealed = FolderNative.Stat(folders.Last).Flags.HasFlag(FolderFlags.AppendOnly);
        FolderNative.ChangeFlags(folders.Last, FolderFlags.AppendOnly, isSet: false);
        try
        {
            Unflag(folders.Last, LeafOf(name));
            if (FolderNative.TryRemove(folders.Last, LeafOf(name)))
            {
                Durability.Flush(folders.Last);
            }
        }
        finally
        {
            FolderNative.ChangeFlags(folders.Last, FolderFlags.AppendOnly, wasSealed);
        }
    }

    /// <inheritdoc/>
    protected override ObjectLock? DescribeLock(string path, string name, Dictionary<string, bool> folders)
    {
        string folder = FolderOf(name);
        if (!folders.TryGetValue(folder, out bool isSealed))
        {
            isSealed = FolderNative.TryStat(PathOf(folder)) is { } found && found.Flags.HasFlag(FolderFlags.AppendOnly);
            folders.Add(folder, isSealed);
        }

        return isSealed && FolderNative.TryStat(path) is { } file && file.Flags.HasFlag(FolderFlags.Immutable) ? _held : null;
    }

    /// <inheritdoc/>
    protected override StoredObject? Describe(string path, string name)
    {
        try
        {
            return Describe(FolderNative.TryStat(path), name);
        }
        catch (IOException failure) when (FolderErrors.IsMedium(failure))
        {
            // It has a name and cannot be looked at: an object that is too short, which whoever needs it finds damaged. The others are listed.
            return new StoredObject(name, 0, DateTimeOffset.UnixEpoch);
        }
    }

    // An object is never modified: the time of its last write is that of its creation. A link, a pipe or a device has the name of an object and nothing of one:
    // whoever reads it is told so, and nobody takes an older object for it.
    private static StoredObject? Describe(FolderStatus? status, string name) =>
        status is { IsFolder: false } found ? new StoredObject(name, found.IsFile ? found.Length : 0, found.Modified) : null;

    // A link has no flags, and is no object.
    private static void Unflag(SafeFileHandle folder, string name)
    {
        using SafeFileHandle? file = FolderNative.TryOpenFile(folder, name);
        if (file is not null)
        {
            FolderNative.ChangeFlags(file, FolderFlags.Immutable, isSet: false);
        }
    }

    private static bool IsSealed(FolderStatus file, FolderStatus folder) => file.Flags.HasFlag(FolderFlags.Immutable) && folder.Flags.HasFlag(FolderFlags.AppendOnly);

    private static string LeafOf(string name) => name[(name.LastIndexOf('/') + 1)..];

    private bool TryCreateOnce(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        string folder = FolderOf(name);
        using FolderChain folders = Open(folder, makeMissing: true)!;
        using SafeFileHandle temporaries = folders.Owner.OpenOrMake(folders.First, TemporaryFolder);
        string temporary = NewTemporaryName();
        try
        {
            Write(temporaries, temporary, content, folders.Owner);
            cancellationToken.ThrowIfCancellationRequested();
            bool created = FolderNative.TryMoveToNewName(temporaries, temporary, folders.Last, LeafOf(name));

            // Also where the name exists: "it is there" must be as durable an answer as "it was created".
            Flush(folder, folders);
            return created;
        }
        finally
        {
            RemoveTemporary(temporaries, temporary);
        }
    }

    private void Write(SafeFileHandle folder, string name, ReadOnlySpan<byte> content, Ownership owner)
    {
        using SafeFileHandle file = FolderNative.CreateFile(folder, name, owner.FileMode);
        owner.Apply(file, owner.FileMode);
        RandomAccess.Write(file, content, 0);
        Durability.Flush(file);
        RemoveLeftovers(
            FolderNative.Stat(file).Modified,
            leftover => FolderNative.TryStat(folder, leftover) is { IsFile: true } found ? found.Modified : null,
            leftover => RemoveTemporary(folder, leftover));
    }

    private static void RemoveTemporary(SafeFileHandle folder, string name)
    {
        try
        {
            FolderNative.TryRemove(folder, name);
        }
        catch (IOException)
        {
            // It is a leftover now, and will be removed as one. What led here is the failure to be reported.
        }
    }

    // The names in a folder, and, the first time, the folder's own and its parents' names: another process may have made it and not come to flushing it.
    // Bottom up, after the object: one journal commit does for all.
    private void Flush(string folder, FolderChain folders)
    {
        Durability.Flush(folders.Last);
        if (!_settledFolders.ContainsKey(folder))
        {
            foreach (SafeFileHandle parent in folders.AboveLast)
            {
                Durability.Flush(parent);
            }

            _settledFolders[folder] = true;
        }
    }

    private SafeFileHandle OpenRoot(out FolderStatus status)
    {
        SafeFileHandle root;
        try
        {
            root = FolderNative.OpenFolder(Root);
        }
        catch (IOException failure) when (FolderErrors.IsNotFound(failure))
        {
            throw FolderErrors.Vanished(Location);
        }

        status = FolderNative.Stat(root);
        if (status.Identity != _identity)
        {
            root.Dispose();
            throw FolderErrors.Vanished(Location);
        }

        return root;
    }

    private SafeFileHandle? OpenFile(string name)
    {
        using (SafeFileHandle root = OpenRoot(out _))
        {
            if (FolderNative.TryOpenBeneath(root, name) is { } file)
            {
                return file;
            }
        }

        using FolderChain? folders = Open(FolderOf(name), makeMissing: false);
        return folders is null ? null : FolderNative.TryOpenFile(folders.Last, LeafOf(name));
    }

    // From the root down; null where one of them is not there.
    private FolderChain? Open(string folder, bool makeMissing)
    {
        var chain = new FolderChain(OpenRoot(out FolderStatus root), new Ownership(root));
        try
        {
            foreach (string name in folder.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                SafeFileHandle? next = makeMissing ? chain.Owner.OpenOrMake(chain.Last, name) : FolderNative.TryOpenFolder(chain.Last, name);
                if (next is null)
                {
                    chain.Dispose();
                    return null;
                }

                chain.Add(next);
            }

            return chain;
        }
        catch
        {
            chain.Dispose();
            throw;
        }
    }

    /// <summary>Folders that are open, from the vault's own down.</summary>
    private sealed class FolderChain(SafeFileHandle root, Ownership owner) : IDisposable
    {
        private readonly List<SafeFileHandle> _folders = [root];

        public Ownership Owner { get; } = owner;

        public SafeFileHandle First => _folders[0];

        public SafeFileHandle Last => _folders[^1];

        public IReadOnlyList<SafeFileHandle> All => _folders;

        public IEnumerable<SafeFileHandle> AboveLast => _folders.SkipLast(1).Reverse();

        public void Add(SafeFileHandle folder) => _folders.Add(folder);

        public void Dispose() => _folders.ForEach(folder => folder.Dispose());
    }

    /// <summary>
    /// Whose new files and folders are: the vault's owner's, also where root writes, for what root alone could read would stop the owner's every command.
    /// Where the vault's group may write to it, its members share the vault; nobody else ever may read it.
    /// </summary>
    private sealed class Ownership(FolderStatus root)
    {
        private readonly bool _isShared = root.Mode.HasFlag(UnixFileMode.GroupWrite);
        private readonly bool _isGiven = Environment.IsPrivilegedProcess && root.User != 0;

        public UnixFileMode FileMode => _isShared ? GroupsFile : OwnersFile;

        public void Apply(SafeFileHandle made, UnixFileMode mode)
        {
            if (_isGiven)
            {
                FolderNative.ChangeOwner(made, root.User, root.Group);
            }

            if (_isShared)
            {
                FolderNative.ChangeMode(made, mode);
            }
        }

        public SafeFileHandle OpenOrMake(SafeFileHandle parent, string name)
        {
            if (FolderNative.TryOpenFolder(parent, name) is { } found)
            {
                return found;
            }

            UnixFileMode mode = _isShared ? GroupsFolder : OwnersFolder;
            bool isOurs = FolderNative.TryMakeFolder(parent, name, mode);
            SafeFileHandle folder = FolderNative.TryOpenFolder(parent, name) 
                ?? throw (isOurs ? new DirectoryNotFoundException($"'{name}' was removed as soon as it was made") : new LinkInVaultException(name));
            try
            {
                if (isOurs)
                {
                    Apply(folder, mode);
                }

                return folder;
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
    }
}
