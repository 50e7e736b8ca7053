using System.Runtime.Versioning;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>The files of a vault's folder on Windows, by their paths: there an unmounted volume leaves no folder behind.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsFolderFiles : FolderFiles
{
    /// <exception cref="BackupException">VaultNotFound.</exception>
    public WindowsFolderFiles(string root, string location)
        : base(root, location)
    {
        if (!Directory.Exists(root))
        {
            throw FolderErrors.NotFound(location);
        }
    }

    /// <inheritdoc/>
    public override void EnsureRoot()
    {
        if (!Directory.Exists(Root))
        {
            throw FolderErrors.Vanished(Location);
        }
    }

    /// <inheritdoc/>
    public override bool TryCreate(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        for (bool retried = false; ; retried = true)
        {
            string temporary = Path.Combine(PathOf(TemporaryFolder), NewTemporaryName());
            try
            {
                EnsureRoot();
                MakeFolder(TemporaryFolder);
                MakeFolder(FolderOf(name));
                Write(temporary, content);
                cancellationToken.ThrowIfCancellationRequested();
                return TryMove(temporary, PathOf(name));
            }
            catch (Exception failure) when (!retried && FolderErrors.IsNotFound(failure))
            {
                // Somebody removed a folder since it was made, or the temporary file. If it was the whole vault, the next turn says so.
            }
            finally
            {
                RemoveTemporary(temporary);
            }
        }
    }

    /// <inheritdoc/>
    public override int Read(string name, long offset, Span<byte> destination, bool fromMedium)
    {
        SafeFileHandle handle;
        try
        {
            EnsureNoLink(name);
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

    /// <inheritdoc/>
    public override StoredObject? Stat(string name)
    {
        StoredObject? found = Describe(PathOf(name), name);
        if (found is null)
        {
            EnsureRoot();
        }

        return found;
    }

    /// <inheritdoc/>
    public override void Delete(string name)
    {
        try
        {
            EnsureNoLink(FolderOf(name));
            File.Delete(PathOf(name));
        }
        catch (Exception failure) when (FolderErrors.IsNotFound(failure))
        {
            // It is not there, which is what was wanted.
        }

        EnsureRoot();
    }

    /// <inheritdoc/>
    protected override StoredObject? Describe(string path, string name)
    {
        try
        {
            // An object is never modified: the time of its last write is that of its creation.
            var file = new FileInfo(path);
            long length = file.Length;
            // What only has the name of an object is an object that is too short: whoever reads it is told so, and nobody takes an older one for it.
            return new StoredObject(name, file.Attributes.HasFlag(FileAttributes.ReparsePoint) ? 0 : length, new DateTimeOffset(file.LastWriteTimeUtc));
        }
        catch (Exception failure) when (FolderErrors.IsNotFound(failure))
        {
            return null;
        }
    }

    private static bool TryMove(string path, string newPath)
    {
        const int AlreadyExists = unchecked((int)0x800700B7);
        const int FileExists = unchecked((int)0x80070050);
        try
        {
            Durability.Move(path, newPath, replace: false);
            return true;
        }
        catch (IOException failure) when (failure.HResult is AlreadyExists or FileExists)
        {
            return false;
        }
    }

    private static void RemoveTemporary(string path)
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

    private void Write(string path, ReadOnlySpan<byte> content)
    {
        using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 }))
        {
            RandomAccess.Write(file.SafeFileHandle, content, 0);
            Durability.Flush(file.SafeFileHandle);
        }

        RemoveLeftovers(
            File.GetLastWriteTimeUtc(path),
            name => File.GetLastWriteTimeUtc(Path.Combine(PathOf(TemporaryFolder), name)),
            name => RemoveTemporary(Path.Combine(PathOf(TemporaryFolder), name)));
    }

    private void MakeFolder(string folder)
    {
        Directory.CreateDirectory(PathOf(folder));
        EnsureNoLink(folder);
    }

    private void EnsureNoLink(string name)
    {
        for (string current = name; current.Length != 0; current = FolderOf(current))
        {
            if (File.GetAttributes(PathOf(current)).HasFlag(FileAttributes.ReparsePoint))
            {
                throw new LinkInVaultException(current);
            }
        }
    }
}
