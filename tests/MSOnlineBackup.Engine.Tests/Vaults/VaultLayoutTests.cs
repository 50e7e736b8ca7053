using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class VaultLayoutTests
{
    private static readonly StoreId _store = StoreId.Parse("0123456789abcdef0123456789abcdef");
    private static readonly SessionId _session = SessionId.Parse("0edcba9876543210fedcba9876543210");
    private static readonly MachineId _machine = MachineId.Parse("fedcba9876543210fedcba9876543210");

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(0x1ffu)]
    [InlineData(uint.MaxValue)]
    public void Numbered_names_tell_their_session_and_number(uint number)
    {
        foreach (string name in (string[])[VaultLayout.Pack(_store, _session, number), VaultLayout.Segment(_store, _session, number), VaultLayout.Checkpoint(_store, _session, number)])
        {
            Assert.True(VaultLayout.TryParseNumbered(name, out SessionId session, out uint parsed));
            Assert.Equal((_session, number), (session, parsed));
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
        Assert.Equal(256, Enumerable.Range(0, 1000).Select(i => VaultLayout.Pack(_store, _session, (uint)i).Split('/')[^2]).Distinct().Count());

    [Fact]
    public void Every_name_lies_below_the_prefix_that_lists_its_kind()
    {
        Assert.StartsWith(VaultLayout.Packs(_store), VaultLayout.Pack(_store, _session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Segments(_store), VaultLayout.Segment(_store, _session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Checkpoints(_store), VaultLayout.Checkpoint(_store, _session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Points(_store, _machine), VaultLayout.Point(_store, _machine, _session), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Points(_store), VaultLayout.Points(_store, _machine), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Deletions(_store, _machine), VaultLayout.Deletion(_store, _machine, _session, 1), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Deletions(_store), VaultLayout.Deletions(_store, _machine), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Keys(_store), VaultLayout.Key(_store, new string('1', 32)), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.AllKeys, VaultLayout.Keys(_store), StringComparison.Ordinal);
        Assert.StartsWith(VaultLayout.Machines, VaultLayout.Machine(_machine), StringComparison.Ordinal);
    }
}
