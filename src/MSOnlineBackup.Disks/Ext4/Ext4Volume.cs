using System.Runtime.CompilerServices;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>
/// An ext2, ext3 or ext4 file system. Where its journal has what is not yet in its place, that is read from the journal: what a mount would show is shown, and
/// nothing is written. Names are compared exactly, also in folders in which the system ignores case.
/// </summary>
internal sealed class Ext4Volume : IFileVolume
{
    private readonly VolumeSource _source;
    private readonly Superblock _superblock;
    private readonly InodeTable _inodes;
    private readonly BlockMap _map;
    private readonly FolderBlock _folders;

    private Ext4Volume(VolumeSource source, Superblock superblock, Inode root)
    {
        _source = source;
        _superblock = superblock;
        _inodes = new InodeTable(source, superblock);
        _map = new BlockMap(source, superblock);
        _folders = new FolderBlock(source, superblock);
        Root = root.ToItem(default);
    }

    /// <inheritdoc/>
    public string Kind => _superblock.Features.Kind;

    /// <inheritdoc/>
    public string? Label => _superblock.Label;

    /// <inheritdoc/>
    public string? Id => _superblock.Id;

    /// <inheritdoc/>
    public VolumeItem Root { get; }

    /// <summary>Looks for one.</summary>
    public static async ValueTask<PartContent?> ProbeAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        if (content.Length < Superblock.Offset + Superblock.Size)
        {
            return null;
        }

        var bytes = new byte[Superblock.Size];
        await content.ReadAsync(Superblock.Offset, bytes, cancellationToken).ConfigureAwait(false);
        if (!Superblock.Is(bytes))
        {
            return null;
        }

        string kind = Superblock.FeaturesOf(bytes).Kind;
        return await PartContent.OpenAsync(kind, OpenAsync(new VolumeSource(content, $"{kind} file system", place), cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Opens one.</summary>
    /// <exception cref="BackupException">VolumeCorrupt; VolumeUnsupported: a feature is not known, or its journal is elsewhere.</exception>
    public static async Task<Ext4Volume> OpenAsync(VolumeSource source, CancellationToken cancellationToken)
    {
        Superblock superblock = await Superblock.ReadAsync(source, cancellationToken).ConfigureAwait(false);
        if (superblock.Features.NeedsRecovery && await Journal.ReadAsync(source, superblock, cancellationToken).ConfigureAwait(false) is IDiskContent recovered)
        {
            source = source.With(recovered);
            superblock = await Superblock.ReadAsync(source, cancellationToken).ConfigureAwait(false);
        }

        Inode root = await new InodeTable(source, superblock).ReadAsync(InodeTable.Root, cancellationToken).ConfigureAwait(false);
        return root.Kind == EntryKind.Directory ? new Ext4Volume(source, superblock, root) : throw source.Corrupt("its root is no folder");
    }

    /// <inheritdoc/>
    public async ValueTask<VolumeItem?> FindAsync(VolumeItem folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var damage = new FolderDamage();
        await foreach (FolderEntry entry in EntriesAsync(folder, damage, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Name.Span.SequenceEqual(name.Span))
            {
                return (await _inodes.ReadNamedAsync(entry.Inode, cancellationToken).ConfigureAwait(false)).ToItem(entry.Name);
            }
        }

        damage.Throw();
        return null;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<VolumeItem> ListAsync(VolumeItem folder, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var damage = new FolderDamage();
        await foreach (FolderEntry entry in EntriesAsync(folder, damage, cancellationToken).ConfigureAwait(false))
        {
            VolumeItem item;
            try
            {
                item = (await _inodes.ReadNamedAsync(entry.Inode, cancellationToken).ConfigureAwait(false)).ToItem(entry.Name);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
            {
                damage.Add(e);
                continue;
            }

            yield return item;
        }

        damage.Throw();
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(VolumeItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(item);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        Inode inode = await _inodes.ReadAsync(item.Id, cancellationToken).ConfigureAwait(false);
        if (inode.Kind is not (EntryKind.File or EntryKind.SymbolicLink))
        {
            throw new ArgumentException("It is neither a file nor a symbolic link.", nameof(item));
        }

        if (inode.IsEncrypted)
        {
            throw _source.Unsupported($"the file with inode {inode.Number} is encrypted");
        }

        destination = destination[..(int)Math.Min(destination.Length, Math.Max(0, inode.Size - offset))];
        if (inode.IsInline)
        {
            InlineContent.Read(_source, inode, offset, destination.Span);
        }
        else if (inode.IsFastLink)
        {
            inode.Map.Slice((int)Math.Min(offset, inode.Size), destination.Length).CopyTo(destination);
        }
        else
        {
            await _map.ReadAsync(inode, offset, destination, cancellationToken).ConfigureAwait(false);
        }

        return destination.Length;
    }

    private async IAsyncEnumerable<FolderEntry> EntriesAsync(VolumeItem folder, FolderDamage damage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Inode inode = await _inodes.ReadAsync(folder.Id, cancellationToken).ConfigureAwait(false);
        if (inode.Kind != EntryKind.Directory)
        {
            throw new ArgumentException("It is no folder.", nameof(folder));
        }

        if (inode.IsEncrypted)
        {
            throw _source.Unsupported($"the folder with inode {inode.Number} is encrypted");
        }

        await foreach ((ReadOnlyMemory<byte> block, bool isWhole) in BlocksAsync(inode, damage, cancellationToken).ConfigureAwait(false))
        {
            foreach (FolderEntry entry in _folders.Read(inode, block, isWhole, damage))
            {
                yield return entry;
                if (damage.IsTooMuch)
                {
                    yield break;
                }
            }
        }
    }

    private async IAsyncEnumerable<(ReadOnlyMemory<byte> Block, bool IsWhole)> BlocksAsync(
        Inode inode, FolderDamage damage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (inode.IsInline)
        {
            yield return (InlineContent.First(inode)[4..], false);
            yield return (InlineContent.Rest(_source, inode), false);
            yield break;
        }

        // No block is in a folder twice, so that a folder ends where the disk does.
        var seen = new HashSet<long>();
        long count = (inode.Size + _superblock.BlockSize - 1) / _superblock.BlockSize;
        for (long at = 0; at < count && !damage.IsTooMuch;)
        {
            BlockRun run;
            try
            {
                run = await _map.FindAsync(inode, at, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
            {
                damage.Add(e);
                at++;
                continue;
            }

            if (run.IsHole)
            {
                damage.Add(_source.Corrupt($"the folder with inode {inode.Number} has a hole"));
            }

            for (long i = 0; !run.IsHole && i < run.Count && at + i < count && !damage.IsTooMuch; i++)
            {
                if (!seen.Add(run.Start + i))
                {
                    damage.Add(_source.Corrupt($"the folder with inode {inode.Number} has a block twice"));
                    continue;
                }

                // One block outside does no harm to those that are inside.
                byte[] block;
                try
                {
                    block = await _source.ReadAsync((run.Start + i) * _superblock.BlockSize, _superblock.BlockSize, cancellationToken).ConfigureAwait(false);
                }
                catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
                {
                    damage.Add(e);
                    continue;
                }

                yield return (block, true);
            }

            at += run.Count;
        }
    }
}
