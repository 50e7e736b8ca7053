using System.IO.Enumeration;
using System.Security.Cryptography;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>The files of a vault's folder, as a platform has them. Calls block; failures are those of .NET.</summary>
/// <param name="root">The absolute path of the folder.</param>
/// <param name="location">The folder as the user wrote it, for messages.</param>
internal abstract class FolderFiles(string root, string location)
{
    // Not a valid segment of an object's name, so that no listing ever shows what is in it.
    public const string TemporaryFolder = ".tmp";

    private const int TemporaryNameLength = 32;

    private static readonly TimeSpan _leftoverAge = TimeSpan.FromDays(1);

    private int _leftoversRemoved;

    /// <summary>The folder as the user wrote it.</summary>
    protected string Location { get; } = location;

    /// <summary>The absolute path of the folder.</summary>
    protected string Root { get; } = root;

    /// <summary>Opens the folder of a vault.</summary>
    /// <exception cref="BackupException">VaultNotFound.</exception>
    public static FolderFiles Open(string root, string location) =>
        OperatingSystem.IsWindows() ? new WindowsFolderFiles(root, location) : new UnixFolderFiles(root, location);

    /// <summary>Makes a folder that only its owner may enter, and its missing parents; all are durable.</summary>
    public static void MakeRoot(string path)
    {
        string? parent = Path.GetDirectoryName(path);
        if (parent is null || Directory.Exists(path))
        {
            return;
        }

        MakeRoot(parent);
        PrivateFolder.Make(path);
        Durability.FlushFolder(parent);
    }

    /// <summary>Fails unless the folder is still the one that was opened.</summary>
    /// <exception cref="BackupException">VaultUnreachable.</exception>
    public abstract void EnsureRoot();

    /// <summary>Creates an object. Returns false where the name exists, which is then as durable an answer as true.</summary>
    public abstract bool TryCreate(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken);

    /// <summary>Reads from an offset until the destination is full or the object ends.</summary>
    /// <param name="name">The object.</param>
    /// <param name="offset">From where.</param>
    /// <param name="destination">What is filled.</param>
    /// <param name="fromMedium">Whether to read past what the system has cached of the file.</param>
    /// <exception cref="BackupException">VaultDataMissing.</exception>
    public abstract int Read(string name, long offset, Span<byte> destination, bool fromMedium);

    /// <summary>The facts of an object; null where there is none.</summary>
    public abstract StoredObject? Stat(string name);

    /// <summary>Deletes an object, durably. Deleting what is not there succeeds.</summary>
    public abstract void Delete(string name);

    /// <summary>All objects below a folder.</summary>
    /// <param name="prefix">Empty, or a folder with a slash at its end.</param>
    public IEnumerable<StoredObject> List(string prefix) => List(prefix, Describe);

    /// <summary>All objects below a folder, with the flags that forbid changes to them.</summary>
    /// <inheritdoc cref="List(string)"/>
    public IEnumerable<LockedObject> ListLocks(string prefix)
    {
        var sealedFolders = new Dictionary<string, bool>(StringComparer.Ordinal);
        return List(prefix, (path, name) => Describe(path, name) is { } found ? new LockedObject(found, DescribeLock(path, name, sealedFolders)) : (LockedObject?)null);
    }

    /// <summary>The lock of an object; null where there is none.</summary>
    public virtual ObjectLock? ReadLock(string name) => null;

    /// <summary>Whether a flag of an object, or of its folder, forbids that it is removed.</summary>
    public virtual bool IsFlagged(string name) => false;

    /// <summary>Forbids that an object is changed or removed, and that a name leaves its folder or one above it.</summary>
    public virtual void Lock(string name) => throw new PlatformNotSupportedException("Only Linux has flags that forbid changes");

    /// <summary>Allows what was forbidden of an object, and of its folder.</summary>
    public virtual void Unlock(string name) => throw new PlatformNotSupportedException("Only Linux has flags that forbid changes");

    /// <summary>Removes an object that is locked, and locks its folder again.</summary>
    public virtual void Release(string name) => throw new PlatformNotSupportedException("Only Linux has flags that forbid changes");

