using System.Collections.Concurrent;
using System.Text;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Chunks;

/// <summary>
/// Frames of the library, of its managed translation and of the zstd program: each reads those of the others, and none reads what is no frame.
/// </summary>
public class ZstandardCodecTests
{
    private static readonly string[] _levels = ["--fast=3", "-1", "-3", "-9", "-19"];

    private static readonly int[] _lengths = [0, 1, 100, 1000, 10_000, 127 << 10, 128 << 10, (128 << 10) + 1, 300_000, 1 << 20, 4 << 20];

    private static readonly string[] _contents = ["text", "binary", "zeros", "random", "repetitive", "skewed"];

    private static readonly ConcurrentDictionary<(string What, int Length), byte[]> _made = new();

    public static TheoryData<bool, string> Kinds =>
        [.. from isNative in (bool[])[true, false] from what in _contents select new TheoryDataRow<bool, string>(isNative, what)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_reads_what_each_has_written(bool isNative, string what)
    {
        ZstandardCodec writer = Codec(isNative);
        foreach (int length in _lengths)
        {
            byte[] content = Make(what, length);
            byte[] room = new byte[ZstandardCodec.RoomFor(length)];
            byte[] frame = room[..writer.Encode(content, room)];

            foreach (ZstandardCodec reader in (ZstandardCodec[])[writer, Codec(!isNative)])
            {
                byte[] decoded = new byte[length];
                Assert.True(reader.TryDecode(frame, decoded), $"{length} bytes");
                Assert.True(decoded.AsSpan().SequenceEqual(content), $"{length} bytes");
            }

            if (length is > 0 and <= 300_000 && ZstandardProgram.IsThere)
            {
                Assert.Equal(content, ZstandardProgram.TryDecode(frame));
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_harder_it_tries_the_less_is_left_of_a_text(bool isNative)
    {
        byte[] text = Make("text", 1 << 20);
        byte[] room = new byte[ZstandardCodec.RoomFor(text.Length)];
        var lengths = new List<int>();
        foreach (Compression compression in (Compression[])[Compression.Fastest, Compression.Default, Compression.Better, Compression.Max])
        {
            using ZstandardCodec writer = isNative ? ZstandardCodec.Native(compression) : ZstandardCodec.Managed(compression);
            lengths.Add(writer.Encode(text, room));
            foreach (ZstandardCodec reader in (ZstandardCodec[])[writer, Codec(!isNative)])
            {
                byte[] decoded = new byte[text.Length];
                Assert.True(reader.TryDecode(room.AsSpan(0, lengths[^1]), decoded));
                Assert.True(decoded.AsSpan().SequenceEqual(text));
            }
        }

        Assert.Equal(lengths.OrderDescending(), lengths);
        Assert.Equal(4, lengths.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_the_zstd_program_writes_is_read(bool isNative, string what)
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        using var folder = new TempFolder();
        ZstandardCodec codec = Codec(isNative);
        foreach (string level in _levels)
        {
            // The strongest level takes seconds for the longest content, and writes nothing in it that shorter ones lack.
            int[] lengths = [.. _lengths.Where(length => level != "-19" || length <= 128 << 10)];
            byte[][] contents = [.. lengths.Select(length => Make(what, length))];
            string[] names = [.. lengths.Select(length => folder[$"{length}{level}"])];
            for (int i = 0; i < names.Length; i++)
            {
                File.WriteAllBytes(names[i], contents[i]);
            }

            // With a checksum and without.
            Shell.RunChecked("zstd", ["-q", level, level is "-9" or "-19" ? "--check" : "--no-check", .. names]);
            for (int i = 0; i < names.Length; i++)
            {
                byte[] decoded = new byte[contents[i].Length];
                Assert.True(codec.TryDecode(File.ReadAllBytes(names[i] + ".zst"), decoded), $"{level}: {lengths[i]} bytes");
                Assert.True(decoded.AsSpan().SequenceEqual(contents[i]), $"{level}: {lengths[i]} bytes");
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Damage_is_refused_or_gives_the_claimed_length_and_never_touches_what_lies_beyond(bool isNative)
    {
        const int Length = 20_000;
        const byte Guard = 0xa5;
        ZstandardCodec codec = Codec(isNative);
        byte[] content = Make("binary", Length);
        byte[] room = new byte[ZstandardCodec.RoomFor(Length)];
        byte[] frame = room[..codec.Encode(content, room)];
        byte[] decoded = new byte[Length + 64];
        Array.Fill(decoded, Guard);
        var random = new Random(8878);
        for (int i = 0; i < 5000; i++)
        {
            byte[] damaged = [.. frame];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            codec.TryDecode(damaged, decoded.AsSpan(0, Length));
            Assert.False(codec.TryDecode(frame.AsSpan(0, random.Next(frame.Length)), decoded.AsSpan(0, Length)));
            Assert.All(decoded[Length..], b => Assert.Equal(Guard, b));
        }

        Assert.True(codec.TryDecode(frame, decoded.AsSpan(0, Length)));
        Assert.False(codec.TryDecode(frame, decoded.AsSpan(0, Length - 1)));
        Assert.False(codec.TryDecode(frame, decoded.AsSpan(0, Length + 1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_frame_that_is_skipped_or_needs_a_dictionary_is_no_frame_of_a_chunk(bool isNative)
    {
        ZstandardCodec codec = Codec(isNative);

        // RFC 8878, 3.1.2: four bytes that are skipped.
        Assert.False(codec.TryDecode([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4], []));
        // One segment, dictionary 7, one byte, in a raw block.
        Assert.False(codec.TryDecode([0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 1, 0x09, 0, 0, 65], new byte[1]));
        // The same without one.
        Assert.True(codec.TryDecode([0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0, 65], new byte[1]));
        Assert.False(codec.TryDecode([], []));
    }

    [Fact]
    public void Where_the_tests_run_the_library_is_there() => Assert.Equal(Codec(true).GetType(), ZstandardCodec.OfThread.GetType());

    private static ZstandardCodec Codec(bool isNative) => isNative ? ZstandardCodec.Native() : ZstandardCodec.Managed();

    private static byte[] Make(string what, int length) => _made.GetOrAdd((what, length), static key => Compose(key.What, key.Length));

    private static byte[] Compose(string what, int length)
    {
        var random = new Random(length);
        byte[] content = new byte[length];
        switch (what)
        {
            case "text":
                string[] words = [.. Enumerable.Range(0, 3000).Select(i => new string([.. $"{i * 7919 % 100_003:x}".Select(c => (char)('a' + (c % 25)))]))];
                var text = new StringBuilder();
                while (text.Length < length)
                {
                    text.Append(words[(int)(random.NextDouble() * random.NextDouble() * words.Length)]).Append(random.Next(12) == 0 ? ".\n" : " ");
                }

                return Encoding.ASCII.GetBytes(text.ToString(0, length));

            case "binary":
                // Records: a counter, small numbers, a few random bytes, and now and then a copy of earlier ones.
                for (int i = 0; i < length; i++)
                {
                    content[i] = (i % 24) switch
                    {
                        < 4 => (byte)(i / 24 >> (i % 24 * 8)),
                        < 16 => (byte)(random.Next(16) * random.Next(16) / 8),
                        < 18 => (byte)random.Next(256),
                        _ => i > 5000 ? content[i - 24 - (24 * (i / 500 % 200))] : (byte)i,
                    };
                }

                return content;

            case "random":
                random.NextBytes(content);
                return content;

            case "repetitive":
                // Runs of every short period, which overlap themselves when copied.
                for (int i = 0, period = 1, left = 0; i < length; i++, left--)
                {
                    if (left == 0)
                    {
                        period = random.Next(1, 40);
                        left = random.Next(period, 700);
                    }

                    content[i] = i < 40 || left % 350 == 0 ? (byte)random.Next(256) : content[i - period];
                }

                return content;

            case "skewed":
                // Nearly all literals, of very unlike frequencies: long Huffman codes.
                for (int i = 0; i < length; i++)
                {
                    content[i] = (byte)(255 * Math.Pow(random.NextDouble(), 6));
                }

                return content;

            default:
                return content;
        }
    }
}
