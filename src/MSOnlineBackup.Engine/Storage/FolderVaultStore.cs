using System.Collections.Concurrent;
using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Storage;

/// <summary>
/// A vault in a folder of a local or mounted file system. An object is a file of the same name; it is written and
/// flushed under a temporary name in <c>.tmp</c>, then linked to its own, so that it is absent or whole whatever
/// happens, and nothing is ever replaced.
/// </summary>
/// <remarks>
/// The folder itself is never created by a write: where a disk was unmounted, nothing may land on the mount point
/// beneath. The store remembers which folder it opened and refuses another one at the same path.
/// Files that are no valid <see cref="ObjectName"/> are not objects; symbolic links to folders are not followed by a listing.
/// </remarks>
public sealed class FolderVaultStore : IVaultStore
{
    // Not a valid segment of an object's name, so that no listing ever shows what is in it.
    private const string TemporaryFolder = ".tmp";

    private const int ListingBatch = 512;

    private static readonly TimeSpan LeftoverAge = TimeSpan.FromDays(1);

    // What an empty disk may hold from birth.
    private static readonly string[] HarmlessEntries = [TemporaryFolder, "lost+found", "System Volume Information", "$RECYCLE.BIN"];

    private readonly string _root;
    private readonly FolderIdentity _identity;

    // Folders below the root that are there and whose own names are flushed: neither is done again for each object.
    private readonly ConcurrentDictionary<string, bool> _settledFolders = new(StringComparer.Ordinal);

    private int _leftoversRemoved;

