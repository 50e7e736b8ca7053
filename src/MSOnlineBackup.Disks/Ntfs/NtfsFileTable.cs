using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>$MFT: the records of all files. Thread-safe.</summary>
internal sealed class NtfsFileTable
{
    // In memory as long as the volume is open, 24 bytes each.
    private const int MostRuns = 1_000_000;

    private readonly NtfsStream _stream;
    private readonly NtfsClusters _clusters;

    private NtfsFileTable(NtfsClusters clusters, NtfsStream stream)
    {
        _clusters = clusters;
        _stream = stream;
    }

    /// <summary>Finds all of it.</summary>
    public static async ValueTask<NtfsFileTable> OpenAsync(NtfsClusters clusters, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[clusters.Boot.RecordSize];
        await clusters.ReadAsync(clusters.Boot.FileTable, 0, bytes, cancellationToken).ConfigureAwait(false);
        NtfsRecord own = NtfsRecord.Decode(bytes, 0);
        NtfsAttribute first = own.Find(NtfsAttributeType.Data) is { Value: null, Lowest: 0, Compression: 0, IsEncrypted: false } data
            ? data
            : throw NtfsFault.Corrupt("the file table has no runs");
        var parts = new Parts(clusters.Boot.Clusters);
        parts.Add(first);
        var table = new NtfsFileTable(clusters, new NtfsStream(clusters, first, parts.Map));
        if (own.Find(NtfsAttributeType.AttributeList) is NtfsAttribute list)
        {
            await table.CompleteAsync(parts, await table.ReadListAsync(list, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }

        return table;
    }

    /// <summary>The record with a reference.</summary>
    /// <exception cref="BackupException">VolumeCorrupt; also where the record was taken again since.</exception>
    public async ValueTask<NtfsRecord> ReadAsync(ulong reference, CancellationToken cancellationToken)
    {
        NtfsRecord record = await ReadAsync((long)(reference & NtfsRecord.NumberMask), cancellationToken).ConfigureAwait(false);
        return record.Reference == reference || reference >> 48 == 0
            ? record
            : throw NtfsFault.Corrupt($"record {record.Number} is another file's by now");
    }

    /// <summary>The record with a number.</summary>
    /// <exception cref="BackupException">VolumeCorrupt.</exception>
    public async ValueTask<NtfsRecord> ReadAsync(long number, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[_clusters.Boot.RecordSize];
        if (number >= _stream.Length / bytes.Length)
        {
            throw NtfsFault.Corrupt($"there is no record {number}");
        }

        await _stream.ReadAsync(number * bytes.Length, bytes, cancellationToken).ConfigureAwait(false);
        return NtfsRecord.Decode(bytes, number);
    }

    /// <summary>Reads a file's attribute list.</summary>
    /// <param name="list">Where it is.</param>
    public async ValueTask<List<NtfsAttributePlace>> ReadListAsync(NtfsAttribute list, CancellationToken cancellationToken)
    {
        NtfsStream stream = list.Value is ReadOnlyMemory<byte> value
            ? new NtfsStream(value)
            : new NtfsStream(_clusters, list, new NtfsMap([0], (_, _) => ValueTask.FromResult(list.Runs(_clusters.Boot.Clusters))));
        return NtfsAttributePlace.Decode(await stream.ReadAllAsync(NtfsAttributePlace.LongestList, "an attribute list", cancellationToken).ConfigureAwait(false));
    }

    // The records that tell where the rest of the table is stand in what is known of it before them.
    private async ValueTask CompleteAsync(Parts parts, List<NtfsAttributePlace> places, CancellationToken cancellationToken)
    {
        foreach (NtfsAttributePlace place in NtfsAttributePlace.PartsOf(places, NtfsAttributeType.Data, "").Skip(1))
        {
            NtfsRecord record = await ReadAsync(place.Reference, cancellationToken).ConfigureAwait(false);
            parts.Add((record.Base & NtfsRecord.NumberMask) == 0 ? NtfsFile.PartIn(record, place) : throw NtfsFault.Corrupt($"record {record.Number} is no part of the file table"));
        }
    }

    // Complete before anybody else reads.
    private sealed class Parts(long clusters)
    {
        private readonly List<long> _lowest = [];
        private readonly List<NtfsRun[]> _runs = [];
        private int _count;

        public NtfsMap Map => new(_lowest, (part, _) => ValueTask.FromResult(_runs[part]));

        public void Add(NtfsAttribute part)
        {
            NtfsRun[] runs = part.Runs(clusters);
            if (runs.Length == 0 || Array.Exists(runs, run => run.IsHole) || part.Lowest != (_runs.Count == 0 ? 0 : _runs[^1][^1].End))
            {
                throw NtfsFault.Corrupt("the file table has holes");
            }

            _count += runs.Length;
            _lowest.Add(_count <= MostRuns ? part.Lowest : throw NtfsFault.Unsupported($"its file table is in more than {MostRuns} pieces"));
            _runs.Add(runs);
        }
    }
}
