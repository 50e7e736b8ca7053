using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Benchmarks;

/// <summary>A recovery point that was deleted and whose time is over: what the next maintenance finishes.</summary>
internal static class EndedPoint
{
    /// <summary>Decides that the oldest point of a vault is gone.</summary>
    public static async Task DecideAsync(string folder)
    {
        string passphrase = Environment.GetEnvironmentVariable("PASSPHRASE") ?? throw new InvalidOperationException("PASSPHRASE is not set.");
        var objects = new FolderVaultStore(folder);
        VaultHeader header = await VaultHeader.ReadAsync(objects, CancellationToken.None);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(objects, header)).UnlockAsync(passphrase, CancellationToken.None);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, CancellationToken.None);
        PointName oldest = (await new RecoveryPointCatalog(store).ListNamesAsync(null, CancellationToken.None)).MinBy(name => name.SessionId);
        await new DeletionLog(store).DecideAsync(
            new DeletionSeries(oldest.MachineId, oldest.SessionId, []), _ => new DeletionRecord(DeletionState.Gone, "measured", "0"), CancellationToken.None);
    }
}
