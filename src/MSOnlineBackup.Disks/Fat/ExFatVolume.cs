using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>
/// An exFAT file system. Names are found in upper or lower case, by the file system's own table. Times whose zone is not known are taken as UTC. An item's
/// number is the place of the entry that says where its content is, in units of 32 bytes.
/// </summary>
internal sealed class ExFatVolume : IFileVolume
{
    private const int EntryLength = 32;
    private const int Piece = 4096;
    private const long LongestFolder = 256L << 20;
    private const byte InUse = 0x80;
    private const byte LabelEntry = 0x83;
    private const byte LettersEntry = 0x82;

    private readonly VolumeSource _source;
    private readonly ExFatBootSector _boot;
    private readonly ClusterContent _clusters;
    private UpCaseTable _letters = UpCaseTable.OfUnicode;

    private ExFatVolume(VolumeSource source, ExFatBootSector boot)
    {
        _source = source;
        _boot = boot;
        _clusters = new ClusterContent(source, boot.Layout);
    }

    /// <inheritdoc/>
    public string Kind => "exfat";

    /// <inheritdoc/>
    public string? Label { get; private set; }

    /// <inheritdoc/>
    public string? Id => _boot.Id;

    /// <inheritdoc/>
    public VolumeItem Root { get; } = new(0, default, EntryKind.Directory, 0, FatTime.Read(0, 0));

    /// <summary>Looks for one.</summary>
    public static async ValueTask<PartContent?> ProbeAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        if (content.Length < ExFatBootSector.Size)
        {
            return null;
        }

        var sector = new byte[ExFatBootSector.Size];
        await content.ReadAsync(0, sector, cancellationToken).ConfigureAwait(false);
        return ExFatBootSector.Is(sector)
            ? await PartContent.OpenAsync("exfat", OpenAsync(new VolumeSource(content, "exFAT file system", place), cancellationToken)).ConfigureAwait(false)
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
            if (_letters.AreSame(wanted, entry.Name))
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
        ExFatStream stream = await StreamOfAsync(item, EntryKind.File, cancellationToken).ConfigureAwait(false);
        destination = destination[..(int)Math.Min(destination.Length, Math.Max(0, stream.Length - offset))];

        // What was reserved and never written is zeroes, whatever the clusters have.
        int written = (int)Math.Clamp(stream.Written - offset, 0, destination.Length);
        if (written > 0)
        {
            await _clusters.ReadAsync(stream.First, stream.IsRun, offset, destination[..written], cancellationToken).ConfigureAwait(false);
        }

