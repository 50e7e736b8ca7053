using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>The bytes of a disk that is backed up: a block device, an image file, a disk of a virtual machine. One caller at a time.</summary>
public interface ISourceDisk : IDisposable
{
    /// <summary>How many bytes it has, from 0.</summary>
    long Length { get; }

    /// <summary>Which of its bytes may differ from what an earlier recovery point has of it; null where nobody knows, and all are read.</summary>
    DiskChanges? Changes { get; }

    /// <summary>The next run at or after an offset of which it is not known that it reads as zeroes.</summary>
    /// <param name="offset">From where, in bytes, within the disk.</param>
    /// <param name="start">Where the run begins.</param>
    /// <param name="length">How long it is, from 1.</param>
    /// <returns>False where only zeroes follow.</returns>
    /// <exception cref="BackupException">SourceItemUnreadable.</exception>
    bool TryGetDataRun(long offset, out long start, out long length);

    /// <summary>Fills the destination with the bytes from the offset on; both lie within the disk.</summary>
    /// <exception cref="BackupException">SourceItemUnreadable: the bytes cannot be read. What is at fault is the disk, never the vault.</exception>
    void Read(long offset, Span<byte> destination);
}

/// <summary>Which bytes of a disk were written since a recovery point was made of it.</summary>
/// <param name="Since">The recovery point. What is not among the extents is, byte for byte, as that point has it.</param>
/// <param name="Extents">The runs that were written, in order, without overlap; start and length in bytes.</param>
public sealed record DiskChanges(SessionId Since, IReadOnlyList<(long Start, long Length)> Extents);
