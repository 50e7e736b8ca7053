using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>The records of a log, one after another. Only one is held.</summary>
/// <param name="place">Where they are.</param>
/// <param name="id">Whose they are.</param>
/// <param name="hasChecksums">Whether each must have a checksum.</param>
internal sealed class LogRecords(LogPlace place, Guid id, bool hasChecksums)
{
    private const int ChecksumAt = 32;

    // The header is padded to this length on some machines, and not on others.
    private const int HeaderLength = 328;
    private const int ShortHeaderLength = 324;
    private const int MoreHeaderLength = 260;
    private const int FirstCycleAt = 44;
    private const int CyclesOfHeader = 64;

    /// <summary>All of a part of the log, with what they have as it was before each sector got its cycle.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported.</exception>
    public async IAsyncEnumerable<(LogHeader Header, ReadOnlyMemory<byte> Bytes)> ReadAsync(LogSpan span, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long done = 0; done < span.Sectors;)
        {
            long sector = (span.Tail + done) % place.Sectors;
            uint cycle = span.TailCycle + (span.Tail + done >= place.Sectors ? 1u : 0);
            (LogHeader header, byte[] bytes) = await ReadOneAsync(sector, cycle, cancellationToken).ConfigureAwait(false);
            done += header.Sectors;
            if (done > span.Sectors || !IsSound(header, bytes, mayLackChecksum: !hasChecksums))
            {
                throw XfsFault.Corrupt($"the record at sector {sector} of its log has another length or checksum");
            }

            Unpack(header, bytes);
            yield return (header, bytes.AsMemory(header.HeaderSectors * LogPlace.Sector, header.Length));
        }
    }

    /// <summary>One of them, as it lies there.</summary>
    public async ValueTask<(LogHeader Header, byte[] Bytes)> ReadOneAsync(long sector, uint cycle, CancellationToken cancellationToken)
    {
        byte[] first = new byte[LogPlace.Sector];
        await place.ReadAsync(sector, first, cancellationToken).ConfigureAwait(false);
        LogHeader header = LogHeader.Decode(first, cycle, sector, id);
        byte[] bytes = new byte[header.Sectors * LogPlace.Sector];
        await place.ReadAsync(sector, bytes, cancellationToken).ConfigureAwait(false);
        return (header, bytes);
    }

    /// <summary>Whether one has the checksum that it says; mkfs writes none.</summary>
    public static bool IsSound(LogHeader header, ReadOnlySpan<byte> bytes, bool mayLackChecksum)
    {
        uint told = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]);
        return (told == 0 && mayLackChecksum) || told == Sum(header, bytes, HeaderLength) || told == Sum(header, bytes, ShortHeaderLength);
    }

    private static uint Sum(LogHeader header, ReadOnlySpan<byte> bytes, int length)
    {
        uint sum = Crc32C.Add(Crc32C.Add(Crc32C.Add(Crc32C.Start, bytes[..ChecksumAt]), 0), bytes[(ChecksumAt + 4)..length]);
        for (int i = 1; header.Version == 2 && i < (header.Length + LogHeader.Span - 1) / LogHeader.Span; i++)
        {
            sum = Crc32C.Add(sum, bytes.Slice(i * LogPlace.Sector, MoreHeaderLength));
        }

        return ~Crc32C.Add(sum, bytes.Slice(header.HeaderSectors * LogPlace.Sector, header.Length));
    }

    // The first four bytes of each sector are in the header.
    private static void Unpack(LogHeader header, Span<byte> bytes)
    {
        Span<byte> content = bytes[(header.HeaderSectors * LogPlace.Sector)..];
        for (int i = 0; i < content.Length / LogPlace.Sector; i++)
        {
            (int at, int place) = Math.DivRem(i, CyclesOfHeader);
            int from = at == 0 ? FirstCycleAt : (at * LogPlace.Sector) + 4;
            bytes.Slice(from + (place * 4), 4).CopyTo(content[(i * LogPlace.Sector)..]);
        }
    }
}
