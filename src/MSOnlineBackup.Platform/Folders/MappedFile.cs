using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Platform.Folders;

/// <summary>
/// The bytes of a file as memory that the system fills, and takes back, as it likes. The file may lose its name meanwhile; nobody may shorten it. It is
/// unmapped once nobody holds this any more: whoever looks at a span from it keeps it alive for so long.
/// </summary>
internal sealed unsafe class MappedFile
{
    // On Linux and macOS alike.
    private const int NotNeeded = 4;

    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _first;

    /// <summary>Maps a file that is not empty, for reading.</summary>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public MappedFile(SafeFileHandle file)
    {
        using var mapping = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* first = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref first);
        _view = view;
        _first = first + view.PointerOffset;
    }

    ~MappedFile() => _view?.SafeMemoryMappedViewHandle.ReleasePointer();

    /// <summary>Gives back the memory of all parts that were looked at: they are read again when they are looked at again. Does nothing where the system knows no way.</summary>
    public void Release()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Libc.MemoryAdvise(_first, (nint)_view!.SafeMemoryMappedViewHandle.ByteLength, NotNeeded);
        }
    }

    /// <summary>A part of it, which must lie within it.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int length) => new(_first + offset, length);
}
