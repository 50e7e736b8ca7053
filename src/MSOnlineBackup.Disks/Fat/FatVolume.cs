using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>
/// A FAT12, FAT16 or FAT32 file system. Names are the long ones, and where there is none the short one in code page 437; both are found, in upper or lower
/// case. Times have no zone there, and are taken as UTC. An item's number is the place of its entry, in units of 32 bytes.
/// </summary>
internal sealed class FatVolume : IFileVolume
{
    private const int EntryLength = 32;

    // FAT itself allows no more entries in a folder.
    private const int LongestFolder = 65_536 * EntryLength;

    private readonly VolumeSource _source;
    private readonly FatBootSector _boot;
    private readonly ClusterContent _clusters;

    private FatVolume(VolumeSource source, FatBootSector boot)
    {
        _source = source;
        _boot = boot;
        _clusters = new ClusterContent(source, boot.Layout);
    }

    /// <inheritdoc/>
    public string Kind => "vfat";

    /// <inheritdoc/>
    public string? Label { get; private set; }

    /// <inheritdoc/>
    public string? Id => _boot.Id;

    /// <inheritdoc/>
    public VolumeItem Root { get; } = new(0, default, EntryKind.Directory, 0, FatTime.Read(0, 0));

    /// <summary>Looks for one.</summary>
    public static async ValueTask<PartContent?> ProbeAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        if (content.Length < FatBootSector.Size)
        {
            return null;
        }

        var sector = new byte[FatBootSector.Size];
        await content.ReadAsync(0, sector, cancellationToken).ConfigureAwait(false);
        return FatBootSector.Is(sector)
            ? await PartContent.OpenAsync("vfat", OpenAsync(new VolumeSource(content, "FAT file system", place), sector, cancellationToken)).ConfigureAwait(false)
            : null;
    }

    /// <inheritdoc/>
    public async ValueTask<VolumeItem?> FindAsync(VolumeItem folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (WtfName.FromBytes(name.Span) is not string wanted)
        {
            return null;
        }

        var damage = new FolderDamage();
        await foreach (FatEntry entry in EntriesAsync(folder, damage, cancellationToken).ConfigureAwait(false))
        {
            if (wanted.Equals(entry.Name, StringComparison.OrdinalIgnoreCase) || wanted.Equals(entry.ShortName, StringComparison.OrdinalIgnoreCase))
            {
                return entry.ToItem();
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
        await foreach (FatEntry entry in EntriesAsync(folder, damage, cancellationToken).ConfigureAwait(false))
        {
            yield return entry.ToItem();
        }

        damage.Throw();
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(VolumeItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(item);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        byte[] entry = await EntryOfAsync(item, EntryKind.File, cancellationToken).ConfigureAwait(false);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(entry.AsSpan(28));
        destination = destination[..(int)Math.Min(destination.Length, Math.Max(0, length - offset))];
        if (!destination.IsEmpty)
        {
            await _clusters.ReadAsync(FirstCluster(entry), false, offset, destination, cancellationToken).ConfigureAwait(false);
        }

        return destination.Length;
    }

    private static async Task<FatVolume> OpenAsync(VolumeSource source, byte[] sector, CancellationToken cancellationToken)
    {
        var volume = new FatVolume(source, FatBootSector.Parse(source, sector));

        // The label is an entry of the root; the boot sector has what it was at first.
        await foreach (FatEntry entry in volume.EntriesAsync(volume.Root, new FolderDamage(), cancellationToken, labelOnly: true).ConfigureAwait(false))
        {
            volume.Label = entry.Name;
            return volume;
        }

        volume.Label = volume._boot.Label;
        return volume;
    }

    private async IAsyncEnumerable<FatEntry> EntriesAsync(
        VolumeItem folder, FolderDamage damage, [EnumeratorCancellation] CancellationToken cancellationToken, bool labelOnly = false)
    {
        var reader = new FatEntryReader(_source);
        await foreach ((long place, ReadOnlyMemory<byte> bytes) in PiecesAsync(folder, damage, cancellationToken).ConfigureAwait(false))
        {
            for (int at = 0; at < bytes.Length; at += EntryLength)
            {
                ReadOnlySpan<byte> entry = bytes.Span.Slice(at, EntryLength);
                if (entry[0] == 0)
                {
                    yield break;
                }

                if (labelOnly)
                {
                    if (FatEntryReader.LabelOf(entry) is string label)
                    {
                        yield return new FatEntry(0, label, label, EntryKind.File, 0, default);
                        yield break;
                    }
                }
                else if (reader.Read(entry, (ulong)(place + at) / EntryLength, damage) is FatEntry found)
                {
                    yield return found;
                }

                if (damage.IsTooMuch)
                {
                    yield break;
                }
            }
        }
    }

    // The bytes of a folder, a cluster or 4 KiB at a time, with their place on the disk.
    private async IAsyncEnumerable<(long Place, ReadOnlyMemory<byte> Bytes)> PiecesAsync(
        VolumeItem folder, FolderDamage damage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int Piece = 4096;
        uint first = folder.Id == Root.Id ? _boot.RootCluster : FirstCluster(await EntryOfAsync(folder, EntryKind.Directory, cancellationToken).ConfigureAwait(false));

        // The root of FAT12 and FAT16 lies before the clusters.
        bool isFixed = folder.Id == Root.Id && first == 0;
        long length = _boot.RootLength;
        if (!isFixed)
        {
            if (!_boot.Layout.HasCluster(first))
            {
                damage.Add(_source.Corrupt($"a folder begins at cluster {first}, which is none"));
                yield break;
            }

            length = await _clusters.CountAsync(first, cancellationToken).ConfigureAwait(false) * _boot.Layout.ClusterSize;
        }

        int step = isFixed ? Piece : Math.Min(Piece, _boot.Layout.ClusterSize);
        for (long at = 0; at < Math.Min(length, LongestFolder); at += step)
        {
            long place = isFixed ? _boot.RootOffset + at : await _clusters.PlaceAsync(first, false, at, cancellationToken).ConfigureAwait(false);
            byte[] bytes = new byte[Math.Min(step, length - at)];
            await _source.ReadAsync(place, bytes, cancellationToken).ConfigureAwait(false);
            yield return (place, bytes);
        }

        if (length > LongestFolder)
        {
            damage.Add(_source.Corrupt($"a folder has more than 65,536 entries"));
        }
    }

    private async ValueTask<byte[]> EntryOfAsync(VolumeItem item, EntryKind kind, CancellationToken cancellationToken)
    {
        if (item.Kind != kind || item.Id == Root.Id)
        {
            throw new ArgumentException(kind == EntryKind.File ? "It is no file." : "It is no folder.", nameof(item));
        }

        return await _source.ReadAsync(checked((long)item.Id * EntryLength), EntryLength, cancellationToken).ConfigureAwait(false);
    }

    // FAT12 and FAT16 have other things where FAT32 has the upper half.
    private uint FirstCluster(ReadOnlySpan<byte> entry) =>
        BinaryPrimitives.ReadUInt16LittleEndian(entry[26..]) | (_boot.Layout.EntryBits == 32 ? (uint)BinaryPrimitives.ReadUInt16LittleEndian(entry[20..]) << 16 : 0);
}
