using System.Buffers;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>Gives Windows parts of files.</summary>
internal static class ProjectedContent
{
    private const int PieceLength = 1 << 20;

    /// <summary>
    /// Writes what was asked for, and as much around it as the device wants: whoever reads past the system's cache may write whole sectors alone. In pieces, so that memory is bounded.
    /// </summary>
    /// <param name="view">The view.</param>
    /// <param name="file">The file.</param>
    /// <param name="stream">By what Windows has asked.</param>
    /// <param name="offset">From where, in bytes.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="projection">Takes them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>An HRESULT.</returns>
    /// <exception cref="BackupException">RestoreItemFailed: the point has no content of it; VaultDataCorrupt, VaultDataMissing, VaultUnreachable, ….</exception>
    public static async ValueTask<int> WriteAsync(
        IItemView view, ServedItem file, Guid stream, long offset, long length, IProjection projection, CancellationToken cancellationToken)
    {
        if (!file.Item.Entry.IsRestorable())
        {
            throw file.Item.Entry.Unrestorable(file.Name);
        }

        long size = file.Item.Entry.Size;
        if (offset < 0 || length < 0 || offset > size)
        {
            return ProjectionResult.InvalidParameter;
        }

        long unit = projection.Alignment;
        long at = offset / unit * unit;
        long end = length >= size - offset ? size : Math.Min(size, (offset + length + unit - 1) / unit * unit);
        int piece = (int)Math.Max(unit, PieceLength / unit * unit);
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(piece, Math.Max(1, end - at)));
        try
        {
            while (at < end)
            {
                int count = (int)Math.Min(piece, end - at);
                if (await ReadAsync(view, file.Item.Id, at, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false) < count)
                {
                    // Less than the list says: what is not there is not made up.
                    return ProjectionResult.Damaged;
                }

                int result = projection.WriteData(stream, buffer.AsSpan(0, count), at);
                if (result < 0)
                {
                    return result;
                }

                at += count;
            }

            return ProjectionResult.Ok;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask<int> ReadAsync(IItemView view, ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int had = 0;
        while (had < destination.Length)
        {
            int count = await view.ReadAsync(id, offset + had, destination[had..], cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                break;
            }

            had += count;
        }

        return had;
    }
}