    /// <summary>Opens a folder that exists.</summary>
    /// <param name="folder">Its path; a relative one is resolved against the current folder.</param>
    /// <exception cref="BackupException">VaultNotFound, VaultAccessDenied, VaultUnreachable.</exception>
    public FolderVaultStore(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Location = folder;
        _root = Path.GetFullPath(folder);
        try
        {
            _identity = FolderIdentity.Find(_root) ?? throw FolderErrors.NotFound(folder);
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            throw FolderErrors.Describe(failure, folder, name: null);
        }
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities { get; } = new(PackSize: 16 << 20, MaxConcurrency: 4);

    /// <summary>Creates the folder for a new vault, with missing parents, readable by its owner only. An empty one is taken as it is.</summary>
    /// <param name="folder">Its path.</param>
    /// <exception cref="BackupException">VaultExists where it holds something or is a file; VaultAccessDenied, VaultFull, VaultUnreachable.</exception>
    public static FolderVaultStore Create(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string root = Path.GetFullPath(folder);
        try
        {
            if (File.Exists(root) || (Directory.Exists(root) && !IsVacant(root)))
            {
                throw FolderErrors.Occupied(folder);
            }

            MakeRoot(root);
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            throw FolderErrors.Describe(failure, folder, name: null);
        }

        return new FolderVaultStore(folder);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        ObjectName.ThrowIfInvalid(name);
        return RunAsync(name, () => TryCreate(name, content.Span, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return RunAsync(name, () => Read(name, offset, destination.Span), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        return RunAsync(name, () => Stat(name), cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        using IEnumerator<StoredObject> objects = List(prefix).GetEnumerator();
        var batch = new List<StoredObject>(ListingBatch);
        do
        {
            // File systems are synchronous: many entries are taken by one hop to a thread of the pool.
            batch.Clear();
            await RunAsync(
                prefix,
                () =>
                {
                    while (batch.Count < ListingBatch && objects.MoveNext())
                    {
                        batch.Add(objects.Current);
                    }

                    return batch.Count;
                },
                cancellationToken).ConfigureAwait(false);

            foreach (StoredObject item in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return item;
            }
        }
        while (batch.Count == ListingBatch);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        await RunAsync(name, () => Delete(name), cancellationToken).ConfigureAwait(false);
    }

    private bool TryCreate(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        string folder = FolderOf(name);
        for (bool retried = false; ; retried = true)
        {
            string temporary = Path.Combine(_root, TemporaryFolder, RandomNumberGenerator.GetHexString(32, lowercase: true));
            try
            {
                MakeFolders(folder);
                WriteTemporary(temporary, content);
                cancellationToken.ThrowIfCancellationRequested();
                bool created = FolderNative.TryMoveToNewName(temporary, PathOf(name));

                // Also where the name exists: "it is there" must be as durable an answer as "it was created".
                FlushFolders(folder);
                return created;
            }
            catch (Exception failure) when (!retried && FolderErrors.IsNotFound(failure))
            {
                // Somebody removed a folder since it was made, or the temporary file. If it was the whole vault, the next turn says so.
                _settledFolders.Clear();
            }
            finally
            {
                DeleteTemporary(temporary);
            }
        }
    }

    private int Read(string name, long offset, Span<byte> destination)
    {
        SafeFileHandle handle;
        try
        {
            // Sharing everything spares the advisory lock that .NET would take.
            handle = File.OpenHandle(PathOf(name), share: FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception failure) when (FolderErrors.IsNotFound(failure) || (failure is UnauthorizedAccessException && Directory.Exists(PathOf(name))))
        {
            EnsureRoot();
            throw FolderErrors.Missing(Location, name, failure);
        }

        using (handle)
        {
            int total = 0;
            while (total < destination.Length)
            {
                int read = RandomAccess.Read(handle, destination[total..], offset + total);
                if (read == 0)
                {
                    break;
                }

                total += read;
            }

            return total;
        }
    }

    private StoredObject? Stat(string name)
    {
        StoredObject? found = Describe(new FileInfo(PathOf(name)), name);
        if (found is null)
        {
            EnsureRoot();
        }

        return found;
    }

    private IEnumerable<StoredObject> List(string prefix)
    {
        EnsureRoot();
        string folder = prefix.Length == 0 ? _root : PathOf(prefix[..^1]);
        if (Directory.Exists(folder))
        {
            var files = new FileSystemEnumerable<string>(
                folder,
                static (ref FileSystemEntry entry) => entry.ToFullPath(),
                new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None })
            {
                ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory,
                ShouldRecursePredicate = static (ref FileSystemEntry entry) => !entry.FileName.StartsWith('.')
                    && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };

            foreach (string file in files)
            {
                string name = Path.GetRelativePath(_root, file);
                if (Path.DirectorySeparatorChar != '/')
                {
                    name = name.Replace(Path.DirectorySeparatorChar, '/');
                }

                // An object that was deleted since its folder was read is left out.
                if (ObjectName.IsValid(name) && Describe(new FileInfo(file), name) is StoredObject item)
                {
                    yield return item;
                }
            }
        }

        // A folder that vanished meanwhile looks like one without objects.
        EnsureRoot();
    }

    private bool Delete(string name)
    {
        try
        {
            File.Delete(PathOf(name));
        }
        catch (Exception failure) when (FolderErrors.IsNotFound(failure))
        {
            EnsureRoot();
            return false;
        }

        EnsureRoot();
        return true;
    }

    /// <summary>The facts of a file; null where none is. Not by <see cref="FileSystemEntry"/>, which takes every failure for an empty file.</summary>
    private static StoredObject? Describe(FileInfo file, string name)
    {
        try
        {
            // An object is never modified: the time of its last write is that of its creation.
            long length = file.Length;
            return new StoredObject(name, length, new DateTimeOffset(file.LastWriteTimeUtc));
        }
        catch (Exception failure) when (FolderErrors.IsNotFound(failure))
        {
            return null;
        }
    }

    private void WriteTemporary(string path, ReadOnlySpan<byte> content)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            // Not read-only: such files cannot be deleted through some network file systems.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(path, options))
        {
            RandomAccess.Write(file.SafeFileHandle, content, 0);
            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }

        RemoveLeftovers(path);
    }

    /// <summary>Removes what a process that died left, once for each store. Its age is measured by the file system's own clock: against a file just written.</summary>
    private void RemoveLeftovers(string justWritten)
    {
        if (Interlocked.Exchange(ref _leftoversRemoved, 1) == 1)
        {
            return;
        }

        try
        {
            DateTime limit = File.GetLastWriteTimeUtc(justWritten) - LeftoverAge;
            foreach (string file in Directory.EnumerateFiles(Path.Combine(_root, TemporaryFolder)))
            {
                if (File.GetLastWriteTimeUtc(file) < limit)
                {
                    DeleteTemporary(file);
                }
            }
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            // Leftovers cost room, not correctness: the next process tries again.
        }
    }

    private static void DeleteTemporary(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            // It is a leftover now, and will be removed as one. What led here is the failure to be reported.
        }
    }

    private void MakeFolders(string folder)
    {
        EnsureRoot();
        if (!_settledFolders.ContainsKey(TemporaryFolder))
        {
            FolderNative.MakeDirectory(PathOf(TemporaryFolder));
            _settledFolders[TemporaryFolder] = true;
        }

        if (!_settledFolders.ContainsKey(folder))
        {
            for (int end = 0; end < folder.Length;)
            {
                int slash = folder.IndexOf('/', end + 1);
                end = slash < 0 ? folder.Length : slash;
                FolderNative.MakeDirectory(PathOf(folder[..end]));
            }
        }
    }

    /// <summary>
    /// Makes the names in a folder durable, and, the first time, the folder's own and its parents' names: another
    /// process may have made it and not come to flushing it. Bottom up, after the object: one journal commit does for all.
    /// </summary>
    private void FlushFolders(string folder)
    {
        FolderNative.FlushDirectory(PathOf(folder));
        if (!_settledFolders.ContainsKey(folder))
        {
            for (string current = folder; current.Length != 0; current = FolderOf(current))
            {
                FolderNative.FlushDirectory(PathOf(FolderOf(current)));
            }

            _settledFolders[folder] = true;
        }
    }

    private void EnsureRoot()
    {
        if (FolderIdentity.Find(_root) != _identity)
        {
            throw FolderErrors.Vanished(Location);
        }
    }

    private string PathOf(string name) => name.Length == 0 ? _root : Path.Combine(_root, name);

    private static string FolderOf(string name)
    {
        int slash = name.LastIndexOf('/');
        return slash < 0 ? "" : name[..slash];
    }

    private static bool IsVacant(string root) =>
        Directory.EnumerateFileSystemEntries(root).All(entry => HarmlessEntries.Contains(Path.GetFileName(entry), StringComparer.OrdinalIgnoreCase));

    private static void MakeRoot(string root)
    {
        string? parent = Path.GetDirectoryName(root);
        if (parent is null || Directory.Exists(root))
        {
            return;
        }

        MakeRoot(parent);
        FolderNative.MakeDirectory(root);
        FolderNative.FlushDirectory(parent);
    }

    private async ValueTask<T> RunAsync<T>(string name, Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(work, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            throw Explain(failure, name);
        }
    }

    /// <summary>A failure is blamed on the folder where that is gone: then no more is to be said of the object.</summary>
    private BackupException Explain(Exception failure, string name)
    {
        try
        {
            EnsureRoot();
        }
        catch (BackupException vanished)
        {
            return vanished;
        }
        catch (Exception other) when (FolderErrors.IsInputOutput(other))
        {
            return FolderErrors.Describe(other, Location, name);
        }

        return FolderErrors.Describe(failure, Location, name);
    }
}
