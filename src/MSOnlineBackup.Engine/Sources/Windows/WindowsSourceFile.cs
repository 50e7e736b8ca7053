using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>An open file of a source, or a stream of an item.</summary>
/// <param name="handle">It.</param>
/// <param name="opened">What it was when it was opened.</param>
/// <param name="mayHaveHoles">Whether it is asked for its holes.</param>
/// <param name="path">The item's path below the root.</param>
/// <param name="fullPath">Its full path, for messages.</param>
internal sealed class WindowsSourceFile(SafeFileHandle handle, WindowsRecord opened, bool mayHaveHoles, EntryPath path, string fullPath) : ISourceFile
{
    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        start = offset;
        length = opened.Size - offset;
        if (length <= 0)
        {
            return false;
        }

        if (mayHaveHoles
            && WindowsNative.TryFindData(handle, offset, opened.Size, out long data, out long dataLength))
        {
            start = data;
            length = dataLength;
        }

        return length > 0;
    }

    public int Read(long offset, Span<byte> destination)
    {
        try
        {
            return RandomAccess.Read(handle, destination, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw WindowsSourceError.OfItem(exception.HResult & 0xFFFF, fullPath);
        }
    }

    public ManifestEntry Stat()
    {
        int error = WindowsNative.Query(handle, opened.Name, out WindowsRecord record);
        return error == 0 ? record.ToEntry(path) : throw WindowsSourceError.OfItem(error, fullPath);
    }

    public void Dispose() => handle.Dispose();
}
