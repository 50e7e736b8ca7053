using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>What a transaction changes in one place: what it is and where, and the bytes. Its numbers are those of the machine: the least byte first.</summary>
internal sealed class LogItem
{
    private const int MostRegions = 257;

    private readonly List<LogRegion> _regions = [];

    /// <summary>Begins one with its first piece.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public LogItem(ReadOnlySpan<byte> bytes)
    {
        Total = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) : 0;
        if (Total is < 1 or > MostRegions)
        {
            throw XfsFault.Corrupt($"an item of its log has {Total} pieces");
        }

        _regions.Add(new LogRegion(bytes));
    }

    /// <summary>What it is of.</summary>
    public LogItemType Type => (LogItemType)BinaryPrimitives.ReadUInt16LittleEndian(_regions[0].Span);

    /// <summary>How many pieces it has when it is whole.</summary>
    public int Total { get; }

    public bool IsWhole => _regions.Count == Total;

    public IReadOnlyList<LogRegion> Regions => _regions;

    /// <summary>Its first piece: which place it is of.</summary>
    public ReadOnlySpan<byte> Format => _regions[0].Span;

    public LogRegion Last => _regions[^1];

    public void Add(ReadOnlySpan<byte> bytes) => _regions.Add(new LogRegion(bytes));
}
