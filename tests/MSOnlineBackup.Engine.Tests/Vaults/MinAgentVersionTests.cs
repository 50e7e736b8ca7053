using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Versioning;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>A vault's owner lets newer versions write only; older ones still read.</summary>
public sealed class MinAgentVersionTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task An_older_version_refuses_to_write_and_to_delete_and_still_restores()
    {
        _backups.Tree.File("a", 10);
        await _backups.BackUpAsync();
        await AppendAsync("99.1.0");

        BackupException refused = await _backups.FailAsync(BackupFixture.Request(_backups.Root));
        UnlockedVault vault = await _backups.OpenAsync();
        BackupException kept = await Assert.ThrowsAsync<BackupException>(() => vault.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel));

        Assert.Equal((BackupErrorId.AgentOutdated, "0x1FBD3"), (refused.Id, refused.ErrorCode));
        Assert.Equal(BackupErrorId.AgentOutdated, kept.Id);
        Assert.Contains("99.1.0", refused.Message, StringComparison.Ordinal);
        RecoveryPoint point = Assert.Single(await vault.ListPointsAsync(null, Cancel));
        Assert.Equal(10, (await _backups.ReadAsync(point, Path.Combine(_backups.Root, "a"))).Length);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task The_highest_of_several_holds_and_it_is_not_taken_back()
    {
        await _backups.OpenAsync();
        await AppendAsync("0.0.9");
        await AppendAsync("0.0.2");
        Vault vault = (await _backups.OpenAsync()).Vault;

        Assert.Equal(new Version(0, 0, 9), vault.MinAgentVersion);
        Assert.Equal(new Version(0, 0, 9), (await vault.InspectAsync(Cancel)).MinAgentVersion);
        await RefusedAsync(vault, new Version(0, 0, 8));
        await RefusedAsync(vault, new Version(Product.Number.Major, Product.Number.Minor, Product.Number.Build + 1));

        await vault.RequireAgentVersionAsync(_backups.Owner.Key, Product.Number, Cancel);
        await vault.RequireAgentVersionAsync(_backups.Owner.Key, Product.Number, Cancel);

        Assert.Equal(Product.Number, (await _backups.OpenAsync()).Vault.MinAgentVersion);
        _backups.Tree.File("a", 10);
        await _backups.BackUpAsync();
    }

    [Theory]
    [InlineData("""{"kind":"minAgentVersion","version":"new","neededTo":["write"]}""")]
    [InlineData("""{"kind":"minAgentVersion","neededTo":["write"]}""")]
    public async Task One_that_cannot_be_read_counts_as_of_a_later_version(string record)
    {
        var objects = new MemoryVaultStore();
        objects.SetContent("records/00000001", Signed("records/00000001", record));
        VaultRecords records = await VaultRecords.ReadAllAsync(TestVault.Of(objects, Header), Cancel);

        records.Allow(VaultUse.Read);
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => records.Allow(VaultUse.Write)).Id);
    }

    private async Task RefusedAsync(Vault vault, Version version) => Assert.Equal(
        BackupErrorId.ArgumentInvalid,
        (await Assert.ThrowsAsync<BackupException>(() => vault.RequireAgentVersionAsync(_backups.Owner.Key, version, Cancel))).Id);

    private async Task AppendAsync(string version) => await VaultRecords.AppendAsync(
        (await _backups.OpenAsync()).Vault.Known,
        _backups.Owner.Key,
        new VaultRecord { Kind = VaultRecord.MinAgent, Version = version, NeededTo = ["write", "collect"] },
        Cancel);
}
