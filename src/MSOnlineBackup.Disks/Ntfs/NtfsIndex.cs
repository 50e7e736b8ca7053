using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>A folder's index: a tree of names in the order of the volume.</summary>
internal sealed class NtfsIndex
{
    private const string Name = "$I30";
    private const int LongestRoot = 64 << 10;
    private const int DeepestTree = 32;
    private const int SmallestUnit = 512;
    private const int BlockHeader = 24;

    // A folder with so many blocks has a thousand million names.
    private const int MostBlocks = 16 << 20;

    private readonly List<NtfsIndexEntry> _root;
    private readonly NtfsStream? _blocks;
    private readonly int _blockSize;
    private readonly int _unit;
    private readonly long _folder;

    private NtfsIndex(long folder, List<NtfsIndexEntry> root, NtfsStream? blocks, int blockSize, int unit) =>
        (_folder, _root, _blocks, _blockSize, _unit) = (folder, root, blocks, blockSize, unit);

    /// <summary>Opens it.</summary>
    /// <exception cref="BackupException">VolumeCorrupt.</exception>
    public static async ValueTask<NtfsIndex> OpenAsync(NtfsFile folder, int clusterSize, CancellationToken cancellationToken)
    {
        long number = folder.Record.Number;
        NtfsStream stream = await folder.OpenAsync(NtfsAttributeType.IndexRoot, Name, cancellationToken).ConfigureAwait(false)
            ?? throw NtfsFault.Corrupt($"the folder {number} has no index");
        byte[] root = await stream.ReadAllAsync(LongestRoot, $"the index of folder {number}", cancellationToken).ConfigureAwait(false);
        uint blockSize = root.Length < 32 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(root.AsSpan(8));
        if (blockSize is < 512 or > 65536 || !BitOperations.IsPow2(blockSize))
        {
            throw NtfsFault.Corrupt($"the blocks of the index of folder {number} have {blockSize} bytes");
        }

        // Blocks are counted in clusters, or where those are larger in units of 512 bytes.
        return new NtfsIndex(
            number,
            NtfsIndexEntry.Decode(root.AsSpan(16), $"the index of folder {number}"),
            await folder.OpenAsync(NtfsAttributeType.IndexAllocation, Name, cancellationToken).ConfigureAwait(false),
            (int)blockSize,
            clusterSize <= blockSize ? clusterSize : SmallestUnit);
    }

    /// <summary>All entries in their order. What is behind a damaged block is left out, and the damage told once all else was given.</summary>
    public async IAsyncEnumerable<NtfsIndexEntry> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<long>();
        var damage = new FolderDamage();
        var open = new Stack<Position>();
        open.Push(new Position(_root));
        while (open.TryPeek(out Position? position) && !damage.IsTooMuch)
        {
            NtfsIndexEntry entry = position.Entries[position.Next];
            if (entry.Child is long child && !position.IsBelow)
            {
                position.IsBelow = true;
                try
                {
                    open.Push(new Position(await DescendAsync(child, open.Count, seen, cancellationToken).ConfigureAwait(false)));
                }
                catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
                {
                    damage.Add(e);
                }

                continue;
            }

            position.IsBelow = false;
            position.Next++;
            if (entry.Key is null)
            {
                open.Pop();
            }
            else
            {
                yield return entry;
            }
        }

        damage.Throw();
    }

    /// <summary>The entry with a name: the very name where there is one, else one that differs by case alone; null where there is none.</summary>
    public async ValueTask<NtfsIndexEntry?> FindAsync(string name, NtfsUpperCase upperCase, CancellationToken cancellationToken)
    {
        NtfsIndexEntry? similar = null;
        List<NtfsIndexEntry> entries = _root;
        for (int depth = 1; ; depth++)
        {
            // The neighbours of a name's place are on the way to it.
            int at = 0;
            for (; entries[at].Key is NtfsFileName key; at++)
            {
                int order = upperCase.Compare(name, key.Name);
                if (order == 0 && !key.IsShort)
                {
                    return entries[at];
                }

                similar = !key.IsShort && upperCase.AreSimilar(name, key.Name) ? entries[at] : similar;
                if (order <= 0)
                {
                    break;
                }
            }

            if (entries[at].Child is not long child)
            {
                return similar;
            }

            entries = await DescendAsync(child, depth, [], cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<List<NtfsIndexEntry>> DescendAsync(long number, int depth, HashSet<long> seen, CancellationToken cancellationToken)
    {
        string name = $"block {number} of folder {_folder}";
        if (_blocks is null || depth > DeepestTree || number < 0 || number > (_blocks.Length - _blockSize) / _unit)
        {
            throw NtfsFault.Corrupt($"the index has no {name}");
        }

        if (!seen.Add(number) || seen.Count > MostBlocks)
        {
            throw NtfsFault.Corrupt($"{name} is in its index twice");
        }

        byte[] block = new byte[_blockSize];
        await _blocks.ReadAsync(number * _unit, block, cancellationToken).ConfigureAwait(false);
        if (!block.AsSpan(0, 4).SequenceEqual("INDX"u8))
        {
            throw NtfsFault.Corrupt($"{name} is no index");
        }

        NtfsFixups.Apply(block, name);
        return BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan(16)) == number
            ? NtfsIndexEntry.Decode(block.AsSpan(BlockHeader), name)
            : throw NtfsFault.Corrupt($"in the place of {name} is another");
    }

    private sealed class Position(List<NtfsIndexEntry> entries)
    {
        public List<NtfsIndexEntry> Entries => entries;

        public int Next { get; set; }

        public bool IsBelow { get; set; }
    }
}
