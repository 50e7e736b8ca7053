using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Images;

/// <summary>The bytes of a disk of a recovery point, which come from the vault as they are asked for. It lives no longer than the vault. One caller at a time.</summary>
public sealed class DiskBytes : IDisposable
{
    private readonly IItemView _view;
    private readonly ViewItem _item;
    private readonly ViewedDisk _disk;

    internal DiskBytes(IItemView view, ViewItem item) => (_view, _item, _disk) = (view, item, new ViewedDisk(view, item));

    /// <summary>Its full path in the point.</summary>
    public string Path => _item.FullPath;

    /// <summary>How many bytes it has.</summary>
    public long Length => _disk.Length;

    /// <summary>The next run at or after an offset that the point does not have as a hole, up to its end, exclusively; null where only zeroes follow.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, ….</exception>
    public async ValueTask<(long Start, long End)?> FindDataAsync(long offset, CancellationToken cancellationToken)
    {
        if (offset >= Length || await _view.SeekAsync(_item.Id, offset, isHole: false, cancellationToken).ConfigureAwait(false) is not { } start || start >= Length)
        {
            return null;
        }

        long? end = await _view.SeekAsync(_item.Id, start, isHole: true, cancellationToken).ConfigureAwait(false);
        return (start, Math.Min(end ?? Length, Length));
    }

    /// <summary>Fills the destination with the bytes from the offset on; both lie within the disk.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, ….</exception>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) => _disk.ReadAsync(offset, destination, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _view.Dispose();
}
