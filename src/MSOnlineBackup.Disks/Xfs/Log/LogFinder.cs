using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>Finds the end of a log, and from where on it is needed, as Linux does.</summary>
internal sealed class LogFinder(LogPlace place, LogRecords records)
{
    private const int UnmountFlag = 0x20;

    // The header of the record before the end lies so near.
    private const int LookBack = 1024;

    // So many records are on their way at once, each of up to 256 KiB and its header: these may be in disorder.
    private const int OnTheirWay = 8;
    private const int Disorder = OnTheirWay * (512 + 8);

    /// <summary>Finds them.</summary>
    /// <returns>Null: the last record is that of an unmount, or nothing was ever written. All is in its place.</returns>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported.</exception>
    public async ValueTask<LogSpan?> FindAsync(CancellationToken cancellationToken)
    {
        uint first = await place.CycleAsync(0, cancellationToken).ConfigureAwait(false);
        if (first == 0)
        {
            return null;
        }

        // The log goes round: sectors before the end have been written once more often than those behind it. It is behind the last one where all are alike.
        (long from, long to) = (1, place.Sectors);
        while (from < to)
        {
            long middle = (from + to) / 2;
            (from, to) = await place.CycleAsync(middle, cancellationToken).ConfigureAwait(false) == first ? (middle + 1, to) : (from, middle);
        }

        if (await IsUnmountedAsync(from, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        // Without the sectors that were never written.
        int count = (int)Math.Min(Disorder, first == 1 ? from : place.Sectors);
        byte[] bytes = new byte[count * LogPlace.Sector];
        await place.ReadAsync(from - count, bytes, cancellationToken).ConfigureAwait(false);
        return await FindInAsync(bytes, from - count, first, cancellationToken).ConfigureAwait(false);
    }

    // The record before the end alone tells.
    private async ValueTask<bool> IsUnmountedAsync(long end, CancellationToken cancellationToken)
    {
        int count = (int)Math.Min(LookBack, end);
        byte[] bytes = new byte[count * LogPlace.Sector];
        await place.ReadAsync(end - count, bytes, cancellationToken).ConfigureAwait(false);
        for (int i = count - 1; i >= 0; i--)
        {
            ReadOnlySpan<byte> header = bytes.AsSpan(i * LogPlace.Sector, LogPlace.Sector);
            if (BinaryPrimitives.ReadUInt32BigEndian(header) == LogPlace.Magic)
            {
                uint size = BinaryPrimitives.ReadUInt32BigEndian(header[320..]);
                long headers = BinaryPrimitives.ReadUInt32BigEndian(header[8..]) == 2 && size > LogHeader.Span ? (size + LogHeader.Span - 1L) / LogHeader.Span : 1;
                return i + headers < count && IsUnmount(header, bytes.AsSpan((i + (int)headers) * LogPlace.Sector));
            }
        }

        return false;
    }

    private static bool IsUnmount(ReadOnlySpan<byte> header, ReadOnlySpan<byte> content) =>
        BinaryPrimitives.ReadUInt32BigEndian(header[40..]) == 1 && content.Length > 9 && (content[9] & UnmountFlag) != 0;

    // What is before the end may have holes, where records that were on their way did not arrive. The end is before the first hole.
    private async ValueTask<LogSpan?> FindInAsync(byte[] bytes, long begin, uint first, CancellationToken cancellationToken)
    {
        uint CycleAt(long at) => at < 0 ? first - 1 : first;
        long end = begin + (bytes.Length / LogPlace.Sector);
        var headers = new List<long>();
        for (long at = begin; at < end; at++)
        {
            ReadOnlySpan<byte> sector = bytes.AsSpan((int)(at - begin) * LogPlace.Sector, LogPlace.Sector);
            if (LogPlace.CycleOf(sector) != CycleAt(at))
            {
                end = at;
            }
            else if (LogHeader.IsOne(sector, CycleAt(at), at < 0 ? at + place.Sectors : at))
            {
                headers.Add(at);
            }
        }

        // The last of those that follow each other and are whole.
        (LogHeader Header, byte[] Bytes)? last = null;
        for (int i = Math.Max(0, headers.Count - OnTheirWay); i < headers.Count; i++)
        {
            long at = headers[i];
            long next = i + 1 < headers.Count ? headers[i + 1] : end;
            (LogHeader header, byte[] record) = await records.ReadOneAsync(at < 0 ? at + place.Sectors : at, CycleAt(at), cancellationToken).ConfigureAwait(false);
            if (at + header.Sectors != next || !LogRecords.IsSound(header, record, mayLackChecksum: true))
            {
                end = at;
                break;
            }

            last = (header, record);
        }

        if (last is not (LogHeader found, byte[] content))
        {
            throw XfsFault.Corrupt("its log has no record that is whole");
        }

        if (IsUnmount(content, content.AsSpan(found.HeaderSectors * LogPlace.Sector)))
        {
            return null;
        }

        (uint tailCycle, long tail) = ((uint)(found.TailLsn >> 32), (uint)(found.TailLsn & uint.MaxValue));
        (uint headCycle, long head) = (CycleAt(end - 1), end <= 0 ? end + place.Sectors : end);
        return tailCycle == headCycle && tail < head ? new LogSpan(tail, tailCycle, head - tail)
            : tailCycle == headCycle - 1 && tail >= head && tail < place.Sectors ? new LogSpan(tail, tailCycle, head + place.Sectors - tail)
            : throw XfsFault.Corrupt("the end of its log is before its beginning");
    }
}
