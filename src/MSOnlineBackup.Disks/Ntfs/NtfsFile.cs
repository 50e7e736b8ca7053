using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>A file or folder: its own record, and where its other attributes are.</summary>
internal sealed class NtfsFile
{
    private readonly NtfsClusters _clusters;
    private readonly NtfsFileTable _table;
    private readonly List<NtfsAttributePlace>? _places;

    private NtfsFile(NtfsClusters clusters, NtfsFileTable table, NtfsRecord record, List<NtfsAttributePlace>? places)
    {
        _clusters = clusters;
        _table = table;
        Record = record;
        _places = places;
    }

    /// <summary>Its own record.</summary>
    public NtfsRecord Record { get; }

    /// <summary>Opens it.</summary>
    public static async ValueTask<NtfsFile> OpenAsync(NtfsClusters clusters, NtfsFileTable table, ulong reference, CancellationToken cancellationToken)
    {
        NtfsRecord record = await table.ReadAsync(reference, cancellationToken).ConfigureAwait(false);
        if (record.Base != 0)
        {
            throw NtfsFault.Corrupt($"record {record.Number} is a part of another file");
        }

        List<NtfsAttributePlace>? places = record.Find(NtfsAttributeType.AttributeList) is NtfsAttribute list
            ? await table.ReadListAsync(list, cancellationToken).ConfigureAwait(false)
            : null;
        return new NtfsFile(clusters, table, record, places);
    }

    /// <summary>The attribute that a line of a list tells of.</summary>
    public static NtfsAttribute PartIn(NtfsRecord record, NtfsAttributePlace place) =>
        record.Attributes.FirstOrDefault(attribute =>
            attribute.Type == place.Type && attribute.Number == place.Number && attribute.Lowest == place.Lowest && attribute.Name == place.Name)
        ?? throw NtfsFault.Corrupt($"record {record.Number} has not the attribute that a list says");

    /// <summary>The first part of an attribute, which tells its sizes; null where it has none of the kind.</summary>
    public async ValueTask<NtfsAttribute?> FindAsync(NtfsAttributeType type, string name, CancellationToken cancellationToken)
    {
        if (_places is null)
        {
            return Record.Find(type, name) switch
            {
                { Lowest: not 0 } => throw NtfsFault.Corrupt($"record {Record.Number} has a part of an attribute, and no list"),
                NtfsAttribute found => found,
                null => null,
            };
        }

        return NtfsAttributePlace.PartsOf(_places, type, name) is [NtfsAttributePlace first, ..]
            ? await ReadPartAsync(first, cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>Whether a folder is in another: it is in one only, so that no way leads in a circle.</summary>
    /// <param name="parent">The other's reference.</param>
    public async ValueTask<bool> IsInAsync(ulong parent, CancellationToken cancellationToken)
    {
        const int MostNames = 2;
        List<NtfsAttribute> names = _places is null ? [.. Record.Attributes.Where(attribute => attribute.Type == NtfsAttributeType.FileName)] : [];
        foreach (NtfsAttributePlace place in (_places ?? []).Where(place => place.Type == NtfsAttributeType.FileName).Take(MostNames + 1))
        {
            names.Add(await ReadPartAsync(place, cancellationToken).ConfigureAwait(false));
        }

        return names.Count is > 0 and <= MostNames && names.TrueForAll(name => name.Value is ReadOnlyMemory<byte> value && NtfsFileName.Decode(value.Span).Parent == parent);
    }

    /// <summary>The bytes of an attribute; null where it has none of the kind.</summary>
    /// <exception cref="BackupException">VolumeCorrupt, VolumeUnsupported.</exception>
    public async ValueTask<NtfsStream?> OpenAsync(NtfsAttributeType type, string name, CancellationToken cancellationToken)
    {
        NtfsAttribute? first = await FindAsync(type, name, cancellationToken).ConfigureAwait(false);
        if (first?.Value is ReadOnlyMemory<byte> value)
        {
            return first.IsEncrypted ? throw NtfsFault.Unsupported("a file is encrypted (EFS)") : new NtfsStream(value);
        }

        if (first is null || _places is null)
        {
            return first is null ? null : new NtfsStream(_clusters, first, new NtfsMap([0], (_, _) => ValueTask.FromResult(first.Runs(_clusters.Boot.Clusters))));
        }

        List<NtfsAttributePlace> parts = NtfsAttributePlace.PartsOf(_places, type, name);
        return new NtfsStream(_clusters, first, new NtfsMap([.. parts.Select(part => part.Lowest)], LoadAsync));

        async ValueTask<NtfsRun[]> LoadAsync(int part, CancellationToken cancellation) =>
            (await ReadPartAsync(parts[part], cancellation).ConfigureAwait(false)).Runs(_clusters.Boot.Clusters);
    }

    private async ValueTask<NtfsAttribute> ReadPartAsync(NtfsAttributePlace place, CancellationToken cancellationToken)
    {
        if ((place.Reference & NtfsRecord.NumberMask) == (Record.Reference & NtfsRecord.NumberMask))
        {
            return PartIn(Record, place);
        }

        NtfsRecord record = await _table.ReadAsync(place.Reference, cancellationToken).ConfigureAwait(false);
        return record.Base == Record.Reference
            ? PartIn(record, place)
            : throw NtfsFault.Corrupt($"record {record.Number} is no part of the file that names it");
    }
}
