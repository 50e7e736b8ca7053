using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Engine.Chunking;

/// <summary>
/// Content-defined chunking: FastCDC's gear hash with normalised chunking (level 2) over a keyed table.
/// Cuts depend on the 64 bytes before them only, so an edit moves the cuts around it and no others.
/// </summary>
/// <remarks>
/// The hash begins 64 bytes before <see cref="MinSize"/> and shifts left by one bit a byte, so it holds exactly the last
/// 64 bytes. Below <see cref="NormalSize"/> a cut wants 22 zero bits at the top, from there on 18. The hash of a byte
/// waits for that of the byte before, which leaves half of a core idle: so two stretches are hashed side by side.
/// </remarks>
internal sealed class Chunker
{
    public const int MinSize = 256 << 10;
    public const int NormalSize = 1 << 20;
    public const int MaxSize = 4 << 20;

    private const int Window = 64;
    private const int Stretch = 16 << 10;
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
                hash = Next(hash, ref bytes, ref gear, position);
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
        nint here = position;
        ulong h = hash;
        while (end - here >= 2 * Stretch)
        {
            nint middle = here + Stretch;
            nint there = middle - Window;
            ulong g = 0;
            while (there < middle)
            {
                g = Next(g, ref bytes, ref gear, there++);
            }

            while (here < middle)
            {
                h = Next(h, ref bytes, ref gear, here++);
                if (h < limit)
                {
                    goto Cut;
                }

                g = Next(g, ref bytes, ref gear, there++);
                if (g < limit)
                {
                    break;
                }
            }

            // A cut in the second stretch holds if there is none in the first.
            while (here < middle)
            {
                h = Next(h, ref bytes, ref gear, here++);
                if (h < limit)
                {
                    goto Cut;
                }
            }

            (here, h) = (there, g);
            if (h < limit)
            {
                goto Cut;
            }
        }

        while (here < end)
        {
            h = Next(h, ref bytes, ref gear, here++);
            if (h < limit)
            {
                goto Cut;
            }
        }

        (position, hash) = ((int)here, h);
        return false;

    Cut:
        (position, hash) = ((int)here, h);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Next(ulong hash, ref byte bytes, ref ulong gear, nint position) =>
        unchecked((hash << 1) + Unsafe.Add(ref gear, Unsafe.Add(ref bytes, position)));
}

/// <summary>How far a chunk has been scanned.</summary>
internal readonly record struct ChunkScan(int Position, ulong Hash);
