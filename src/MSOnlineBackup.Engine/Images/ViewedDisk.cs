using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Images;

/// <summary>A file of a view as a disk: what is read of it comes from the vault as it is asked for.</summary>
/// <param name="view">The view; it lives longer.</param>
/// <param name="file">The file.</param>
internal sealed class ViewedDisk(IItemView view, ViewItem file) : IDiskContent
{
    /// <inheritdoc/>
    public long Length => file.Entry.Size;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        while (destination.Length > 0)
        {
            int read = await view.ReadAsync(file.Id, offset, destination, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new BackupException(
                    BackupErrorId.VaultDataCorrupt, $"'{file.FullPath}' ends at {offset} bytes in the recovery point, before its size.", "Run 'obengine verify': it says what is damaged.", file.FullPath);
            }

            (offset, destination) = (offset + read, destination[read..]);
        }
    }
}
