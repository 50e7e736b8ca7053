using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Zstandard;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Zstandard;

public class ZstandardDecoderTests
{
    // Made with "zstd -19 --no-check" and, where said so, "zstd -19 --check".
    private const string Nothing = "28b52ffd2000010000";
    private const string NothingChecked = "28b52ffd240001000099e9d851";
    private const string RawBlock = "28b52ffd2021ad00007868656c6c6f207a7374616e646172640100f14a11";
    private const string RawBlockChecked = "28b52ffd2421ad00007868656c6c6f207a7374616e646172640100f14a1147186f13";
    private const string OneByteManyTimes = "28b52ffd60e80245000008780100e42b2004";
    private const string OneByteManyTimesChecked = "28b52ffd64e80245000008780100e42b2004e100b79c";
    private const string Song =
        "28b52ffd609f00a50200a2c40e11a0ed00edc1314d5889ffba351311a98a35428c414829e64141ca12bddbe744f10056565fc85f87fae7e03d54bfac"
        + "0ff972377df1e7be6e4e3726092090333d46d2dc23d6c8a36bd88bc4ac340fc36b4f";

    private const string SongChecked =
        "28b52ffd649f00a50200a2c40e11a0ed00edc1314d5889ffba351311a98a35428c414829e64141ca12bddbe744f10056565fc85f87fae7e03d54bfac"
        + "0ff972377df1e7be6e4e3726092090333d46d2dc23d6c8a36bd88bc4ac340fc36b4f10f1d0b1";

    private static readonly string HelloText = "hello hello hello hello zstandard";

    private static readonly string SongText = string.Concat(Enumerable.Range(0, 5).Select(
        i => $"{99 - i} bottles of beer on the wall, {99 - i} bottles of beer; take one down, pass it around. "));

    public static TheoryData<string, string> KnownFrames => new()
    {
        { Nothing, "" },
        { NothingChecked, "" },
        { RawBlock, HelloText },
        { RawBlockChecked, HelloText },
        { OneByteManyTimes, new string('x', 1000) },
        { OneByteManyTimesChecked, new string('x', 1000) },
        { Song, SongText },
        { SongChecked, SongText },
        // Written by hand from the RFC: a window instead of a content size, and a dictionary id of zero.
        { "28b52ffd0000" + "190000" + "616263", "abc" },
        { "28b52ffd010000" + "190000" + "616263", "abc" },
        // The same content as a run length block between two empty raw blocks.
        { "28b52ffd0000" + "000000" + "1a0000" + "78" + "010000", "xxx" },
        // Content sizes of two (less 256), four and eight bytes.
        { "28b52ffd600000" + "030800" + "78", new string('x', 256) },
        { "28b52ffda003000000" + "190000" + "616263", "abc" },
        { "28b52ffde00300000000000000" + "190000" + "616263", "abc" },
        // A compressed block of run length literals and no sequences.
        { "28b52ffd2003" + "1d0000" + "197800", "xxx" },
    };

    [Theory]
    [MemberData(nameof(KnownFrames))]
    public void A_known_frame_is_decoded(string frame, string content)
    {
        byte[] expected = Encoding.ASCII.GetBytes(content);
        byte[] decoded = new byte[expected.Length];

        Assert.True(new ZstandardDecoder().TryDecode(Convert.FromHexString(frame), decoded));
        Assert.Equal(expected, decoded);
    }

    [Theory]
    [MemberData(nameof(KnownFrames))]
    public void A_frame_that_does_not_fill_the_destination_exactly_is_refused(string frame, string content)
    {
        byte[] bytes = Convert.FromHexString(frame);
        var decoder = new ZstandardDecoder();

        Assert.False(decoder.TryDecode(bytes, new byte[content.Length + 1]));
        Assert.False(content.Length > 0 && decoder.TryDecode(bytes, new byte[content.Length - 1]));
    }

    [Theory]
    [MemberData(nameof(KnownFrames))]
    public void A_truncated_or_prolonged_frame_is_refused(string frame, string content)
    {
        byte[] bytes = Convert.FromHexString(frame);
        var decoder = new ZstandardDecoder();

        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(decoder.TryDecode(bytes.AsSpan(0, length), new byte[content.Length]));
        }

