using System.Buffers.Binary;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>
/// Follows chains of clusters through the file allocation table. A chain is followed to its end before anything is read of it: one that has an end has no
/// cluster twice, and no other way tells so in bounded memory. Thread-safe.
/// </summary>
internal sealed class ClusterChains(VolumeSource source, FatLayout layout)
{
    private const int WindowSize = 4096;
    private const int MostKept = 16;

    private readonly Lock _gate = new();
    private readonly LinkedList<(uint First, ClusterChain Chain)> _kept = new();

    /// <summary>The chain that begins with a cluster.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: it has no end, or leads to what is no cluster.</exception>
    public async ValueTask<ClusterChain> FollowAsync(uint first, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            for (LinkedListNode<(uint First, ClusterChain Chain)>? node = _kept.First; node is not null; node = node.Next)
            {
                if (node.Value.First == first)
                {
                    _kept.Remove(node);
                    _kept.AddFirst(node);
                    return node.Value.Chain;
                }
            }
        }

        var marks = new List<uint>();
        var window = new Window();
        long count = 0;
        for (uint? cluster = first; cluster is uint one; cluster = await NextAsync(one, window, cancellationToken).ConfigureAwait(false))
        {
            if (count % ClusterChain.Distance == 0)
            {
                marks.Add(one);
            }

            if (++count > layout.ClusterCount)
            {
                throw source.Corrupt($"the chain of clusters from {first} on comes back to itself");
            }
        }

        var chain = new ClusterChain(count, marks);
        lock (_gate)
        {
            _kept.AddFirst((first, chain));
            if (_kept.Count > MostKept)
            {
                _kept.RemoveLast();
            }
        }

        return chain;
    }

    /// <summary>Clusters that follow each other on the disk.</summary>
    /// <param name="chain">A chain.</param>
    /// <param name="index">Which of its clusters is the first, from 0.</param>
    /// <param name="most">How many are wanted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The first one, and how many there are from it on, at most as many as wanted.</returns>
    public async ValueTask<(uint First, long Count)> RunAsync(ClusterChain chain, long index, long most, CancellationToken cancellationToken)
    {
        var window = new Window();
        uint cluster = chain.Marks[(int)(index / ClusterChain.Distance)];
        for (long i = index % ClusterChain.Distance; i > 0; i--)
        {
            cluster = await NextAsync(cluster, window, cancellationToken).ConfigureAwait(false) ?? throw Changed();
        }

        long count = 1;
        most = Math.Min(most, chain.Count - index);
        for (uint at = cluster; count < most; count++)
        {
            uint next = await NextAsync(at, window, cancellationToken).ConfigureAwait(false) ?? throw Changed();
            if (next != at + 1)
            {
                break;
            }

            at = next;
        }

        return (cluster, count);
    }

    private Vaults.Errors.BackupException Changed() => source.Corrupt("its file allocation table is not read the same twice");

    // The cluster after one; null at the end of a chain.
    private async ValueTask<uint?> NextAsync(uint cluster, Window window, CancellationToken cancellationToken)
    {
        if (!layout.HasCluster(cluster))
        {
            throw source.Corrupt($"a chain of clusters leads to {cluster}, which is none");
        }

        // An entry of 12 bits begins in the middle of a byte, or ends there.
        long at = (long)cluster * layout.EntryBits / 8;
        int length = layout.EntryBits == 32 ? 4 : 2;
        if (at < window.Start || at + length > window.Start + window.Count)
        {
            window.Start = at - (at % WindowSize);
            window.Count = (int)Math.Min(WindowSize + 4, layout.TableLength - window.Start);
            if (at + length > window.Start + window.Count)
            {
                throw source.Corrupt($"its file allocation table has no entry for cluster {cluster}");
            }

            await source.ReadAsync(layout.TableOffset + window.Start, window.Bytes.AsMemory(0, window.Count), cancellationToken).ConfigureAwait(false);
        }

        ReadOnlySpan<byte> entry = window.Bytes.AsSpan((int)(at - window.Start), length);
        uint next = layout.EntryBits switch
        {
            12 => (uint)(BinaryPrimitives.ReadUInt16LittleEndian(entry) >> (cluster % 2 == 0 ? 0 : 4)) & 0xFFF,
            16 => BinaryPrimitives.ReadUInt16LittleEndian(entry),
            _ => BinaryPrimitives.ReadUInt32LittleEndian(entry) & layout.EntryMask,
        };

        // Eight marks are ends. What is before them is bad, or free, and in no chain.
        return next >= layout.FirstEnd ? null : next;
    }

    private sealed class Window
    {
        public byte[] Bytes { get; } = new byte[WindowSize + 4];

        public long Start { get; set; }

        public int Count { get; set; }
    }
}
