using System.Globalization;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>A position in PostgreSQL's write-ahead log, in bytes from its beginning; written as <c>16/B374D848</c>.</summary>
/// <param name="Value">The bytes.</param>
internal readonly record struct PgPosition(ulong Value) : IComparable<PgPosition>
{
    /// <summary>Reads a position as PostgreSQL writes it: two hexadecimal numbers of up to eight digits. False where it is none.</summary>
    public static bool TryParse(string? text, out PgPosition position)
    {
        position = default;
        string[] parts = text?.Split('/') ?? [];
        if (parts.Length != 2 || !TryParsePart(parts[0], out uint high) || !TryParsePart(parts[1], out uint low))
        {
            return false;
        }

        position = new PgPosition(((ulong)high << 32) | low);
        return true;
    }

    /// <summary>The first position of the segment that holds this one.</summary>
    /// <param name="segmentSize">The size of a segment, in bytes.</param>
    public PgPosition SegmentStart(uint segmentSize) => new(Value - (Value % segmentSize));

    /// <summary>The first position of a segment that is not before this one: itself where a segment begins here.</summary>
    public PgPosition SegmentEnd(uint segmentSize) => Value % segmentSize == 0 ? this : new PgPosition(SegmentStart(segmentSize).Value + segmentSize);

    /// <summary>The name of the segment file that begins here, or holds this position: 24 hexadecimal digits.</summary>
    public string SegmentName(uint timeline, uint segmentSize)
    {
        ulong number = Value / segmentSize;
        ulong perHigh = (1UL << 32) / segmentSize;
        return string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}{number / perHigh:X8}{number % perHigh:X8}");
    }

    /// <summary>The segments from one position up to another, by the positions at which they begin.</summary>
    public static IEnumerable<PgPosition> Segments(PgPosition from, PgPosition to, uint segmentSize)
    {
        for (ulong at = from.SegmentStart(segmentSize).Value; at < to.Value; at += segmentSize)
        {
            yield return new PgPosition(at);
        }
    }

    /// <inheritdoc/>
    public int CompareTo(PgPosition other) => Value.CompareTo(other.Value);

    /// <summary>As PostgreSQL writes it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value >> 32:X}/{Value & uint.MaxValue:X}");

    public static bool operator <(PgPosition left, PgPosition right) => left.Value < right.Value;

    public static bool operator >(PgPosition left, PgPosition right) => left.Value > right.Value;

    public static bool operator <=(PgPosition left, PgPosition right) => left.Value <= right.Value;

    public static bool operator >=(PgPosition left, PgPosition right) => left.Value >= right.Value;

    private static bool TryParsePart(string text, out uint part)
    {
        part = 0;
        return text.Length is > 0 and <= 8 && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out part);
    }
}