        Assert.False(decoder.TryDecode([.. bytes, 0], new byte[content.Length]));
    }

    [Theory]
    [InlineData("b52ffd282003190000616263", "no magic number")]
    [InlineData("28b52ffd2803190000616263", "a reserved bit of the frame's header")]
    [InlineData("28b52ffd2103" + "07" + "190000616263", "a dictionary")]
    [InlineData("28b52ffde0" + "03000000000000ff" + "190000616263", "a negative content size")]
    [InlineData("28b52ffd20031f0000616263", "a reserved block type")]
    [InlineData("28b52ffd20031d0000197801", "a sequence without its modes")]
    [InlineData("28b52ffd2003250000" + "197801" + "fc", "repeated tables that no block had")]
    [InlineData("28b52ffd20033d0000" + "330c00" + "01" + "0000" + "00", "a repeated Huffman tree that no block had")]
    public void A_frame_that_is_none_is_refused(string frame, string why)
    {
        Assert.False(new ZstandardDecoder().TryDecode(Convert.FromHexString(frame), new byte[3]), why);
    }

    [Fact]
    public void A_content_that_its_checksum_denies_is_refused()
    {
        byte[] frame = Convert.FromHexString(SongChecked);
        frame[^1] ^= 1;

        Assert.False(new ZstandardDecoder().TryDecode(frame, new byte[SongText.Length]));
    }

    [Fact]
    public void A_decoder_forgets_one_frame_before_the_next()
    {
        var decoder = new ZstandardDecoder();
        byte[] decoded = new byte[SongText.Length];
        Assert.True(decoder.TryDecode(Convert.FromHexString(Song), decoded));

        // Repeats the tables of the song's only block.
        Assert.False(decoder.TryDecode(Convert.FromHexString("28b52ffd2003250000197801fc"), new byte[3]));

        Array.Clear(decoded);
        Assert.True(decoder.TryDecode(Convert.FromHexString(Song), decoded));
        Assert.Equal(SongText, Encoding.ASCII.GetString(decoded));
    }

    [Fact]
    public void Any_damage_to_a_frame_is_refused_or_harmless()
    {
        byte[] frame = Convert.FromHexString(Song);
        var room = new GuardedRoom(SongText.Length);
        var decoder = new ZstandardDecoder();

        for (int bit = 0; bit < frame.Length * 8; bit++)
        {
            for (int other = bit; other < frame.Length * 8; other += 7)
            {
                byte[] damaged = [.. frame];
                damaged[bit / 8] ^= (byte)(1 << (bit % 8));
                damaged[other / 8] ^= (byte)(1 << (other % 8));
                room.Decode(decoder, damaged);
            }
        }

        Assert.True(room.Decode(decoder, frame));
    }

    [Fact]
    public void Any_damage_to_a_checked_frame_is_found()
    {
        byte[] frame = Convert.FromHexString(SongChecked);
        byte[] expected = Encoding.ASCII.GetBytes(SongText);
        byte[] decoded = new byte[expected.Length];
        var decoder = new ZstandardDecoder();

        for (int bit = 0; bit < frame.Length * 8; bit++)
        {
            byte[] damaged = [.. frame];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            // Some bits say nothing about the content: unused ones of a description's last byte, for example.
            Assert.True(!decoder.TryDecode(damaged, decoded) || decoded.AsSpan().SequenceEqual(expected));
        }
    }

    [Fact]
    public void Random_bytes_never_do_harm()
    {
        var room = new GuardedRoom(300);
        var decoder = new ZstandardDecoder();
        Gen<byte[]> content = Gen.Choose(0, 200).SelectMany(length => Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(length));

        // Random bytes alone would hardly ever pass the headers: so they come as one compressed block of a frame of no said size.
        Prop.ForAll(
            content.ToArbitrary(),
            bytes =>
            {
                int header = (bytes.Length << 3) | ((int)BlockType.Compressed << 1) | 1;
                room.Decode(decoder, bytes);
                room.Decode(decoder, [0x28, 0xB5, 0x2F, 0xFD, 0, 0, (byte)header, (byte)(header >> 8), 0, .. bytes]);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));
    }
}
