using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Restore;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

public sealed class MappedNameTests
{
    private const string FullWidth = "\"*:<>?\\|";

    [Theory]
    [InlineData("plain.txt", "plain.txt")]
    [InlineData("a:b", "a\uff1ab")]
    [InlineData("q?", "q\uff1f")]
    [InlineData("\"*:<>?\\|", "\uff02\uff0a\uff1a\uff1c\uff1e\uff1f\uff3c\uff5c")]
    [InlineData("tab\there", "tab\u2409here")]
    [InlineData("dot.", "dot\uff0e")]
    [InlineData("dot..", "dot.\uff0e")]
    [InlineData("blank ", "blank\u2420")]
    [InlineData("a.b c", "a.b c")]
    [InlineData("a\uff1ab", "a\u201b\uff1ab")]
    [InlineData("\u2409", "\u201b\u2409")]
    [InlineData("\u201b", "\u201b\u201b")]
    [InlineData("in \u2420 the \uff0e middle", "in \u2420 the \uff0e middle")]
    [InlineData("end\uff0e", "end\u201b\uff0e")]
    [InlineData("caf\u00e9 \ud83d\ude00", "caf\u00e9 \ud83d\ude00")]
    public void Names_become_what_the_mapping_says(string name, string mapped) =>
        Assert.Equal(mapped, Encoding.UTF8.GetString(MappedName.Map(Encoding.UTF8.GetBytes(name))));

    [Fact]
    public void Bytes_that_are_no_text_become_their_digits() =>
        Assert.Equal("raw\u201bFF\u201bC3x", Encoding.UTF8.GetString(MappedName.Map([.. "raw"u8, 0xff, 0xc3, (byte)'x'])));

    [Fact]
    public void Every_name_can_be_turned_back_and_every_mapped_one_can_be_had()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(AnyName(), name =>
        {
            byte[] mapped = MappedName.Map(name);
            return MappedName.IsPossible(mapped) && mapped[^1] is not ((byte)'.' or (byte)' ') && name.SequenceEqual(TurnBack(Encoding.UTF8.GetString(mapped)));
        }));
    }

    [Theory]
    [InlineData("a:b", false)]
    [InlineData("back\\slash", false)]
    [InlineData("tab\t", false)]
    [InlineData("dot.", true)]
    [InlineData("CON", true)]
    [InlineData("caf\u00e9", true)]
    public void What_Windows_can_name_is_known(string name, bool possible) => Assert.Equal(possible, MappedName.IsPossible(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Names_that_are_no_text_are_none_of_Windows_but_those_with_half_a_pair()
    {
        Assert.False(MappedName.IsPossible([(byte)'a', 0xff]));
        Assert.True(MappedName.IsPossible([(byte)'a', 0xed, 0xa0, 0x80]));
    }

    // The way back as it is documented, written by itself.
    private static byte[] TurnBack(string mapped)
    {
        var bytes = new List<byte>();
        Rune[] runes = [.. mapped.EnumerateRunes()];
        for (int i = 0; i < runes.Length; i++)
        {
            int value = runes[i].Value;
            bool isLast = i == runes.Length - 1;
            if (value == 0x201b && i + 2 < runes.Length && Uri.IsHexDigit((char)runes[i + 1].Value) && runes[i + 1].Value < 0x80)
            {
                bytes.Add(Convert.ToByte($"{(char)runes[i + 1].Value}{(char)runes[i + 2].Value}", 16));
                i += 2;
                continue;
            }

            if (value == 0x201b)
            {
                value = runes[++i].Value;
            }
            else if (value is > 0x2400 and <= 0x241f)
            {
                value -= 0x2400;
            }
            else if (value > 0xfee0 && FullWidth.Contains((char)(value - 0xfee0), StringComparison.Ordinal))
            {
                value -= 0xfee0;
            }
            else if (isLast && (value is 0x2420 or 0xff0e))
            {
                value = value == 0x2420 ? ' ' : '.';
            }

            bytes.AddRange(Encoding.UTF8.GetBytes(new Rune(value).ToString()));
        }

        return [.. bytes];
    }

    // What is mapped, what it is mapped to, what quotes, and what is no text.
    private static Arbitrary<byte[]> AnyName()
    {
        byte[][] parts =
        [
            .. "a0F .:?\\\"<\t\u0001\u2401\u2420\u2400\uff0e\uff1a\uff3c\u201b\u00e9".Select(c => Encoding.UTF8.GetBytes([c])),
            [0xff], [0xe2], [0x80, 0x9b], [0xed, 0xa0, 0x80], [0xc3],
        ];
        return Gen.Elements(parts).NonEmptyListOf().Select(list => list.SelectMany(part => part).ToArray()).ToArbitrary();
    }
}
