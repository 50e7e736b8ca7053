using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class VaultLayoutTests
{
    private const string Store = "0123456789abcdef0123456789abcdef";
    private const string Session = "0edcba9876543210fedcba9876543210";

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(0x1ffu)]
    [InlineData(uint.MaxValue)]
    public void Numbered_names_tell_their_session_and_number(uint number)
    {
        foreach (string name in (string[])[VaultLayout.Pack(Store, Session, number), VaultLayout.Segment(Store, Session, number), VaultLayout.Checkpoint(Store, Session, number)])
        {
            Assert.True(VaultLayout.TryParseNumbered(name, out string? session, out uint parsed));
            Assert.Equal((Session, number), (session, parsed));
            Assert.True(ObjectName.IsValid(name));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("stores/")]
    [InlineData("stores/fedcba9876543210fedcba9876543210")]
    [InlineData("stores/fedcba9876543210fedcba9876543210-")]
    [InlineData("stores/fedcba9876543210fedcba9876543210-0000001")]
    [InlineData("stores/fedcba9876543210fedcba9876543210-000000001")]
    [InlineData("stores/fedcba9876543210fedcba9876543210-0000000g")]
    [InlineData("stores/fedcba9876543210fedcba9876543210-       1")]
    [InlineData("stores/fedcba9876543210fedcba9876543210.00000001")]
    [InlineData("stores/Fedcba9876543210fedcba9876543210-00000001")]
    [InlineData("stores/fedcba98765432-0fedcba9876543210-00000001")]
    [InlineData("stores/fedcba9876543210fedcba9876543210-00000001/x")]
    public void Other_names_tell_nothing(string name) => Assert.False(VaultLayout.TryParseNumbered(name, out _, out _));

    [Fact]
    public void Packs_are_spread_over_256_folders() =>
        Assert.Equal(256, Enumerable.Range(0, 1000).Select(i => VaultLayout.Pack(Store, Session, (uint)i).Split('/')[^2]).Distinct().Count());

    [Fact]
    public void Every_name_lies_below_the_prefix_that_lists_its_kind()
    {
        Assert.StartsWith(VaultLayout.Packs(Store), VaultLayout.Pack(Store, Session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Segments(Store), VaultLayout.Segment(Store, Session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Checkpoints(Store), VaultLayout.Checkpoint(Store, Session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Points(Store, Session), VaultLayout.Point(Store, Session, Session), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Points(Store), VaultLayout.Points(Store, Session), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Keys(Store), VaultLayout.Key(Store, Session), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.AllKeys, VaultLayout.Keys(Store), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Machines, VaultLayout.Machine(Session), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef", true)]
    [InlineData("0123456789abcdef0123456789abcde", false)]
    [InlineData("0123456789abcdef0123456789abcdeF", false)]
    [InlineData("0123456789abcdef0123456789abcd/e", false)]
    [InlineData("", false)]
    public void Ids_are_32_lower_case_hexadecimal_digits(string text, bool expected) => Assert.Equal(expected, VaultLayout.IsId(text));
}
