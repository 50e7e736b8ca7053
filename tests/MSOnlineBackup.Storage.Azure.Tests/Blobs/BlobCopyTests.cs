using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>A vault in a folder has a twin in a container, and that one a twin in a folder.</summary>
public sealed class BlobCopyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_a_folder_to_a_container_and_on_to_another_folder()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        string url = AzuriteServer.Shared.NewContainer();
        using var folder = new TempFolder();
        string source = folder["source"];
        var tree = new SourceTreeBuilder(source);
        tree.Populate(seed: 1, items: 80).File("large", 12 << 20);
        Vault vault = await Vault.CreateAsync(FolderVaultStore.Create(folder["vault"]), Obengine.Passphrase, TestOptions.Quick, Stop);
        Vault cloud = await Vault.CreateTwinAsync(BlobVaultStore.Create(url, new VaultConnection()), vault, Stop);
        Vault third = await Vault.CreateTwinAsync(FolderVaultStore.Create(folder["third"]), cloud, Stop);
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(source, SourceSelection.Everything)] };
        await BackUpAsync();
        VaultCopyReport first = await CopyAsync(vault, cloud);
        tree.Edit(seed: 2);
        await BackUpAsync();

        VaultCopyReport second = await CopyAsync(vault, cloud);
        Assert.Equal((1, 1, 1), (first.PointsCopied, second.PointsCopied, second.PointsThere));
        Assert.True(second.Bytes < first.Bytes);
        Assert.Equal(2, (await CopyAsync(cloud, third)).PointsCopied);

        foreach ((Vault place, string target) in (IEnumerable<(Vault, string)>)[(cloud, "a"), (third, "b")])
        {
            using UnlockedVault opened = await place.UnlockAsync(Obengine.Passphrase, Stop);
            Assert.Empty((await opened.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop)).Findings);
            RecoveryPoint latest = await opened.GetPointAsync("latest", null, Stop);
            await opened.RestoreAsync(new RestoreRequest { Point = latest, TargetFolder = folder[target], Verify = true }, new JobMonitor(), Stop);
            Assert.Empty(TreeComparer.Compare(source, folder[target] + source));
        }

        async Task BackUpAsync()
        {
            using UnlockedVault opened = await vault.UnlockAsync(Obengine.Passphrase, Stop);
            await opened.BackUpAsync(request, new JobMonitor(), Stop);
        }
    }

    private static async Task<VaultCopyReport> CopyAsync(Vault from, Vault to)
    {
        using UnlockedVault opened = await from.UnlockAsync(Obengine.Passphrase, Stop);
        using UnlockedVault twin = await to.UnlockAsync(opened.Key, Stop);
        return await opened.CopyToAsync(twin, new VaultCopyRequest(), new JobMonitor(), Stop);
    }
}
