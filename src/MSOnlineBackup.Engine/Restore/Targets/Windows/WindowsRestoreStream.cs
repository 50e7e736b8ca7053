using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Restore.Targets.Windows;

/// <summary>An alternate data stream being restored: where the file system has holes, what is not written is one.</summary>
internal sealed class WindowsRestoreStream : IRestoreStream
{
    private readonly SafeFileHandle _handle;
    private readonly long _length;
    private readonly string _fullPath;
    private bool _complete;

    private WindowsRestoreStream(SafeFileHandle handle, long length, string fullPath)
    {
        _handle = handle;
        _length = length;
        _fullPath = fullPath;
    }

    /// <summary>The name of a stream; null where Windows has none of it. A separator would be a way into another folder, a colon to another type.</summary>
    public static string? NameOf(ReadOnlySpan<byte> name) =>
        WtfName.FromBytes(name) is { Length: > 0 } text && !text.AsSpan().ContainsAny('\\', ':', '/') ? text : null;

    /// <summary>Begins a stream, in place of what there is of its name.</summary>
    /// <param name="at">The item, or the folder that holds it.</param>
    /// <param name="item">The item's name there; empty for the item itself.</param>
    /// <param name="name">The stream's raw name.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="path">The item's full path, for messages.</param>
    public static WindowsRestoreStream Create(SafeFileHandle at, string item, ReadOnlySpan<byte> name, long length, string path)
    {
        string fullPath = $"{path}:{EntryName.Escape(name)}";
        if (NameOf(name) is not { } text)
        {
            throw WindowsRestoreError.OfItem(WindowsNative.InvalidName, fullPath);
        }

        int error = WindowsNative.Open(
            at,
            $"{item}:{text}",
            WindowsNative.WriteData | WindowsNative.ReadAttributes | WindowsNative.Delete,
            WindowsNative.OpenOrCreate,
            WindowsNative.NoDirectory | WindowsNative.ReparsePointItself,
            out SafeFileHandle handle);
        if (error != 0)
        {
            handle.Dispose();
            throw WindowsRestoreError.OfItem(error, fullPath);
        }

        var stream = new WindowsRestoreStream(handle, length, fullPath);
        try
        {
            stream.SetLength(0);
        }
        catch
        {
            stream.Dispose();
            throw;
        }

        // Where the file system has no holes, the stream is restored all the same.
        _ = WindowsNative.MakeSparse(handle);
        return stream;
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        try
        {
            RandomAccess.Write(_handle, content, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw WindowsRestoreError.OfItem(exception.HResult & 0xFFFF, _fullPath);
        }
    }

    /// <inheritdoc/>
    public void Complete()
    {
        SetLength(_length);
        _complete = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_complete && !_handle.IsClosed)
        {
            // Only the stream: the item stays.
            _ = WindowsNative.DeleteOnClose(_handle);
        }

        _handle.Dispose();
    }

    private void SetLength(long length)
    {
        try
        {
            RandomAccess.SetLength(_handle, length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw WindowsRestoreError.OfItem(exception.HResult & 0xFFFF, _fullPath);
        }
    }
}
