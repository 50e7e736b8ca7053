using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>An NTFS volume. Its own files ($MFT and the like), short names and named streams are not shown.</summary>
/// <remarks>The id of an item is its reference: the record's number, and in the upper 16 bits how often that was taken.</remarks>
internal sealed class NtfsVolume : IFileVolume
{
    private const long LogRecord = 2;
    private const long VolumeRecord = 3;
    private const long RootRecord = 5;
    private const long UpperCaseRecord = 10;
    private const long FirstRecord = 16;
    private const uint ReparseFlag = 0x400;
    private const int DirtyFlag = 1;
    private const int KeptOpen = 16;

    private readonly NtfsClusters _clusters;
    private readonly NtfsFileTable _table;
    private readonly RecentlyOpened<NtfsStream> _open = new(KeptOpen);
    private NtfsUpperCase? _upperCase;

    private NtfsVolume(NtfsClusters clusters, NtfsFileTable table)
    {
        _clusters = clusters;
        _table = table;
        Id = clusters.Boot.Serial.ToString("X16", null);
    }

    /// <inheritdoc/>
    public string Kind => "ntfs";

    /// <inheritdoc/>
    public string? Label { get; private set; }

    /// <inheritdoc/>
    public string? Id { get; }

    /// <inheritdoc/>
    public string? Note { get; private set; }

    /// <inheritdoc/>
    public bool WasInUse { get; private set; }

    /// <inheritdoc/>
    public VolumeItem Root { get; private set; } = null!;

    /// <summary>Looks for one.</summary>
    public static async ValueTask<PartContent?> ProbeAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[NtfsBootSector.Length];
        if (content.Length < bytes.Length)
        {
            return null;
        }

