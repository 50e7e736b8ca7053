using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// A vault in a folder of a local or mounted file system. An object is a file of the same name; it is written and
/// flushed under a temporary name in <c>.tmp</c>, then linked to its own, so that it is absent or whole whatever
/// happens, and nothing is ever replaced.
/// </summary>
/// <remarks>
/// The folder itself is never created by a write: where a disk was unmounted, nothing may land on the mount point
/// beneath. The store remembers which folder it opened and refuses another one at the same path.
/// Files whose names are not a valid <see cref="ObjectName"/> are not objects; links are never followed.
/// </remarks>
public sealed class FolderVaultStore : IVaultStore
{
    private const int ListingBatch = 512;

    // What an empty disk may hold from birth.
    private static readonly string[] _harmlessEntries = [FolderFiles.TemporaryFolder, "lost+found", "System Volume Information", "$RECYCLE.BIN"];

    private readonly FolderFiles _files;
    private readonly string _root;

    // An object that was read; by it, an object that cannot be read is told from a medium that cannot.
    private volatile string? _answered;

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
            _files = FolderFiles.Open(_root, folder);
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

    /// <inheritdoc/>
    public IVaultAttack Attack => new FolderAttack(_root, Location);

    /// <inheritdoc/>
    public IObjectLocks? Locks => OperatingSystem.IsLinux() ? new FolderLocks(this, _files) : null;

    /// <summary>Creates the folder for a new vault, with missing parents, readable by its owner only. An empty one is taken as it is, and so is one that
    /// holds nothing but what an interrupted creation left.</summary>
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

            FolderFiles.MakeRoot(root);
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
        return RunAsync(name, () => _files.TryCreate(name, content.Span, cancellationToken), cancellationToken);
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
        return RunAsync(name, () => _files.Stat(name), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        return ListAsync(prefix, _files.List(prefix), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) =>
        RunAsync(string.Empty, _files.MeasureUnfinished, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        await RunAsync(
            name,
            () =>
            {
                DeleteUnlessLocked(name);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    // What a flag forbids is told apart from what an account may not.
    private void DeleteUnlessLocked(string name)
    {
        try
        {
            _files.Delete(name);
        }
        catch (IOException failure) when (FolderErrors.IsDenied(failure) && _files.IsFlagged(name))
        {
            throw FolderErrors.Protected(Location, name, failure);
        }
    }

    internal async IAsyncEnumerable<T> ListAsync<T>(string prefix, IEnumerable<T> found, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using IEnumerator<T> objects = found.GetEnumerator();
        var batch = new List<T>(ListingBatch);
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

            foreach (T item in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return item;
            }
        }
        while (batch.Count == ListingBatch);
    }

    private int Read(string name, long offset, Span<byte> destination)
    {
        try
        {
            int read = _files.Read(name, offset, destination, fromMedium: false);
            _answered ??= name;
            return read;
        }
        catch (Exception failure) when (FolderErrors.IsRefusal(failure) && OthersAnswer(name))
        {
            return ReadAgain(name, offset, destination);
        }
    }

    // It is no outage: once more, and then it is this object's own fault, for which nothing else waits.
    private int ReadAgain(string name, long offset, Span<byte> destination)
    {
        try
        {
            return _files.Read(name, offset, destination, fromMedium: true);
        }
        catch (Exception failure) when (FolderErrors.IsRefusal(failure))
        {
            throw VaultDamage.Unreadable(name, Location, failure.Message.TrimEnd('.'), failure);
        }
    }

    private bool OthersAnswer(string name)
    {
        if (_answered is not { } other || other == name)
        {
            return false;
        }

        try
        {
            return _files.Read(other, 0, new byte[1], fromMedium: true) == 1;
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure) || failure is BackupException)
        {
            return false;
        }
    }

    // Key slots without a header open nothing: they are what an interrupted creation leaves (docs/vault-format.md, section 12). Anything else may be
    // what is left of a vault that lost its header.
    // What else the making of a twin has left is looked at object by object.
    private static bool IsVacant(string root)
    {
        HashSet<string> entries = [.. Directory.EnumerateFileSystemEntries(root).Select(entry => Path.GetFileName(entry))];
        return entries.All(entry => entry == "keys"
            || (entry is "machines" or "records" or "settings" && entries.Contains("keys"))
            || _harmlessEntries.Contains(entry, StringComparer.OrdinalIgnoreCase));
    }

    internal async ValueTask<T> RunAsync<T>(string name, Func<T> work, CancellationToken cancellationToken)
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
            _files.EnsureRoot();
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
