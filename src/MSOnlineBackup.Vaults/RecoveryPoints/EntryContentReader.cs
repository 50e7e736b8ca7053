using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Gives the slices of a file in order, wherever they stand.</summary>
internal sealed class EntryContentReader(IChunkReader chunks)
{
    /// <summary>The slices of a file. Memory: one slice list.</summary>
    public async IAsyncEnumerable<ContentSlice> ReadAsync(EntryContent content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (ContentSlice slice in content.Slices)
        {
            yield return slice;
        }

        foreach (SliceListReference list in content.Lists)
        {
            foreach (ContentSlice slice in await ReadListAsync(list, cancellationToken).ConfigureAwait(false))
            {
                yield return slice;
            }
        }
    }

    /// <summary>The slices of one list.</summary>
    public async ValueTask<IReadOnlyList<ContentSlice>> ReadListAsync(SliceListReference list, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> block = await chunks.ReadAsync(ChunkKind.SliceList, list.Id, cancellationToken).ConfigureAwait(false);
        return SliceListCodec.Decode(block.Span, list);
    }
}
