using System.Buffers.Binary;
using System.Numerics;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>Changes of blocks that are no inodes: pieces of 128 bytes, which ones tells a map of bits.</summary>
internal sealed class BufferItem
{
    private const int MapAt = 20;
    private const int Piece = 128;
    private const int InodesFlag = 1;
    private const int CancelFlag = 2;
    private const int QuotaFlags = 4 | 8 | 16;
    private const int TypeShift = 11;
    private const int MostSectors = 128;

    private readonly LogItem _item;
    private readonly int _flags;
    private readonly int _words;

    /// <summary>Reads one.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public BufferItem(LogItem item)
    {
        ReadOnlySpan<byte> format = item.Format;
        uint words = format.Length >= MapAt ? BinaryPrimitives.ReadUInt32LittleEndian(format[16..]) : uint.MaxValue;
        if (words > (format.Length - MapAt) / 4)
        {
            throw XfsFault.Corrupt("an item of its log has another length");
        }

        (_item, _words) = (item, (int)words);
        _flags = BinaryPrimitives.ReadUInt16LittleEndian(format[4..]);
        Count = BinaryPrimitives.ReadUInt16LittleEndian(format[6..]);
        Sector = BinaryPrimitives.ReadInt64LittleEndian(format[8..]);
        if (Sector is < 0 or > long.MaxValue / 1024 || (Count > MostSectors && !IsCancel))
        {
            throw XfsFault.Corrupt("an item of its log has a place or length that nothing has");
        }
    }

    /// <summary>Where it is, in sectors of 512 bytes.</summary>
    public long Sector { get; }

    /// <summary>How many sectors it has: to 128.</summary>
    public int Count { get; }

    /// <summary>Whether it says that the place was freed.</summary>
    public bool IsCancel => (_flags & CancelFlag) != 0;

    /// <summary>
    /// Whether whoever reads files may meet it. Lists of unlinked inodes, quotas, free space, what folders have besides their entries and attributes are
    /// not looked at.
    /// </summary>
    public bool IsOfUse => (_flags & (InodesFlag | QuotaFlags)) == 0 && (_flags >> TypeShift) is 0 or 4 or 8 or 9 or 10 or 11 or 18;

    /// <summary>Brings its pieces into place.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported.</exception>
    public async ValueTask ApplyAsync(LogOverlay overlay, CancellationToken cancellationToken)
    {
        int region = 1;
        for (int bit = NextBit(0); bit >= 0; region++)
        {
            int run = RunLength(bit);
            if (region >= _item.Regions.Count)
            {
                throw XfsFault.Corrupt("an item of its log has too few pieces");
            }

            // A run may be in several pieces.
            byte[] bytes = _item.Regions[region].Span.ToArray();
            int count = Math.Min(run, bytes.Length / Piece);
            if (count == 0 || (bit + count) * Piece > Count * LogPlace.Sector)
            {
                throw XfsFault.Corrupt("a piece of an item of its log has another length");
            }

            await overlay.KeepAsync((Sector * LogPlace.Sector) + (bit * Piece), bytes.AsMemory(0, count * Piece), cancellationToken).ConfigureAwait(false);
            bit = NextBit(bit + count);
        }
    }

    private int NextBit(int from)
    {
        for (int bit = from; bit < _words * 32;)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(_item.Format[(MapAt + (bit / 32 * 4))..]) >> (bit % 32);
            if (word != 0)
            {
                return bit + BitOperations.TrailingZeroCount(word);
            }

            bit += 32 - (bit % 32);
        }

        return -1;
    }

    private int RunLength(int from)
    {
        int bit = from;
        while (bit < _words * 32 && NextBit(bit) == bit)
        {
            bit++;
        }

        return bit - from;
    }
}