    private IEnumerable<T> List<T>(string prefix, Func<string, string, T?> describe)
        where T : struct
    {
        EnsureRoot();
        string folder = prefix.Length == 0 ? Root : PathOf(prefix[..^1]);
        if (Directory.Exists(folder))
        {
            var files = new FileSystemEnumerable<string>(
                folder,
                static (ref FileSystemEntry entry) => entry.ToFullPath(),
                new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None })
            {
                ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory || (entry.Attributes & FileAttributes.ReparsePoint) != 0,
                ShouldRecursePredicate = static (ref FileSystemEntry entry) => !entry.FileName.StartsWith('.')
                    && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };

            int beneath = Path.EndsInDirectorySeparator(Root) ? Root.Length : Root.Length + 1;
            foreach (string file in files)
            {
                string name = file[beneath..];
                if (Path.DirectorySeparatorChar != '/')
                {
                    name = name.Replace(Path.DirectorySeparatorChar, '/');
                }

                // An object that was deleted since its folder was read is left out.
                if (ObjectName.IsValid(name) && describe(file, name) is T item)
                {
                    yield return item;
                }
            }
        }

        // A folder that vanished meanwhile looks like one without objects.
        EnsureRoot();
    }

    /// <summary>What lies in the folder of temporary files: our own names only.</summary>
    public UnfinishedWrites MeasureUnfinished()
    {
        var folder = new DirectoryInfo(PathOf(TemporaryFolder));
        if (!folder.Exists || folder.LinkTarget is not null)
        {
            return default;
        }

        // What a writer has finished meanwhile has no length any more.
        var options = new EnumerationOptions { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Directory };
        long[] lengths = [.. new FileSystemEnumerable<(string Name, long Length)>(folder.FullName, static (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.Length), options)
            .Where(file => IsTemporaryName(file.Name))
            .Select(file => file.Length)];
        return new UnfinishedWrites(lengths.Length, lengths.Sum());
    }

    /// <summary>The facts of a file that a listing came by; null where it is gone. Not by the listing's own, which takes every failure
    /// for an empty file.</summary>
    protected abstract StoredObject? Describe(string path, string name);

    /// <summary>The lock of a file that a listing came by.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="name">The object's name.</param>
    /// <param name="folders">What the same listing has found out of folders.</param>
    protected virtual ObjectLock? DescribeLock(string path, string name, Dictionary<string, bool> folders) => null;

    /// <summary>A name for a file that is being written. By its form, what a crash left is known again.</summary>
    protected static string NewTemporaryName() => RandomNumberGenerator.GetHexString(TemporaryNameLength, lowercase: true);

    /// <summary>Removes what a process that died left, once for each store: our own names only. Its age is measured by the file system's own clock.</summary>
    /// <param name="now">When a file was just written.</param>
    /// <param name="modified">When a file of that name was; null where it is gone, or no regular file.</param>
    /// <param name="remove">Removes the file of that name.</param>
    protected void RemoveLeftovers(DateTimeOffset now, Func<string, DateTimeOffset?> modified, Action<string> remove)
    {
        if (Interlocked.Exchange(ref _leftoversRemoved, 1) == 1)
        {
            return;
        }

        try
        {
            foreach (string file in Directory.EnumerateFiles(PathOf(TemporaryFolder)))
            {
                string name = Path.GetFileName(file);
                if (IsTemporaryName(name) && modified(name) < now - _leftoverAge)
                {
                    remove(name);
                }
            }
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            // Leftovers cost room, not correctness: the next process tries again.
        }
    }

    /// <summary>The path of an object or a folder.</summary>
    protected string PathOf(string name) => name.Length == 0 ? Root : Path.Combine(Root, name);

    /// <summary>The folder of an object or a folder: empty for the vault's own.</summary>
    protected static string FolderOf(string name)
    {
        int slash = name.LastIndexOf('/');
        return slash < 0 ? "" : name[..slash];
    }

    private static bool IsTemporaryName(string name) => name.Length == TemporaryNameLength && name.All(char.IsAsciiHexDigitLower);
}
