using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Reading;

/// <summary>The bytes of a disk, or of a part of one, read at any offset: an image file, a block device, a file of a recovery point. Thread-safe.</summary>
public interface IDiskContent
{
    /// <summary>How many bytes it has, from 0.</summary>
    long Length { get; }

    /// <summary>Fills the destination with the bytes from the offset on.</summary>
    /// <param name="offset">From where, in bytes.</param>
    /// <param name="destination">Where to; offset and its length lie within the disk.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">The bytes cannot be had: SourceItemUnreadable, VaultDataCorrupt, VaultDataMissing, ….</exception>
    ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken);
}
