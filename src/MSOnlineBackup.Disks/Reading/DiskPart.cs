namespace MSOnlineBackup.Disks.Reading;

/// <summary>A run of bytes of a disk, as a disk of its own: a partition.</summary>
/// <param name="whole">The disk.</param>
/// <param name="start">Where it begins, in bytes.</param>
/// <param name="length">How many bytes it has; start and length lie within the disk.</param>
public sealed class DiskPart(IDiskContent whole, long start, long length) : IDiskContent
{
    /// <inheritdoc/>
    public long Length => length;

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, length - destination.Length);
        return whole.ReadAsync(start + offset, destination, cancellationToken);
    }
}
