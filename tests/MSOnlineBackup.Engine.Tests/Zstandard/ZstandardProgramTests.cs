using System.Text;
using MSOnlineBackup.Engine.Zstandard;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Zstandard;

/// <summary>Frames as the zstd program writes them.</summary>
public class ZstandardProgramTests
{
    private static readonly string[] Levels = ["--fast=3", "-1", "-3", "-9", "-19"];

    private static readonly int[] Lengths = [0, 1, 100, 1000, 10_000, 127 << 10, 128 << 10, (128 << 10) + 1, 300_000, 1 << 20, 4 << 20];

    public static TheoryData<string, string> Inputs
    {
        get
        {
            var inputs = new TheoryData<string, string>();
            foreach (string level in Levels)
            {
                foreach (string what in (string[])["text", "binary", "zeros", "random", "repetitive", "skewed"])
                {
                    inputs.Add(level, what);
                }
            }

            return inputs;
        }
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void What_zstd_writes_is_decoded(string level, string what)
    {
        SkipWithoutZstd();
        using var folder = new TempFolder();
        // The strongest level takes seconds for the longest content, and writes nothing in it that shorter ones lack.
        int[] lengths = [.. Lengths.Where(length => level != "-19" || length <= 1 << 20)];
        byte[][] contents = [.. lengths.Select(length => Make(what, length))];
        string[] names = [.. lengths.Select(length => folder[$"{length}"])];
        for (int i = 0; i < names.Length; i++)
        {
            File.WriteAllBytes(names[i], contents[i]);
        }

        // With a checksum and without.
        Shell.RunChecked("zstd", ["-q", level, level is "-9" or "-19" ? "--check" : "--no-check", .. names]);

        var decoder = new ZstandardDecoder();
        for (int i = 0; i < names.Length; i++)
        {
            byte[] decoded = new byte[contents[i].Length];
            Assert.True(decoder.TryDecode(File.ReadAllBytes(names[i] + ".zst"), decoded), $"{lengths[i]} bytes");
            Assert.True(decoded.AsSpan().SequenceEqual(contents[i]), $"{lengths[i]} bytes");
        }
    }

    [Theory]
    [InlineData("text")]
    [InlineData("binary")]
    [InlineData("skewed")]
    public void Damage_to_what_zstd_writes_is_refused_or_harmless(string what)
    {
        SkipWithoutZstd();
        using var folder = new TempFolder();
        const int length = 20_000;
        File.WriteAllBytes(folder["content"], Make(what, length));
        Shell.RunChecked("zstd", "-q", "-3", "--no-check", folder["content"]);
        byte[] frame = File.ReadAllBytes(folder["content.zst"]);
        var room = new GuardedRoom(length);
        var decoder = new ZstandardDecoder();
        var random = new Random(8878);

        for (int i = 0; i < 5000; i++)
        {
            byte[] damaged = [.. frame];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            room.Decode(decoder, damaged);
            Assert.False(room.Decode(decoder, frame.AsSpan(0, random.Next(frame.Length))));
        }

        Assert.True(room.Decode(decoder, frame));
    }

    private static void SkipWithoutZstd() => Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);

    private static byte[] Make(string what, int length)
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
