using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Zstandard;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Zstandard;

public class ZstandardEncoderTests
{
    private const int Kibi = 1 << 10;

    // Block borders, header borders (256, 65,792), one stream and four, and the shortest.
    private static readonly int[] Lengths =
    [
        0, 1, 2, 31, 32, 33, 63, 64, 65, 255, 256, 257, 1023, 1024, 4095, 4096, 16_383, 16_384, 65_791, 65_792, 127 * Kibi,
        (128 * Kibi) - 1, 128 * Kibi, (128 * Kibi) + 1, 256 * Kibi, 1024 * Kibi, ZstandardEncoder.MaxSourceLength,
    ];

    private static readonly string[] Kinds = ["random", "zeros", "skewed", "repetitive", "mixed", "two values", "far"];

    public static TheoryData<string> Contents => [.. Kinds];

    [Theory]
    [MemberData(nameof(Contents))]
    public void What_was_encoded_comes_back(string kind)
    {
        var encoder = new ZstandardEncoder();
        var decoder = new ZstandardDecoder();
        foreach (int length in Lengths)
        {
            byte[] source = Make(kind, length, length);

            byte[] frame = Encode(encoder, source);

            Assert.True(frame.Length <= length + 9 + (3 * ((length / ZstandardFormat.BlockMaximumSize) + 1)), $"{length} bytes became {frame.Length}");
            AssertDecodes(decoder, frame, source);
        }
    }

    [Fact]
    public void The_zstd_program_reads_what_was_encoded()
    {
        bool present = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(entry => File.Exists(Path.Combine(entry, "zstd")));
        Assert.SkipUnless(present, "The zstd program is not on the path.");
        using var folder = new TempFolder();
        var encoder = new ZstandardEncoder();
        using (FileStream frames = File.Create(folder["frames.zst"]))
        using (FileStream expected = File.Create(folder["expected"]))
        {
            // Frames one after another are one file to the program.
            foreach (byte[] source in Kinds.SelectMany(kind => Lengths.Select(length => Make(kind, length, length + 1))))
            {
                frames.Write(Encode(encoder, source));
                expected.Write(source);
            }
        }

        Shell.RunChecked("zstd", "-q", "-d", folder["frames.zst"], "-o", folder["decoded"]);

        Assert.True(File.ReadAllBytes(folder["decoded"]).AsSpan().SequenceEqual(File.ReadAllBytes(folder["expected"])));
    }

    [Fact]
    public void Any_bytes_come_back()
    {
        var encoder = new ZstandardEncoder();
        var decoder = new ZstandardDecoder();

        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            int length = random.Next(8) == 0 ? random.Next(600_000) : random.Next(1 << random.Next(1, 18));
            byte[] source = Make(Kinds[random.Next(Kinds.Length)], length, seed);

            AssertDecodes(decoder, Encode(encoder, source), source);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_same_source_gives_the_same_frame_whatever_came_before()
    {
        byte[] source = Make("mixed", 300_000, 1);
        byte[] first = Encode(new ZstandardEncoder(), source);
        var used = new ZstandardEncoder();
        foreach (string kind in Kinds)
        {
            Encode(used, Make(kind, 500_000, 2));

            Assert.Equal(first, Encode(used, source));
        }
    }

    [Fact]
    public void A_destination_that_is_too_short_is_told_and_nothing_behind_it_is_touched()
    {
        const byte Guard = 0xA5;
        var encoder = new ZstandardEncoder();
        foreach (string kind in Kinds)
        {
            byte[] source = Make(kind, 1500, 3);
            byte[] frame = Encode(encoder, source);
            for (int room = 0; room <= frame.Length; room++)
            {
                byte[] memory = new byte[frame.Length + 64];
                Array.Fill(memory, Guard);

                bool fits = encoder.TryEncode(source, memory.AsSpan(0, room), out int written);

                Assert.Equal(room == frame.Length, fits);
                Assert.Equal(fits ? frame.Length : 0, written);
                Assert.False(memory.AsSpan(room).ContainsAnyExcept(Guard), $"Wrote behind {room} bytes.");
                Assert.True(!fits || memory.AsSpan(0, written).SequenceEqual(frame));
            }
        }
    }

    [Theory]
    [InlineData("random", 1.0)]
    [InlineData("zeros", 0.001)]
    [InlineData("skewed", 0.85)]
    [InlineData("repetitive", 0.2)]
    [InlineData("two values", 0.25)]
    [InlineData("far", 0.55)]
    public void What_can_get_smaller_does(string kind, double share)
    {
        byte[] source = Make(kind, 1024 * Kibi, 4);

        byte[] frame = Encode(new ZstandardEncoder(), source);

        Assert.True(frame.Length <= (source.Length * share) + 64, $"{frame.Length} of {source.Length} bytes");
    }

    [Fact]
    public void A_source_longer_than_the_limit_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new ZstandardEncoder().TryEncode(new byte[ZstandardEncoder.MaxSourceLength + 1], new byte[100], out _));
    }

    private static byte[] Encode(ZstandardEncoder encoder, byte[] source)
    {
        byte[] destination = new byte[source.Length + 128];
        Assert.True(encoder.TryEncode(source, destination, out int written));
        return destination[..written];
    }

    private static void AssertDecodes(ZstandardDecoder decoder, byte[] frame, byte[] source)
    {
        byte[] decoded = new byte[source.Length];
        Assert.True(decoder.TryDecode(frame, decoded), $"{source.Length} bytes");
        Assert.True(decoded.AsSpan().SequenceEqual(source), $"{source.Length} bytes");
    }

    private static byte[] Make(string kind, int length, int seed)
    {
        var random = new Random(seed);
        byte[] content = new byte[length];
        switch (kind)
        {
            case "random":
                random.NextBytes(content);
                break;

            case "skewed":
                // Frequencies that differ more than the longest code can tell.
                for (int i = 0; i < length; i++)
                {
                    content[i] = (byte)(255 * Math.Pow(random.NextDouble(), 6));
                }

                break;

            case "two values":
                for (int i = 0; i < length; i++)
                {
                    content[i] = (byte)random.Next(2);
                }

                break;

            case "repetitive":
                // Short periods, changed now and then.
                for (int i = 0, period = 1; i < length; i++)
                {
                    bool fresh = random.Next(200) == 0;
                    period = fresh ? random.Next(1, 40) : period;
                    content[i] = fresh || i < period ? (byte)random.Next(256) : content[i - period];
                }

                break;

            case "far":
                // The second half repeats the first from as far back as possible.
                random.NextBytes(content.AsSpan(0, length / 2));
                content.AsSpan(0, length / 2).CopyTo(content.AsSpan(length / 2));
                break;

            case "mixed":
                for (int i = 0; i < length;)
                {
                    Span<byte> part = content.AsSpan(i, Math.Min(length - i, 1 + random.Next(1 << random.Next(1, 15))));
                    int from = random.Next(i + 1);
                    switch (random.Next(4))
                    {
                        case 0:
                            random.NextBytes(part);
                            break;
                        case 1:
                            part.Fill((byte)random.Next(256));
                            break;
                        case 2:
                            part = part[..Math.Min(part.Length, Math.Max(1, i - from))];
                            content.AsSpan(from, Math.Min(part.Length, i - from)).CopyTo(part);
                            break;
                        default:
                            foreach (ref byte value in part)
                            {
                                value = (byte)(random.Next(1, 16) * random.Next(16));
                            }

                            break;
                    }

                    i += part.Length;
                }

                break;
        }

        return content;
    }
}
