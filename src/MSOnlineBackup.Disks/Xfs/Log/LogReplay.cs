using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>
/// What the log has that is not in its place, as recovery by Linux would put it there, kept in memory. The log is read twice: first for what was freed, which
/// is not written again. Memory is bounded by the log's length, and so is work.
/// </summary>
internal sealed class LogReplay
{
    // Inodes that are made take a few bytes of the log, and 32 KiB and more on the disk; what is used of them is in the log, too.
    private const int SizesOfLog = 8;
    private const long MostKept = 512L << 20;

    private readonly IDiskContent _content;
    private readonly XfsSuperblock _superblock;
    private readonly LogRecords _records;
    private readonly LogSpan _span;
    private readonly LogOverlay _overlay;
    private readonly long _most;
    private readonly CancelledBuffers _cancelled = new();
    private readonly HashSet<(LogItemType Type, ulong Id)> _begun = [];
    private readonly Dictionary<long, int> _changed = [];

    private LogReplay(IDiskContent content, XfsSuperblock superblock, LogPlace place, LogRecords records, LogSpan span)
    {
        (_content, _superblock, _records, _span) = (content, superblock, records, span);
        _most = Math.Min(MostKept, place.Sectors * LogPlace.Sector * SizesOfLog);
        _overlay = new LogOverlay(content, _most);
    }

    /// <summary>Reads it.</summary>
    /// <param name="content">The file system as it lies on the disk.</param>
    /// <returns>
    /// The file system with what the log has, and whether changes of where files' data are were begun and not finished, which recovery would finish; null
    /// where all is in its place.
    /// </returns>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: the log has what is not known, or more than is kept.</exception>
    public static async ValueTask<(LogOverlay Content, bool IsUnfinished)?> ReadAsync(IDiskContent content, XfsDisk disk, CancellationToken cancellationToken)
    {
        var place = new LogPlace(disk);
        var records = new LogRecords(place, disk.Superblock.Id, disk.HasChecksums);
        if (await new LogFinder(place, records).FindAsync(cancellationToken).ConfigureAwait(false) is not LogSpan span)
        {
            return null;
        }

        if (disk.Superblock.UnknownLogFeatures != 0)
        {
            throw XfsFault.Unsupported($"its log has the features 0x{disk.Superblock.UnknownLogFeatures:x}");
        }

        var replay = new LogReplay(content, disk.Superblock, place, records, span);
        await replay.FindCancelledAsync(cancellationToken).ConfigureAwait(false);
        await replay.ApplyAllAsync(cancellationToken).ConfigureAwait(false);
        await replay.SealAsync(cancellationToken).ConfigureAwait(false);
        return (replay._overlay, replay._begun.Count > 0);
    }

    private static ulong IdOf(LogItem item) => item.Format.Length >= 16
        ? BinaryPrimitives.ReadUInt64LittleEndian(item.Format[8..])
        : throw XfsFault.Corrupt("an item of its log has another length");

    // What is freed comes last, lists of unlinked inodes before it, and inodes after the blocks that they are in.
    private static int Rank(LogItem item) => item.Type switch
    {
        LogItemType.Buffer => new BufferItem(item) is { IsCancel: true } ? 2 : 0,
        LogItemType.InodeChunk => 0,
        _ => 1,
    };

    private async ValueTask FindCancelledAsync(CancellationToken cancellationToken)
    {
        await foreach (LogTransaction transaction in new LogTransactions(_records, _span, _most).ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (LogItem item in transaction.Items)
            {
                if (!Enum.IsDefined(item.Type))
                {
                    throw XfsFault.Unsupported($"its log has items of the kind 0x{(int)item.Type:x}");
                }

                if (!item.IsWhole)
                {
                    throw XfsFault.Corrupt("an item of its log has too few pieces");
                }

                if (item.Type == LogItemType.Buffer && new BufferItem(item) is { IsCancel: true } cancel)
                {
                    _cancelled.Add(cancel);
                }
            }
        }
    }

    private async ValueTask ApplyAllAsync(CancellationToken cancellationToken)
    {
        await foreach (LogTransaction transaction in new LogTransactions(_records, _span, _most).ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (LogItem item in transaction.Items.OrderBy(Rank))
            {
                await ApplyAsync(item, transaction.Lsn, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask ApplyAsync(LogItem item, ulong lsn, CancellationToken cancellationToken)
    {
        switch (item.Type)
        {
            case LogItemType.Buffer:
                await ApplyAsync(new BufferItem(item), lsn, cancellationToken).ConfigureAwait(false);
                break;
            case LogItemType.Inode:
                var inode = new InodeItem(item);
                if (!_cancelled.Has(inode.Sector, inode.Count))
                {
                    await inode.ApplyAsync(_overlay, _superblock, lsn, cancellationToken).ConfigureAwait(false);
                }

                break;
            case LogItemType.InodeChunk:
                InodeChunkItem chunk = InodeChunkItem.Decode(item.Format, _superblock);
                if (!_cancelled.HasAny(chunk.Offset(_superblock) / LogPlace.Sector, (long)chunk.Length * _superblock.BlockSize / LogPlace.Sector))
                {
                    await chunk.ApplyAsync(_overlay, _superblock, cancellationToken).ConfigureAwait(false);
                }

                break;
            case LogItemType.Mapping or LogItemType.Exchange:
                _begun.Add((item.Type, IdOf(item)));
                break;
            case LogItemType.MappingDone or LogItemType.ExchangeDone:
                _begun.Remove((item.Type - 1, IdOf(item)));
                break;
            default:
                // Free space, owners and counts of blocks, quotas, attributes: nothing that files are read by.
                break;
        }
    }

    private async ValueTask ApplyAsync(BufferItem buffer, ulong lsn, CancellationToken cancellationToken)
    {
        if (buffer.IsCancel)
        {
            _cancelled.Pass(buffer);
            return;
        }

        if (!buffer.IsOfUse || buffer.Count == 0 || _cancelled.Has(buffer.Sector, buffer.Count))
        {
            return;
        }

        // What lies there may have been written later than this. It counts as it is on the disk: what was brought there from the log is older.
        if (_superblock.Version == 5)
        {
            byte[] there = await _overlay.ReadAsync(buffer.Sector * LogPlace.Sector, LogPlace.Sector, cancellationToken).ConfigureAwait(false);
            await _content.ReadAsync(buffer.Sector * LogPlace.Sector, there, cancellationToken).ConfigureAwait(false);
            if (BlockStamp.Lsn(there, _superblock.MetaId) is ulong written and not (0 or ulong.MaxValue) && written >= lsn)
            {
                return;
            }
        }

        await buffer.ApplyAsync(_overlay, cancellationToken).ConfigureAwait(false);
        _changed[buffer.Sector] = buffer.Count;
    }

    // Blocks get their checksums when they are written to their place, not in the log.
    private async ValueTask SealAsync(CancellationToken cancellationToken)
    {
        if (_superblock.Version != 5)
        {
            return;
        }

        foreach ((long sector, int count) in _changed)
        {
            byte[] bytes = await _overlay.ReadAsync(sector * LogPlace.Sector, count * LogPlace.Sector, cancellationToken).ConfigureAwait(false);
            byte[] right = [.. bytes];
            BlockStamp.Seal(right, _superblock);
            for (int at = 0; at < right.Length; at += LogPlace.Sector)
            {
                if (!right.AsSpan(at, LogPlace.Sector).SequenceEqual(bytes.AsSpan(at, LogPlace.Sector)))
                {
                    await _overlay.KeepAsync((sector * LogPlace.Sector) + at, right.AsMemory(at, LogPlace.Sector), cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }
}
