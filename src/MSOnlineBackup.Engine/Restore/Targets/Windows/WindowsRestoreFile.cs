using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Restore.Targets.Windows;

/// <summary>A file being restored, under its temporary name until it is complete.</summary>
internal sealed class WindowsRestoreFile(
    WindowsRestoreTarget target,
    ManifestEntry entry,
    SafeFileHandle folder,
    SafeFileHandle handle,
    string name,
    bool skipSecurity,
    string fullPath) : IRestoreFile
{
    private bool _placed;

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        try
        {
            RandomAccess.Write(handle, content, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw WindowsRestoreError.OfItem(exception.HResult & 0xFFFF, fullPath);
        }
    }

    /// <inheritdoc/>
    public void CopyFrom(ManifestEntry existing, long offset, long length)
    {
        byte[] buffer = new byte[256 << 10];
        while (length > 0)
        {
            int read = target.Read(existing, offset, buffer.AsSpan(0, (int)Math.Min(length, buffer.Length)));
            if (read == 0)
            {
                break;
            }

            Write(offset, buffer.AsSpan(0, read));
            offset += read;
            length -= read;
        }
    }

    /// <inheritdoc/>
    public IRestoreStream CreateStream(ReadOnlyMemory<byte> name, long length) => WindowsRestoreStream.Create(handle, "", name.Span, length, fullPath);

    /// <inheritdoc/>
    public void Complete(bool replace, bool freeze, Action<BackupException> reportMetadata)
    {
        try
        {
            RandomAccess.SetLength(handle, entry.Size);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw WindowsRestoreError.OfItem(exception.HResult & 0xFFFF, fullPath);
        }

        WindowsMetadata.SetStreams(entry, handle, "", fullPath, reportMetadata);

        // Renamed while it may still be: a descriptor or the read-only attribute could forbid it.
        int error = WindowsNative.Rename(handle, folder, name, replace);
        if (error != 0)
        {
            throw WindowsRestoreError.OfItem(error, fullPath);
        }

        _placed = true;
        WindowsMetadata.Set(entry, handle, skipSecurity, fullPath, reportMetadata);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_placed && !handle.IsClosed)
        {
            _ = WindowsNative.DeleteOnClose(handle);
        }

        handle.Dispose();
        folder.Dispose();
    }
}
