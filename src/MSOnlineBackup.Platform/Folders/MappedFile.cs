using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Platform.Folders;

/// <summary>
/// The bytes of a file as memory that the system fills, and takes back, as it likes. The file may lose its name meanwhile; nobody may shorten it. It is unmapped once nobody
/// holds this any more: whoever looks at a span from it keeps it alive for so long.
/// </summary>
internal sealed unsafe class MappedFile
{
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

    /// <summary>A part of it, which must lie within it.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int length) => new(_first + offset, length);
}