        await content.ReadAsync(0, bytes, cancellationToken).ConfigureAwait(false);
        return NtfsBootSector.IsOne(bytes)
            ? await PartContent.OpenAsync("ntfs", PlacedVolume.OpenAsync(OpenAsync(content, bytes, cancellationToken), place)).ConfigureAwait(false)
            : null;
    }

    private static async Task<NtfsVolume> OpenAsync(IDiskContent content, byte[] bootSector, CancellationToken cancellationToken)
    {
        var clusters = new NtfsClusters(content, NtfsBootSector.Decode(bootSector));
        var volume = new NtfsVolume(clusters, await NtfsFileTable.OpenAsync(clusters, cancellationToken).ConfigureAwait(false));
        await volume.ReadDescriptionAsync(cancellationToken).ConfigureAwait(false);
        NtfsFile root = await volume.OpenFileAsync(RootRecord, cancellationToken).ConfigureAwait(false);
        volume.Root = await DescribeAsync(root, "", cancellationToken).ConfigureAwait(false);
        return volume.Root.Kind == EntryKind.Directory ? volume : throw NtfsFault.Corrupt("its root is no folder");
    }

    /// <inheritdoc/>
    public async ValueTask<VolumeItem?> FindAsync(VolumeItem folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        NtfsIndex index = await OpenIndexAsync(folder, cancellationToken).ConfigureAwait(false);
        if (WtfName.FromBytes(name.Span) is not { Length: > 0 and <= 255 } text)
        {
            return null;
        }

        NtfsUpperCase upperCase = await ReadUpperCaseAsync(cancellationToken).ConfigureAwait(false);
        NtfsIndexEntry? entry = await index.FindAsync(text, upperCase, cancellationToken).ConfigureAwait(false);
        return entry is null || !IsShown(entry) ? null
            : await DescribeAsync(entry, folder, cancellationToken).ConfigureAwait(false) ?? throw NtfsFault.Corrupt($"the folder {NumberOf(entry.Reference)} is in two folders");
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<VolumeItem> ListAsync(VolumeItem folder, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        NtfsIndex index = await OpenIndexAsync(folder, cancellationToken).ConfigureAwait(false);
        bool isDamaged = false;
        await foreach (NtfsIndexEntry entry in index.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!IsShown(entry))
            {
                continue;
            }

            if (entry.Key!.Name is "" or "." or ".." || entry.Key.Name.AsSpan().ContainsAny('/', '\0'))
            {
                isDamaged = true;
            }
            else if (await DescribeAsync(entry, folder, cancellationToken).ConfigureAwait(false) is VolumeItem item)
            {
                yield return item;
            }
            else
            {
                isDamaged = true;
            }
        }

        if (isDamaged)
        {
            throw NtfsFault.Corrupt($"the folder {NumberOf(folder.Id)} has names that no file can have, or folders that are in another folder");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(VolumeItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        NtfsStream content = await _open.GetAsync(item.Id, () => OpenContentAsync(item, cancellationToken)).ConfigureAwait(false);
        return await content.ReadAsync(offset, destination, cancellationToken).ConfigureAwait(false);
    }

    private static long NumberOf(ulong reference) => (long)(reference & NtfsRecord.NumberMask);

    private static bool IsShown(NtfsIndexEntry entry) => !entry.Key!.IsShort && NumberOf(entry.Reference) >= FirstRecord;

    private ValueTask<NtfsFile> OpenFileAsync(ulong reference, CancellationToken cancellationToken) =>
        NtfsFile.OpenAsync(_clusters, _table, reference, cancellationToken);

    private async ValueTask<NtfsIndex> OpenIndexAsync(VolumeItem folder, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(folder.Kind, EntryKind.Directory);
        NtfsFile file = await OpenFileAsync(folder.Id, cancellationToken).ConfigureAwait(false);
        return await NtfsIndex.OpenAsync(file, _clusters.Boot.ClusterSize, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<NtfsStream> OpenContentAsync(VolumeItem item, CancellationToken cancellationToken)
    {
        NtfsFile file = await OpenFileAsync(item.Id, cancellationToken).ConfigureAwait(false);
        byte[]? reparse = await ReadReparseAsync(file, cancellationToken).ConfigureAwait(false);
        return item.Kind switch
        {
            EntryKind.SymbolicLink when reparse is not null => new NtfsStream(NtfsReparse.TargetOf(reparse)),
            EntryKind.File when reparse is not null => throw NtfsFault.Unsupported(NtfsReparse.Describe(reparse)),
            EntryKind.File when !file.Record.IsFolder =>
                await file.OpenAsync(NtfsAttributeType.Data, "", cancellationToken).ConfigureAwait(false) ?? new NtfsStream(ReadOnlyMemory<byte>.Empty),
            EntryKind.File or EntryKind.SymbolicLink => throw NtfsFault.Corrupt($"record {file.Record.Number} is not what its folder says"),
            _ => throw new ArgumentOutOfRangeException(nameof(item), item.Kind, null),
        };
    }

    // What its folder knows of it stands for one whose record is damaged. Null: a folder that is in another folder.
    private async ValueTask<VolumeItem?> DescribeAsync(NtfsIndexEntry entry, VolumeItem folder, CancellationToken cancellationToken)
    {
        NtfsFileName key = entry.Key!;
        try
        {
            NtfsFile file = await OpenFileAsync(entry.Reference, cancellationToken).ConfigureAwait(false);
            VolumeItem item = await DescribeAsync(file, key.Name, cancellationToken).ConfigureAwait(false);
            return item.Kind != EntryKind.Directory || await file.IsInAsync(folder.Id, cancellationToken).ConfigureAwait(false) ? item : null;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
        {
            return new VolumeItem(
                entry.Reference, WtfName.ToBytes(key.Name), key.IsFolder ? EntryKind.Directory : EntryKind.File, key.IsFolder ? 0 : key.Length, key.Modified);
        }
    }

    private static async ValueTask<VolumeItem> DescribeAsync(NtfsFile file, string name, CancellationToken cancellationToken)
    {
        NtfsRecord record = file.Record;
        byte[]? reparse = await ReadReparseAsync(file, cancellationToken).ConfigureAwait(false);
        EntryKind kind = (reparse is null ? null : NtfsReparse.KindOf(reparse)) ?? (record.IsFolder ? EntryKind.Directory : EntryKind.File);
        long length = kind switch
        {
            EntryKind.File => (await file.FindAsync(NtfsAttributeType.Data, "", cancellationToken).ConfigureAwait(false))?.Length ?? 0,
            EntryKind.SymbolicLink => NtfsReparse.TargetOf(reparse).Length,
            _ => 0,
        };
        int shortNames = record.Attributes.Count(attribute =>
            attribute is { Type: NtfsAttributeType.FileName, Value: ReadOnlyMemory<byte> value } && NtfsFileName.Decode(value.Span).IsShort);
        ReadOnlyMemory<byte> standard = Standard(record);
        return new VolumeItem(record.Reference, WtfName.ToBytes(name), kind, length, standard.Length < 16 ? default : NtfsFileName.Time(standard.Span[8..]))
        {
            LinkCount = (uint)Math.Max(1, record.Names - shortNames),
        };
    }

    private static ReadOnlyMemory<byte> Standard(NtfsRecord record) => record.Find(NtfsAttributeType.StandardInformation)?.Value ?? default;

    private static async ValueTask<byte[]?> ReadReparseAsync(NtfsFile file, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> standard = Standard(file.Record);
        if (standard.Length < 36 || (BinaryPrimitives.ReadUInt32LittleEndian(standard.Span[32..]) & ReparseFlag) == 0)
        {
            return null;
        }

        NtfsStream stream = await file.OpenAsync(NtfsAttributeType.ReparsePoint, "", cancellationToken).ConfigureAwait(false)
            ?? throw NtfsFault.Corrupt($"record {file.Record.Number} has no reparse point");
        return await stream.ReadAllAsync(NtfsReparse.MaxLength, "a reparse point", cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<NtfsUpperCase> ReadUpperCaseAsync(CancellationToken cancellationToken)
    {
        if (_upperCase is null)
        {
            NtfsFile file = await OpenFileAsync(UpperCaseRecord, cancellationToken).ConfigureAwait(false);
            NtfsStream? stream = await file.OpenAsync(NtfsAttributeType.Data, "", cancellationToken).ConfigureAwait(false);
            _upperCase = stream?.Length == NtfsUpperCase.Size
                ? new NtfsUpperCase(await stream.ReadAllAsync(NtfsUpperCase.Size, "$UpCase", cancellationToken).ConfigureAwait(false))
                : throw NtfsFault.Corrupt("$UpCase is no table of capitals");
        }

        return _upperCase;
    }

    // A volume whose description is damaged is read all the same.
    private async ValueTask ReadDescriptionAsync(CancellationToken cancellationToken)
    {
        try
        {
            NtfsFile volume = await OpenFileAsync(VolumeRecord, cancellationToken).ConfigureAwait(false);
            ReadOnlyMemory<byte> information = volume.Record.Find(NtfsAttributeType.VolumeInformation)?.Value ?? default;
            if (information.Length < 12)
            {
                throw NtfsFault.Corrupt("$Volume does not tell its version");
            }

            if (information.Span[8] != 3)
            {
                throw NtfsFault.Unsupported($"it is of version {information.Span[8]}.{information.Span[9]}");
            }

            ReadOnlyMemory<byte> label = volume.Record.Find(NtfsAttributeType.VolumeName)?.Value ?? default;
            Label = label.IsEmpty ? null : new string(MemoryMarshal.Cast<byte, char>(label.Span));
            bool isDirty = (BinaryPrimitives.ReadUInt16LittleEndian(information.Span[10..]) & DirtyFlag) != 0;
            if (isDirty || !await HasCleanLogAsync(cancellationToken).ConfigureAwait(false))
            {
                Note = "The volume was in use when its bytes were taken: its log may have changes that are not in their places, and files may be missing, incomplete or old.";
                WasInUse = true;
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
        {
            Note = $"What the volume says of itself is damaged. {e.Message}";
        }
    }

    private async ValueTask<bool> HasCleanLogAsync(CancellationToken cancellationToken)
    {
        NtfsFile file = await OpenFileAsync(LogRecord, cancellationToken).ConfigureAwait(false);
        NtfsStream? stream = await file.OpenAsync(NtfsAttributeType.Data, "", cancellationToken).ConfigureAwait(false);
        byte[] bytes = new byte[Math.Min(NtfsLog.Length, stream?.Length ?? 0)];
        int count = stream is null ? 0 : await stream.ReadAsync(0, bytes, cancellationToken).ConfigureAwait(false);
        return NtfsLog.IsClean(bytes.AsSpan(0, count));
    }
}