        destination.Span[written..].Clear();
        return destination.Length;
    }

    private static async Task<ExFatVolume> OpenAsync(VolumeSource source, CancellationToken cancellationToken)
    {
        var volume = new ExFatVolume(source, await ExFatBootSector.ReadAsync(source, cancellationToken).ConfigureAwait(false));
        await volume.ReadOwnEntriesAsync(cancellationToken).ConfigureAwait(false);
        return volume;
    }

    // The label and the table of letters are entries of the root; tools put them at its beginning, and none after it is looked for.
    private async Task ReadOwnEntriesAsync(CancellationToken cancellationToken)
    {
        await foreach ((_, ReadOnlyMemory<byte> bytes) in PiecesAsync(Root, new FolderDamage(), cancellationToken).ConfigureAwait(false))
        {
            for (int at = 0; at < bytes.Length; at += EntryLength)
            {
                ReadOnlyMemory<byte> entry = bytes.Slice(at, EntryLength);
                if (entry.Span[0] == LabelEntry && entry.Span[1] is > 0 and <= 11)
                {
                    Label = Encoding.Unicode.GetString(entry.Span.Slice(2, 2 * entry.Span[1]));
                }
                else if (entry.Span[0] == LettersEntry)
                {
                    _letters = await LettersAsync(entry, cancellationToken).ConfigureAwait(false) ?? _letters;
                }
                else if (entry.Span[0] == 0)
                {
                    return;
                }
            }

            return;
        }
    }

    private async Task<UpCaseTable?> LettersAsync(ReadOnlyMemory<byte> entry, CancellationToken cancellationToken)
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(entry.Span[24..]);
        if (length is 0 or > UpCaseTable.Longest)
        {
            return null;
        }

        var bytes = new byte[(int)length];
        try
        {
            await _clusters.ReadAsync(BinaryPrimitives.ReadUInt32LittleEndian(entry.Span[20..]), false, 0, bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
        {
            // Files are read without it.
            return null;
        }

        return UpCaseTable.Decode(bytes, BinaryPrimitives.ReadUInt32LittleEndian(entry.Span[4..]));
    }

    private async IAsyncEnumerable<FatEntry> EntriesAsync(VolumeItem folder, FolderDamage damage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var set = new ExFatEntrySet(_source, _boot.Layout.ClusterSize);
        await foreach ((long place, ReadOnlyMemory<byte> bytes) in PiecesAsync(folder, damage, cancellationToken).ConfigureAwait(false))
        {
            for (int at = 0; at < bytes.Length; at += EntryLength)
            {
                ReadOnlySpan<byte> entry = bytes.Span.Slice(at, EntryLength);
                if ((entry[0] & InUse) == 0)
                {
                    set.Break(damage);
                    if (entry[0] == 0)
                    {
                        yield break;
                    }
                }
                else if (set.Take(entry, (ulong)(place + at) / EntryLength, damage) is FatEntry found)
                {
                    yield return found;
                }

                if (damage.IsTooMuch)
                {
                    yield break;
                }
            }
        }

        set.Break(damage);
    }

    // The bytes of a folder, 4 KiB or a cluster at a time, with their place on the disk.
    private async IAsyncEnumerable<(long Place, ReadOnlyMemory<byte> Bytes)> PiecesAsync(
        VolumeItem folder, FolderDamage damage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ExFatStream stream = folder.Id == Root.Id
            ? new ExFatStream(_boot.RootCluster, false, LongestFolder, LongestFolder)
            : await StreamOfAsync(folder, EntryKind.Directory, cancellationToken).ConfigureAwait(false);
        if (!_boot.Layout.HasCluster(stream.First))
        {
            damage.Add(_source.Corrupt($"a folder begins at cluster {stream.First}, which is none"));
            yield break;
        }

        long there = stream.IsRun ? _boot.Layout.ClusterCount - (stream.First - 2L) : await _clusters.CountAsync(stream.First, cancellationToken).ConfigureAwait(false);
        if (folder.Id != Root.Id && (stream.Length > LongestFolder || _boot.Layout.ClustersFor(stream.Length) > there))
        {
            damage.Add(_source.Corrupt($"a folder that begins at cluster {stream.First} is longer than it can be"));
        }

        long length = Math.Min(Math.Min(stream.Length, LongestFolder), there * _boot.Layout.ClusterSize);
        int step = Math.Min(Piece, _boot.Layout.ClusterSize);
        for (long at = 0; at < length; at += step)
        {
            long place = await _clusters.PlaceAsync(stream.First, stream.IsRun, at, cancellationToken).ConfigureAwait(false);
            byte[] bytes = await _source.ReadAsync(place, step, cancellationToken).ConfigureAwait(false);
            yield return (place, bytes);
        }
    }

    private async ValueTask<ExFatStream> StreamOfAsync(VolumeItem item, EntryKind kind, CancellationToken cancellationToken)
    {
        if (item.Kind != kind || item.Id == Root.Id)
        {
            throw new ArgumentException(kind == EntryKind.File ? "It is no file." : "It is no folder.", nameof(item));
        }

        byte[] entry = await _source.ReadAsync(checked((long)item.Id * EntryLength), EntryLength, cancellationToken).ConfigureAwait(false);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(entry.AsSpan(24));
        ulong written = BinaryPrimitives.ReadUInt64LittleEndian(entry.AsSpan(8));
        return length <= long.MaxValue && written <= length
            ? new ExFatStream(BinaryPrimitives.ReadUInt32LittleEndian(entry.AsSpan(20)), (entry[1] & 2) != 0, (long)length, (long)written)
            : throw _source.Corrupt("a file has more that was written than it has bytes");
    }
}
