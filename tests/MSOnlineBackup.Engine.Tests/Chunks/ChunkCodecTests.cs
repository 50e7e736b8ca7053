using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Chunks;

public class ChunkCodecTests
{
    private static readonly int[] _lengths = [0, 1, 7, 8, 9, 255, 4096, 16_383, 16_384, 300_000, ChunkCodec.MaxRawLength];

    public static TheoryData<string, int> Inputs
    {
        get
        {
            var inputs = new TheoryData<string, int>();
            foreach (int length in _lengths)
            {
                inputs.Add("random", length);
                inputs.Add("text", length);
                inputs.Add("zeros", length);
            }

            return inputs;
        }
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void What_was_encoded_comes_back_and_is_never_longer(string what, int length)
    {
        byte[] plaintext = Make(what, length);
        byte[] encoded = new byte[ZstandardCodec.RoomFor(plaintext.Length)];
        int written = ChunkCodec.Encode(plaintext, encoded, out ChunkEncoding encoding);
        byte[] decoded = new byte[plaintext.Length];

        Assert.True(ChunkCodec.TryDecode(encoding, encoded.AsSpan(0, written), decoded));
        Assert.Equal(plaintext, decoded);
        Assert.True(encoding == ChunkEncoding.Raw ? written == length : written <= length - (length / 32) - 8);
    }

    [Theory]
    [InlineData("text", true)]
    [InlineData("zeros", true)]
    [InlineData("random", false)]
    public void Only_what_gets_smaller_is_compressed(string what, bool compressed)
    {
        byte[] plaintext = Make(what, 100_000);

        ChunkCodec.Encode(plaintext, new byte[ZstandardCodec.RoomFor(plaintext.Length)], out ChunkEncoding encoding);

        Assert.Equal(compressed ? ChunkEncoding.Zstandard : ChunkEncoding.Raw, encoding);
    }

    [Fact]
    public void Samples_tell_random_bytes_from_text_and_from_skewed_ones()
    {
        byte[] skewed = [.. Make("random", 100_000).Select(b => (byte)(b & 0x7f))];

        Assert.True(ChunkCodec.LooksIncompressible(Make("random", 100_000)));
        Assert.True(ChunkCodec.LooksIncompressible(Make("random", 16_384)));
        Assert.False(ChunkCodec.LooksIncompressible(Make("random", 16_383)));
        Assert.False(ChunkCodec.LooksIncompressible(Make("text", 100_000)));
        Assert.False(ChunkCodec.LooksIncompressible(Make("zeros", 100_000)));
        Assert.False(ChunkCodec.LooksIncompressible(skewed));
    }

    [Fact]
    public void A_wrong_length_is_no_success()
    {
        byte[] plaintext = Make("text", 10_000);
        byte[] encoded = new byte[ZstandardCodec.RoomFor(plaintext.Length)];
        int written = ChunkCodec.Encode(plaintext, encoded, out ChunkEncoding encoding);
        Assert.Equal(ChunkEncoding.Zstandard, encoding);

        foreach (int claimed in (int[])[0, 1, 9_999, 10_001, 20_000])
        {
            Assert.False(ChunkCodec.TryDecode(encoding, encoded.AsSpan(0, written), new byte[claimed]));
            Assert.False(ChunkCodec.TryDecode(ChunkEncoding.Raw, plaintext, new byte[claimed]));
        }

        Assert.False(ChunkCodec.TryDecode((ChunkEncoding)2, encoded.AsSpan(0, written), new byte[10_000]));
    }

    [Fact]
    public void Any_bytes_with_any_claimed_length_decode_or_do_not_but_stay_in_their_place()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            int honest = random.Next(4096);
            byte[] encoded = new byte[ZstandardCodec.RoomFor(honest)];
            int length = 0;
            if (random.Next(3) == 0)
            {
                random.NextBytes(encoded);
                length = honest;
            }
            else
            {
                // Nearly right reaches further into a decoder than noise.
                byte[] plaintext = Make("text", honest);
                length = ChunkCodec.Encode(plaintext, encoded, out _);
                for (int i = random.Next(4); i > 0 && length > 0; i--)
                {
                    encoded[random.Next(length)] ^= (byte)(1 << random.Next(8));
                }

                length = random.Next(2) == 0 ? length : random.Next(length + 1);
            }

            const byte Guard = 0xa5;
            int claimed = random.Next(2) == 0 ? honest : random.Next(10_000);
            byte[] room = new byte[claimed + 64];
            Array.Fill(room, Guard);

            ChunkCodec.TryDecode((ChunkEncoding)random.Next(4), encoded.AsSpan(0, length), room.AsSpan(0, claimed));

            Assert.All(room[claimed..], b => Assert.Equal(Guard, b));
        }).QuickCheckThrowOnFailure();
    }

    private static byte[] Make(string what, int length)
    {
        switch (what)
        {
            case "random":
                return TestKeys.Bytes(length, length);
            case "text":
                var text = new StringBuilder(length + 32);
                for (int i = 0; text.Length < length; i++)
                {
                    text.Append("the line with the number ").Append(i * 7919 % 10_007).Append('\n');
                }

                return Encoding.ASCII.GetBytes(text.ToString(0, length));
            default:
                return new byte[length];
        }
    }
}
