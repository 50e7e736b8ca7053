using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Engine.Chunking;

/// <summary>
/// Content-defined chunking: FastCDC's gear hash with normalised chunking (level 2) over a keyed table.
/// Cuts depend on the 64 bytes before them only, so an edit moves the cuts around it and no others.
/// </summary>
/// <remarks>
/// The hash begins 64 bytes before <see cref="MinSize"/> and shifts left by one bit a byte, so it holds exactly the last
/// 64 bytes. Below <see cref="NormalSize"/> a cut wants 22 zero bits at the top, from there on 18. A plain loop: on
/// x86-64 it is as fast as SIMD variants that others have tried, and it is not where the time goes.
/// </remarks>
internal sealed class Chunker
{
    public const int MinSize = 256 << 10;
    public const int NormalSize = 1 << 20;
    public const int MaxSize = 4 << 20;

    private const int Window = 64;
    private const ulong HardLimit = 1UL << (64 - 22);
    private const ulong EasyLimit = 1UL << (64 - 18);

    private readonly ulong[] _gear;

    public Chunker(ulong[] gearTable)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gearTable.Length, 256);
        _gear = gearTable;
    }

    /// <summary>Looks for the end of the chunk that begins at <paramref name="data"/>[0].</summary>
    /// <param name="data">The chunk's bytes so far; at most <see cref="MaxSize"/> are looked at.</param>
    /// <param name="scan">Where an earlier call on fewer bytes of the same chunk stopped; default for a new chunk.</param>
    /// <returns>The chunk's length, or 0 where more bytes are needed to tell.</returns>
    public int FindCut(ReadOnlySpan<byte> data, ref ChunkScan scan)
    {
        int end = Math.Min(data.Length, MaxSize);
        int position = Math.Max(scan.Position, MinSize - Window);
        if (position < end)
        {
            ulong hash = scan.Hash;
            ref byte bytes = ref MemoryMarshal.GetReference(data);
            ref ulong gear = ref MemoryMarshal.GetArrayDataReference(_gear);

            int warm = Math.Min(end, MinSize);
            for (; position < warm; position++)
            {
                hash = unchecked((hash << 1) + Unsafe.Add(ref gear, Unsafe.Add(ref bytes, position)));
            }

            if (Scan(ref bytes, ref gear, ref position, Math.Min(end, NormalSize), ref hash, HardLimit)
                || Scan(ref bytes, ref gear, ref position, end, ref hash, EasyLimit))
            {
                return position;
            }

            scan = new ChunkScan(position, hash);
        }

        return end == MaxSize ? MaxSize : 0;
    }

    // Leaves position just behind the byte that made the cut.
    private static bool Scan(ref byte bytes, ref ulong gear, ref int position, int end, ref ulong hash, ulong limit)
    {
        ulong h = hash;
        nint i = position;
        while (i < end)
        {
            h = unchecked((h << 1) + Unsafe.Add(ref gear, Unsafe.Add(ref bytes, i)));
            i++;
            if (h < limit)
            {
                position = (int)i;
                hash = h;
                return true;
            }
        }

        position = (int)i;
        hash = h;
        return false;
    }
}

/// <summary>How far a chunk has been scanned.</summary>
internal readonly record struct ChunkScan(int Position, ulong Hash);
