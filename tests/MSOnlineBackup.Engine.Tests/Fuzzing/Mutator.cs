using System.Buffers.Binary;
using System.Text;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

/// <summary>Alters bytes as accident and malice do. The same random numbers make the same changes.</summary>
internal sealed class Mutator(Random random)
{
    private const int MaxLength = 1 << 20;

    private static readonly long[] _numbers =
        [0, 1, -1, 2, 16, 127, 128, 255, 256, 32_767, 65_535, 65_536, 4 << 20, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];

    // What stands in JSON where something else was expected.
    private static readonly byte[][] _values =
    [
        .. new[]
        {
            "null", "true", "0", "-1", "1e400", "99999999999999999999", "0.5", "2147483648", "9223372036854775808", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\uffff\"", "\"0\"",
            "[]", "[null]", "{}", "{\"\\ud800\":1}", "\"9999-12-31T23:59:59.9999999Z\"", "\"0001-01-01T00:00:00+14:00\"", "\"AA==\"", "\"../..\"", "\"/\"",
        }.Select(Encoding.UTF8.GetBytes),
        [(byte)'"', 0xff, 0xfe, (byte)'"'],
        Encoding.UTF8.GetBytes(new string('[', 100) + new string(']', 100)),
    ];

    // What stands in names and texts, and is no text.
    private static readonly byte[][] _escapes =
        [.. new[] { "\\ud800", "\\udc00\\ud800", "\\u0000", "\\", "\\u", "\\n" }.Select(Encoding.UTF8.GetBytes), [0xc3], [0xed, 0xa0, 0x80]];

    /// <summary>One to eight changes of a seed; now and then spliced with another.</summary>
    public byte[] Mutate(byte[] seed, byte[] other)
    {
        byte[] bytes = seed;
        for (int changes = 1 << random.Next(4); changes > 0; changes--)
        {
            bytes = random.Next(3) == 0 && Array.IndexOf(bytes, (byte)'"') >= 0 ? MutateJson(bytes, other) : MutateBytes(bytes, other);
        }

        return bytes.Length <= MaxLength ? bytes : bytes[..MaxLength];
    }

    private byte[] MutateBytes(byte[] bytes, byte[] other)
    {
        int at = random.Next(bytes.Length + 1);
        int length = Math.Min(random.Next(1, 1 << random.Next(1, 9)), bytes.Length - at);
        return random.Next(10) switch
        {
            0 => bytes[..at],
            1 => [.. bytes[..at], .. bytes[(at + length)..]],
            2 => [.. bytes[..at], .. bytes.AsSpan(at, length), .. bytes[at..]],
            3 => [.. bytes[..at], .. Noise(random.Next(1, 20)), .. bytes[at..]],
            4 => [.. bytes[..at], .. other.AsSpan(random.Next(other.Length + 1))],
            5 => Over(bytes, at, Number()),
            6 => Over(bytes, at, Noise(random.Next(1, 5))),
            7 => Over(bytes, at, [.. Enumerable.Repeat((byte)(random.Next(2) * 0xff), random.Next(1, 12))]),
            _ when at < bytes.Length => Over(bytes, at, [(byte)(bytes[at] ^ (1 << random.Next(8)))]),
            _ => bytes,
        };
    }

    // A value, or what stands between two quotes, in place of another; a field twice.
    private byte[] MutateJson(byte[] bytes, byte[] other)
    {
        int start = NextOf(bytes, random.Next(bytes.Length), ":,[\""u8);
        int end = NextOf(bytes, start + 1, ",}]\""u8);
        byte[] value = random.Next(8) == 0 ? Part(other) : _values[random.Next(_values.Length)];
        return random.Next(5) switch
        {
            0 => [.. bytes[..start], .. bytes.AsSpan(start, end - start), .. bytes[start..]],
            2 => [.. bytes[..Math.Min(start + 1, bytes.Length)], .. _escapes[random.Next(_escapes.Length)], .. bytes[Math.Min(start + 1, bytes.Length)..]],
            1 => [.. bytes[..start], .. bytes[end..]],
            _ => [.. bytes[..Math.Min(start + 1, bytes.Length)], .. value, .. bytes[end..]],
        };
    }

    private byte[] Part(byte[] bytes)
    {
        int start = random.Next(bytes.Length + 1);
        return bytes[start..random.Next(start, bytes.Length + 1)];
    }

    private static int NextOf(byte[] bytes, int from, ReadOnlySpan<byte> any)
    {
        int found = from >= bytes.Length ? -1 : bytes.AsSpan(from).IndexOfAny(any);
        return found < 0 ? bytes.Length : from + found;
    }

    private byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        random.NextBytes(noise);
        return noise;
    }

    private byte[] Number()
    {
        byte[] number = new byte[sizeof(long)];
        long value = _numbers[random.Next(_numbers.Length)] + random.Next(-1, 2);
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
        }

        return random.Next(2) == 0 ? number : number[..sizeof(int)];
    }

    private static byte[] Over(byte[] bytes, int at, byte[] what)
    {
        byte[] changed = [.. bytes];
        what.AsSpan(0, Math.Min(what.Length, bytes.Length - at)).CopyTo(changed.AsSpan(at));
        return changed;
    }
}
