using System.Text.Json;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Ids;

/// <summary>Ids of sessions, stores and machines: the text in the vault, and nothing else.</summary>
public sealed class VaultIdTests
{
    private const string Digits = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData(Digits, true)]
    [InlineData("0123456789abcdef0123456789abcde", false)]
    [InlineData("0123456789abcdef0123456789abcdef0", false)]
    [InlineData("0123456789abcdef0123456789abcdeF", false)]
    [InlineData("0123456789abcdef0123456789abcd/e", false)]
    [InlineData("0123456789abcdef 123456789abcdef", false)]
    [InlineData("", false)]
    public void Ids_are_32_lower_case_hexadecimal_digits(string text, bool expected)
    {
        Assert.Equal(expected, IdDigits.AreIn(text));
        Assert.Equal(expected, SessionId.TryParse(text, out SessionId session));
        Assert.Equal(expected, StoreId.TryParse(text, out StoreId store));
        Assert.Equal(expected, MachineId.TryParse(text, out MachineId machine));
        if (expected)
        {
            Assert.Equal([text, text, text], [session.ToString(), store.ToString(), machine.ToString()]);
        }
        else
        {
            Assert.Throws<FormatException>(() => SessionId.Parse(text));
            Assert.Throws<FormatException>(() => StoreId.Parse(text));
            Assert.Throws<FormatException>(() => MachineId.Parse(text));
        }
    }

    [Fact]
    public void Bytes_and_digits_say_the_same()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            byte[] bytes = TestKeys.Bytes(seed, IdDigits.ByteCount);
            string digits = Convert.ToHexStringLower(bytes);

            Assert.Equal((digits, digits), (new StoreId(bytes).ToString(), new MachineId(bytes).ToString()));
            Assert.Equal((StoreId.Parse(digits), MachineId.Parse(digits)), (new StoreId(bytes), new MachineId(bytes)));
            Assert.Equal(bytes, new StoreId(bytes).ToBytes());
            Assert.Equal(bytes, new MachineId(bytes).ToBytes());
            Assert.Equal(digits[0] != 'f', SessionId.TryRead(bytes, out SessionId session));
            Assert.Equal(digits[0] != 'f', SessionId.TryParse(digits, out _));
            Assert.Equal((digits, digits[..12]), (session.ToString(), session.ToShortString()));
            Assert.Equal(bytes, session.ToBytes());
        }
    }

    [Fact]
    public void Sessions_are_ordered_as_their_digits_are()
    {
        string[] digits = [.. Enumerable.Range(0, 100).Select(seed => "0" + Convert.ToHexStringLower(TestKeys.Bytes(seed, IdDigits.ByteCount))[1..])];

        Assert.Equal(digits.Order(StringComparer.Ordinal), digits.Select(text => SessionId.Parse(text)).Order().Select(id => id.ToString()));
    }

    [Theory]
    [InlineData("01234567", true)]
    [InlineData("0123456789ABCDEF", true)]
    [InlineData("", true)]
    [InlineData("1", false)]
    [InlineData(Digits + "0", false)]
    public void A_session_is_told_by_its_first_digits_in_capital_letters_too(string beginning, bool expected) =>
        Assert.Equal(expected, SessionId.Parse(Digits).BeginsWith(beginning));

    [Fact]
    public void In_json_an_id_is_the_text_of_its_digits()
    {
        string json = JsonSerializer.Serialize(new AllIds(SessionId.Parse(Digits), StoreId.Parse(Digits), MachineId.Parse(Digits), null));

        Assert.Equal($$"""{"Session":"{{Digits}}","Store":"{{Digits}}","Machine":"{{Digits}}","Other":null}""", json);
        Assert.Equal(new AllIds(SessionId.Parse(Digits), StoreId.Parse(Digits), MachineId.Parse(Digits), null), JsonSerializer.Deserialize<AllIds>(json));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("1")]
    [InlineData("[]")]
    [InlineData("\"\"")]
    [InlineData("\"0123456789ABCDEF0123456789ABCDEF\"")]
    public void In_json_nothing_else_is_an_id(string json)
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SessionId>(json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<StoreId>(json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<MachineId>(json));
    }

    private sealed record AllIds(SessionId Session, StoreId Store, MachineId Machine, SessionId? Other);
}
