using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>Reads what is in clusters: of a chain, or (exFAT) of a run that needs no table.</summary>
internal sealed class ClusterContent(VolumeSource source, FatLayout layout)
{
    private readonly ClusterChains _chains = new(source, layout);

    /// <summary>How many clusters follow from one on.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public async ValueTask<long> CountAsync(uint first, CancellationToken cancellationToken) =>
        (await _chains.FollowAsync(first, cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>Fills the destination.</summary>
    /// <param name="first">The first cluster.</param>
    /// <param name="isRun">Whether all of them follow each other.</param>
    /// <param name="offset">From where, in bytes.</param>
    /// <param name="destination">Where to; all of it lies within the clusters.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: there are fewer clusters.</exception>
    public async ValueTask ReadAsync(uint first, bool isRun, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!layout.HasCluster(first))
        {
            throw source.Corrupt($"cluster {first} is none");
        }

        ClusterChain? chain = isRun ? null : await _chains.FollowAsync(first, cancellationToken).ConfigureAwait(false);
        while (!destination.IsEmpty)
        {
            (long index, long within) = Math.DivRem(offset, layout.ClusterSize);
            long wanted = layout.ClustersFor(within + destination.Length);
            long there = chain?.Count ?? (layout.ClusterCount - (first - 2L));
            if (index >= there)
            {
                throw source.Corrupt($"a file that begins at cluster {first} is longer than its clusters");
            }

            (uint cluster, long count) = chain is null
                ? ((uint)(first + index), Math.Min(wanted, there - index))
                : await _chains.RunAsync(chain, index, wanted, cancellationToken).ConfigureAwait(false);
            int length = (int)Math.Min(destination.Length, (count * layout.ClusterSize) - within);
            await source.ReadAsync(layout.OffsetOf(cluster) + within, destination[..length], cancellationToken).ConfigureAwait(false);
            (offset, destination) = (offset + length, destination[length..]);
        }
    }

    /// <summary>Where a byte of a chain or run lies on the disk, for an entry's number.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public async ValueTask<long> PlaceAsync(uint first, bool isRun, long offset, CancellationToken cancellationToken)
    {
        (long index, long within) = Math.DivRem(offset, layout.ClusterSize);
        if (isRun)
        {
            return layout.OffsetOf((uint)(first + index)) + within;
        }

        ClusterChain chain = await _chains.FollowAsync(first, cancellationToken).ConfigureAwait(false);
        (uint cluster, _) = await _chains.RunAsync(chain, index, 1, cancellationToken).ConfigureAwait(false);
        return layout.OffsetOf(cluster) + within;
    }
}
