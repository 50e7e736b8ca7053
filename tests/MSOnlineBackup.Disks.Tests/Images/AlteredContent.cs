using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>A small image in memory of which some bytes are other ones, and what was read of it.</summary>
internal sealed class AlteredContent(byte[] image) : IDiskContent, IDisposable
{
    private readonly Stack<(int At, byte[] Bytes)> _undo = new();

    private static readonly long[] _numbers = [0, 1, 2, 3, 4, 7, 8, 16, 255, 4096, 65535, 0x7FFF_FFFF, 0xFFFF_FFFF, 1L << 40, long.MaxValue, -1, long.MinValue];

    private readonly List<(long Offset, int Length)> _reads = [];

    public long Length { get; set; } = image.Length;

    /// <summary>How many bytes were read.</summary>
    public long Read { get; private set; }

    /// <summary>How many may be: what reads without end is told from what reads much.</summary>
    public long Budget { get; set; } = long.MaxValue;

    /// <summary>Where it was read.</summary>
    public IReadOnlyList<(long Offset, int Length)> Reads => _reads;

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        Read += destination.Length;
        _reads.Add((offset, destination.Length));
        if (Read > Budget)
        {
            throw new InvalidOperationException($"More than {Budget} bytes of an image of {image.Length} are read.");
        }

        image.AsMemory((int)offset, destination.Length).CopyTo(destination);
        return ValueTask.CompletedTask;
    }

    /// <summary>The image with a few faults where it is read, until that is disposed.</summary>
    /// <param name="places">Where it is read.</param>
    /// <param name="seal">Makes checksums right again, so that what lies behind them is reached: is given the image and a place.</param>
    /// <param name="sealedLength">How many bytes at the image's beginning that changes, besides the place.</param>
    public AlteredContent Alter(Random random, IReadOnlyList<(long Offset, int Length)> places, Action<byte[], long, int>? seal = null, int sealedLength = 0)
    {
        var content = new AlteredContent(image);
        content._undo.Push((0, image[..sealedLength]));
        int faults = random.Next(1, 4);
        for (int i = 0; i < faults; i++)
        {
            (long offset, int length) = places[random.Next(places.Count)];
            content._undo.Push(((int)offset, image.AsSpan((int)offset, length).ToArray()));
            AlterPlace(random, image.AsSpan((int)offset, length), places);
            seal?.Invoke(image, offset, length);
        }

        if (random.Next(20) == 0)
        {
            content.Length = random.NextInt64(image.Length);
        }

        return content;
    }

    public void Dispose()
    {
        foreach ((int at, byte[] bytes) in _undo)
        {
            bytes.CopyTo(image, at);
        }

        _undo.Clear();
    }

    private void AlterPlace(Random random, Span<byte> place, IReadOnlyList<(long Offset, int Length)> places)
    {
        int at = random.Next(place.Length);
        switch (random.Next(4))
        {
            case 0:
                place[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                place[at] = (byte)random.Next(256);
                break;
            case 2:
                Span<byte> number = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, _numbers[random.Next(_numbers.Length)]);
                int wide = 1 << random.Next(4);
                number = number[..wide];
                if (random.Next(2) == 0)
                {
                    number.Reverse();
                }

                at &= ~(wide - 1);
                number[..Math.Min(wide, place.Length - at)].CopyTo(place[at..]);
                break;
            default:
                // A piece of one structure in the place of another.
                (long from, int most) = places[random.Next(places.Count)];
                image.AsSpan((int)from, random.Next(1, Math.Min(most, place.Length) + 1)).ToArray().CopyTo(place);
                break;
        }
    }
}
