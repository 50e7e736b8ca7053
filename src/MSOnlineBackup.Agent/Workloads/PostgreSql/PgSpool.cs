using System.Buffers.Binary;
using System.Globalization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>The folder in which segments of the log lie until the vault has them.</summary>
/// <param name="folder">Its absolute path.</param>
/// <param name="workload">The workload's name.</param>
internal sealed class PgSpool(string folder, string workload)
{
    /// <summary>Its absolute path.</summary>
    public string Folder => folder;

    /// <summary>Makes the folder, for this account only.</summary>
    public void Make() => PrivateFolder.Make(folder);

    /// <summary>How far whole segments of the server's log are there without a gap from a position on: at least that position, where a segment begins.</summary>
    public PgPosition EndFrom(PgPosition position, PgServer server)
    {
        PgPosition at = position;
        while (IsWhole(at, server))
        {
            at = new PgPosition(at.Value + server.SegmentSize);
        }

        return at;
    }

    /// <summary>Removes all but the segments from a position up to where they end, and histories of timelines: what has arrived, and what another run left behind.</summary>
    public void Trim(PgPosition from, PgServer server)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        HashSet<string> kept = [.. PgPosition.Segments(from, EndFrom(from, server), server.SegmentSize).Select(at => at.SegmentName(server.Timeline, server.SegmentSize))];
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            if (!kept.Contains(Path.GetFileName(path)) && !path.EndsWith(".history", StringComparison.Ordinal))
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Removes all that is in it.</summary>
    public void Clear()
    {
        if (Directory.Exists(folder))
        {
            foreach (string path in Directory.EnumerateFiles(folder))
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Refuses a log that is not whole.</summary>
    /// <exception cref="BackupException">WorkloadCommandFailed: nothing of it is backed up.</exception>
    public void Require(PgPosition from, PgPosition to, PgServer server)
    {
        foreach (PgPosition at in PgPosition.Segments(from, to, server.SegmentSize))
        {
            if (!IsWhole(at, server))
            {
                throw new BackupException(
                    BackupErrorId.WorkloadCommandFailed,
                    $"The segment {at.SegmentName(server.Timeline, server.SegmentSize)} of the log of the workload '{workload}' has not come whole.",
                    "Look into the server's log and at the free space of the disk with this machine's state. The next run goes on.",
                    workload,
                    transient: true);
            }
        }
    }

    private bool IsWhole(PgPosition at, PgServer server) =>
        PgSegment.FindFault(Path.Combine(folder, at.SegmentName(server.Timeline, server.SegmentSize)), at, server.System, server.SegmentSize) is null;
}

/// <summary>A segment file of the log.</summary>
internal static class PgSegment
{
    // The first page of each segment says where it belongs (XLogLongPageHeaderData).
    private const int HeaderLength = 40;
    private const int AddressAt = 8;
    private const int SystemAt = 24;
    private const int SizeAt = 32;

    /// <summary>What is wrong with a segment file; null where it is whole, and is what its name says.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">The position at which it must begin.</param>
    /// <param name="system">The cluster's identifier.</param>
    /// <param name="segmentSize">The size that it must have; null for that which it says itself.</param>
    public static string? FindFault(string path, PgPosition start, string system, uint? segmentSize)
    {
        byte[] header = new byte[HeaderLength];
        long length;
        try
        {
            using FileStream file = File.OpenRead(path);
            length = file.Length;
            if (file.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength)
            {
                return "is too short";
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "is missing";
        }

        uint size = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(SizeAt));
        ulong address = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(AddressAt));
        ulong cluster = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(SystemAt));
        return length != size || (segmentSize is { } expected && expected != size) ? string.Create(CultureInfo.InvariantCulture, $"has {length:n0} bytes")
            : address != start.Value ? $"begins at {new PgPosition(address)} instead of {start}"
            : cluster.ToString(CultureInfo.InvariantCulture) != system ? "is of another cluster"
            : null;
    }
}
