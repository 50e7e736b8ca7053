using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Errors;

/// <summary>What is to be done about an error is told by its class, not by lists of ids where it is caught.</summary>
public sealed class ErrorClassTests
{
    // One object is damaged: it is left out and reported, and the work goes on.
    private static readonly BackupErrorId[] _damage = [BackupErrorId.VaultDataCorrupt, BackupErrorId.VaultDataMissing, BackupErrorId.VaultDataUnreadable];

    // Said of an object that is whole: the work cannot go on without it.
    private static readonly BackupErrorId[] _noDamage = [BackupErrorId.VaultDataArchived, BackupErrorId.VaultDataProtected];

    private static readonly BackupErrorId[] _ofSourceItem =
        [BackupErrorId.SourceItemUnreadable, BackupErrorId.SourceItemChanged, BackupErrorId.SourceItemVanished, BackupErrorId.SourceItemLocked, BackupErrorId.SourceItemRefused];

    public static TheoryData<BackupErrorId> Ids => [.. Enum.GetValues<BackupErrorId>()];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_id_has_its_class(BackupErrorId id)
    {
        var error = new BackupException(id, "What.", "Do.");

        Assert.Equal(_damage.Contains(id), error.IsDamage);
        Assert.Equal(_damage.Contains(id) || id == BackupErrorId.VaultFormatUnsupported, error.IsOfOneObject);
        Assert.Equal(_ofSourceItem.Contains(id), error.IsOfSourceItem);
    }

    [Fact]
    public void Every_id_about_the_data_of_a_vault_or_an_item_of_a_source_was_thought_of()
    {
        Assert.Equal(
            _damage.Concat(_noDamage).Order(),
            Enum.GetValues<BackupErrorId>().Where(id => id.ToString().StartsWith("VaultData", StringComparison.Ordinal)).Order());
        Assert.Equal(
            _ofSourceItem.Order(), Enum.GetValues<BackupErrorId>().Where(id => id.ToString().StartsWith("SourceItem", StringComparison.Ordinal)).Order());
    }
}
