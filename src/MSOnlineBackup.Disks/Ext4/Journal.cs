using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>
/// What the journal (jbd2) has that is not yet in its place, as recovery by Linux would put it there: transactions one after another as long as each has a
/// commit that is whole; of a block the last that was written and not revoked.
/// </summary>
internal sealed class Journal
{
    /// <summary>What each block of the journal's own begins with.</summary>
    public const uint Magic = 0xC03B3998;

    private const uint Descriptor = 1;
    private const uint Commit = 2;
    private const uint Revoke = 5;

    // Of blocks of 4 KiB a log of 4 GiB; mkfs makes none of more than 1 GiB.
    private const int MostBlocks = 1 << 20;

    private readonly VolumeSource _source;
    private readonly Superblock _superblock;
    private readonly BlockMap _map;
    private readonly Inode _inode;
    private readonly JournalHeader _header;
    private readonly Dictionary<long, JournalBlock> _blocks = [];
    private readonly Dictionary<long, uint> _revoked = [];
    private (long First, BlockRun Run) _run;

    private Journal(VolumeSource source, Superblock superblock, BlockMap map, Inode inode, JournalHeader header)
    {
        (_source, _superblock, _map, _inode, _header) = (source, superblock, map, inode, header);
    }

    /// <summary>Reads it.</summary>
    /// <returns>The file system with what the journal has; null where that is nothing.</returns>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: the journal is on another disk, or has what is not known.</exception>
    public static async Task<IDiskContent?> ReadAsync(VolumeSource source, Superblock superblock, CancellationToken cancellationToken)
    {
        if (superblock.JournalInode == 0)
        {
            throw source.Unsupported("what was written last is in a journal on another disk");
        }

        var map = new BlockMap(source, superblock);
        Inode inode = await new InodeTable(source, superblock).ReadAsync(superblock.JournalInode, cancellationToken).ConfigureAwait(false);
        if (inode.Kind != Platform.Items.EntryKind.File || inode.IsInline || inode.Size < superblock.BlockSize)
        {
            throw source.Corrupt("its journal is no file");
        }

        var first = new byte[superblock.BlockSize];
        await map.ReadAsync(inode, 0, first, cancellationToken).ConfigureAwait(false);
        JournalHeader header = JournalHeader.Parse(source, superblock, inode.Size / superblock.BlockSize, first);
        if (header.Start == 0)
        {
            return null;
        }

        var journal = new Journal(source, superblock, map, inode, header);
        await journal.ScanAsync(cancellationToken).ConfigureAwait(false);
        return journal._blocks.Count == 0 ? null : new JournalOverlay(source, superblock.BlockSize, journal._blocks);
    }

    // Goes through the log until a transaction is not whole. What is pending counts once its commit was read.
    private async Task ScanAsync(CancellationToken cancellationToken)
    {
        long next = _header.Start;
        uint sequence = _header.Sequence;
        var pending = new JournalTransaction(_header, _superblock.BlockSize);
        ulong lastCommit = 0;

        // Sequences follow each other, so that what the log had before cannot be read again; still it goes round once at most.
        for (long read = 0; read < _header.End - _header.First;)
        {
            byte[] block = await BlockAsync(next, cancellationToken).ConfigureAwait(false);
            if (JournalHeader.Number(block, 0) != Magic || JournalHeader.Number(block, 8) != sequence)
            {
                break;
            }

            (read, next) = (read + 1, After(next, 1));
            uint type = JournalHeader.Number(block, 4);
            if (type == Descriptor)
            {
                List<JournalTag> tags = pending.Describe(block);
                foreach (JournalTag tag in tags)
                {
                    if (pending.Blocks.Count >= MostBlocks)
                    {
                        throw _source.Unsupported("its journal has more than is kept in memory");
                    }

                    long place = await PlaceAsync(next, cancellationToken).ConfigureAwait(false);
                    pending.Blocks.Add((tag.Block, new JournalBlock(place, sequence, tag.IsEscaped, tag.Checksum, _header.Seed, !_header.HasChecksumV3)));
                    if (_header.HasSums)
                    {
                        pending.Sum(await BlockAsync(next, cancellationToken).ConfigureAwait(false));
                    }

                    (read, next) = (read + 1, After(next, 1));
                }
            }
            else if (type == Revoke)
            {
                pending.Revoke(block, MostBlocks, _source);
            }
            else if (type == Commit)
            {
                ulong time = BinaryPrimitives.ReadUInt64BigEndian(block.AsSpan(0x30));
                if (pending.IsDamaged)
                {
                    // Where the commit is older than the one before it, all of it is what the log had long ago.
                    if (time >= lastCommit)
                    {
                        throw _source.Corrupt("a transaction of its journal has a wrong checksum");
                    }

                    break;
                }

                if (!pending.IsCommittedBy(block))
                {
                    break;
                }

                Apply(pending, sequence);
                pending = new JournalTransaction(_header, _superblock.BlockSize);
                lastCommit = time;
                sequence = unchecked(sequence + 1);
            }
            else
            {
                break;
            }
        }

        foreach ((long block, uint revoked) in _revoked)
        {
            if (_blocks.TryGetValue(block, out JournalBlock found) && unchecked((int)(found.Sequence - revoked)) <= 0)
            {
                _blocks.Remove(block);
            }
        }

        await RefuseFastCommitsAsync(sequence, cancellationToken).ConfigureAwait(false);
    }

    private void Apply(JournalTransaction transaction, uint sequence)
    {
        foreach ((long block, JournalBlock kept) in transaction.Blocks)
        {
            if (block >= _superblock.BlockCount)
            {
                throw _source.Corrupt($"its journal has block {block}, which is outside");
            }

            _blocks[block] = kept;
        }

        foreach (long block in transaction.Revoked)
        {
            _revoked[block] = sequence;
        }

        if (_blocks.Count > MostBlocks || _revoked.Count > MostBlocks)
        {
            throw _source.Unsupported("its journal has more than is kept in memory");
        }
    }

    // They follow the last transaction, in a part of the journal of their own, and begin with its successor's number (tag 9, its length, features, number).
    private async Task RefuseFastCommitsAsync(uint sequence, CancellationToken cancellationToken)
    {
        if (_header.HasFastCommits)
        {
            byte[] block = await BlockAsync(_header.End, cancellationToken).ConfigureAwait(false);
            if (BinaryPrimitives.ReadUInt16LittleEndian(block) == 9 && BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(8)) == sequence)
            {
                throw _source.Unsupported("its journal has fast commits");
            }
        }
    }

    private long After(long block, long count)
    {
        block += count;
        return block >= _header.End ? block - (_header.End - _header.First) : block;
    }

    private async ValueTask<byte[]> BlockAsync(long block, CancellationToken cancellationToken) =>
        await _source.ReadAsync(await PlaceAsync(block, cancellationToken).ConfigureAwait(false) * _superblock.BlockSize, _superblock.BlockSize, cancellationToken).ConfigureAwait(false);

    // Where a block of the journal lies on the disk.
    private async ValueTask<long> PlaceAsync(long block, CancellationToken cancellationToken)
    {
        if (block < _run.First || block >= _run.First + _run.Run.Count)
        {
            _run = (block, await _map.FindAsync(_inode, block, cancellationToken).ConfigureAwait(false));
        }

        return _run.Run.IsHole ? throw _source.Corrupt("its journal has a hole") : _run.Run.Start + block - _run.First;
    }
}
