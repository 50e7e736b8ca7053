using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>A vault that exists gains what it did not have when it was made.</summary>
public sealed class VaultRecordsTests
{
    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_vault_without_records_allows_everything()
    {
        VaultRecords records = await ReadAsync();

        Array.ForEach(Enum.GetValues<VaultUse>(), records.Allow);
    }

    [Theory]
    [InlineData("feature", "grid", "read", nameof(VaultUse.Read))]
    [InlineData("feature", "grid", "write", nameof(VaultUse.Write))]
    [InlineData("approval", null, "collect", nameof(VaultUse.Collect))]
    public async Task What_is_not_known_refuses_exactly_what_it_says(string kind, string? name, string neededTo, string refusal)
    {
        VaultUse refused = Enum.Parse<VaultUse>(refusal);
        await AppendAsync(new VaultRecord { Kind = kind, Name = name, NeededTo = [neededTo] });
        VaultRecords records = await ReadAsync();

        foreach (VaultUse use in Enum.GetValues<VaultUse>().Where(use => use != refused))
        {
            records.Allow(use);
        }

        BackupException fault = Assert.Throws<BackupException>(() => records.Allow(refused));
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, fault.Id);
        Assert.Contains(name ?? kind, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_needed_for_nothing_that_is_known_is_passed_over()
    {
        await AppendAsync(new VaultRecord { Kind = "feature", Name = "grid" });
        await AppendAsync(new VaultRecord { Kind = "approval", NeededTo = [] });
        await AppendAsync(new VaultRecord { Kind = "twin", NeededTo = ["mirror"] });
        _objects.SetContent("records/00000004", Signed("records/00000004", """{"kind":"later","neededTo":["mirror"],"more":{"deep":[1]}}"""));
        VaultRecords records = await ReadAsync();

        Array.ForEach(Enum.GetValues<VaultUse>(), records.Allow);
        Assert.Equal(4, records.Unknown.Count);
    }

    [Fact]
    public async Task A_forged_record_hides_no_other_stops_nobody_who_reads_or_adds_and_lets_nobody_delete()
    {
        await AppendAsync(new VaultRecord { Kind = "feature", Name = "grid", NeededTo = ["write"] });
        _objects.SetContent("records/00000002", """{"kind":"feature","name":"grid","neededTo":["read"]}"""u8.ToArray());
        _objects.SetContent("records/00000003", _objects.GetContent("records/00000001"));
        VaultRecords records = await ReadAsync();

        records.Allow(VaultUse.Read);
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => records.Allow(VaultUse.Write)).Id);
        Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Throws<BackupException>(() => records.Allow(VaultUse.Collect)).Id);
        Assert.Equal(["records/00000002", "records/00000003"], records.Damage.Select(damage => damage.Target).Order());
    }

    [Fact]
    public async Task A_vault_that_gains_a_feature_is_read_and_no_longer_written_to_by_who_does_not_know_it()
    {
        using var backups = new BackupFixture();
        backups.Tree.File("a", 10);
        await backups.BackUpAsync();
        VaultHeader header = await VaultHeader.ReadAsync(backups.Objects, Cancel);
        UnlockedVault before = await backups.OpenAsync();

        await VaultRecords.AppendAsync(
            TestVault.Of(backups.Objects, header), backups.Owner.Key, new VaultRecord { Kind = "feature", Name = "grid", NeededTo = ["write"] }, Cancel);

        Assert.Equal(BackupErrorId.VaultFormatUnsupported, (await backups.FailAsync(BackupFixture.Request(backups.Root))).Id);
        Assert.Single(await (await backups.OpenAsync()).ListPointsAsync(null, Cancel));
        await before.BackUpAsync(backups.Job(backups.Root), new JobMonitor(), Cancel);

        await VaultRecords.AppendAsync(
            TestVault.Of(backups.Objects, header), backups.Owner.Key, new VaultRecord { Kind = "feature", Name = "seal", NeededTo = ["read"] }, Cancel);
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, (await Assert.ThrowsAsync<BackupException>(() => backups.OpenAsync())).Id);
    }

    [Fact]
    public async Task A_forged_record_is_told_by_a_backup()
    {
        using var backups = new BackupFixture();
        backups.Tree.File("a", 10);
        await backups.OpenAsync();
        backups.Objects.SetContent("records/00000001", "{}"u8.ToArray());
        var damage = new List<BackupException>();

        await backups.BackUpAsync(monitor: new JobMonitor { VaultDamaged = damage.Add });

        Assert.Equal("records/00000001", Assert.Single(damage).Target);
    }

    private Task<uint> AppendAsync(VaultRecord record) => VaultRecords.AppendAsync(TestVault.Of(_objects, Header), Owner, record, Cancel);

    private async Task<VaultRecords> ReadAsync() =>
        await VaultRecords.ReadAsync(TestVault.Of(_objects, Header), await VaultRecords.ListAsync(_objects, Cancel), Cancel);
}
