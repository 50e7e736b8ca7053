using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>What is damaged or lost in a folder or a container is read all the same where the vault keeps parity, and mended by what was put on record.</summary>
public sealed class BlobHealingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, "flip")]
    [InlineData(false, "truncation")]
    [InlineData(false, "loss")]
    [InlineData(false, "zeros")]
    [InlineData(false, "swap")]
    [InlineData(true, "flip")]
    [InlineData(true, "truncation")]
    [InlineData(true, "loss")]
    [InlineData(true, "zeros")]
    [InlineData(true, "swap")]
    public async Task A_restore_gives_all_of_a_damaged_vault_and_a_repair_of_what_it_met_mends_that(bool isContainer, string damage)
    {
        Assert.SkipUnless(!isContainer || AzuriteServer.IsAvailable, AzuriteServer.Missing);
        using var folder = new TempFolder();
        string source = folder["source"];
        new SourceTreeBuilder(source).Populate(seed: 5, items: 60).File("large", 12 << 20);
        string url = isContainer ? AzuriteServer.Shared.NewContainer() : folder["vault"];
        IVaultStore made = isContainer ? BlobVaultStore.Create(url, new VaultConnection()) : FolderVaultStore.Create(url);
        IVaultStore Open() => isContainer ? new ResilientVaultStore(BlobVaultStore.Open(url, new VaultConnection())) : new FolderVaultStore(url);
        var options = new VaultOptions { Workers = 2 };
        var owner = new KeptOwner();
        await Vault.CreateAsync(made, Obengine.Passphrase, options, Stop, owner.Keep);
        await TestVault.ChangeSettingsAsync(Open(), owner.Key, settings => settings with { ParityPercent = 25 }, Stop);
        UnlockedVault engine = await TestVault.UnlockAsync(Open(), Obengine.Passphrase, options, Stop);
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(source, SourceSelection.Everything)] };
        BackupResult done = await engine.BackUpAsync(request, new JobMonitor(), Stop);
        await engine.MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 }, new JobMonitor(), Stop);
        List<StoredObject> packs = await Open().ListAsync("stores/", Stop).Where(found => found.Name.Contains("/packs/", StringComparison.Ordinal)).OrderByDescending(found => found.Length).ToListAsync(Stop);
        await DamageAsync(Open(), packs, damage);

        var restore = new RestoreRequest { Point = done.Point, TargetFolder = folder["target"], Verify = true };
        RestoreResult result = await (await TestVault.UnlockAsync(Open(), Obengine.Passphrase, options, Stop)).RestoreAsync(restore, new JobMonitor(), Stop);

        Assert.Equal(0, result.Skipped);
        Assert.True(result.ChunksFromParity > 0);
        Assert.Empty(TreeComparer.Compare(source, folder["target"] + source));
        UnlockedVault again = await TestVault.UnlockAsync(Open(), Obengine.Passphrase, options, Stop);
        Assert.NotEmpty((await again.Proofs.ReadAsync(Stop)).DamagedPacks);
        RepairReport report = await again.RepairAsync(new RepairRequest { RecordedOnly = true }, new JobMonitor(), Stop);
        Assert.Equal(0, report.ChunksLost);
        Assert.InRange(report.PacksRead, 0, damage == "swap" ? 2 : 1);
        Assert.Empty((await (await TestVault.UnlockAsync(Open(), Obengine.Passphrase, options, Stop)).VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop)).Findings);
    }

    // The place of an object that is damaged is taken anew under its name, as a medium would.
    private static async Task DamageAsync(IVaultStore store, List<StoredObject> packs, string damage)
    {
        byte[] first = await ReadAsync(store, packs[0]);
        byte[] second = await ReadAsync(store, packs[1]);
        byte[]? changed = damage switch
        {
            "flip" => [.. first.Select((one, i) => i == first.Length / 2 ? (byte)(one ^ 1) : one)],
            "truncation" => first[..(first.Length / 3)],
            "zeros" => [.. first.Select((one, i) => i / 65536 == 3 ? (byte)0 : one)],
            "swap" => second,
            _ => null,
        };
        await ReplaceAsync(store, packs[0].Name, changed);
        if (damage == "swap")
        {
            await ReplaceAsync(store, packs[1].Name, first);
        }
    }

    private static async Task ReplaceAsync(IVaultStore store, string name, byte[]? content)
    {
        await store.DeleteAsync(name, Stop);
        Assert.True(content is null || await store.TryCreateAsync(name, content, Stop));
    }

    private static async Task<byte[]> ReadAsync(IVaultStore store, StoredObject found)
    {
        byte[] content = new byte[found.Length];
        Assert.Equal(content.Length, await store.ReadAsync(found.Name, 0, content, Stop));
        return content;
    }
}
