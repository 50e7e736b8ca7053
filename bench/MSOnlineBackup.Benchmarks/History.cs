using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Benchmarks;

/// <summary>A vault with years behind it: many backups of one folder, each with one file more.</summary>
internal static class History
{
    /// <summary>Backs a folder up until its vault has as many points as asked for.</summary>
    public static async Task GrowAsync(string vault, string folder, int points)
    {
        string passphrase = Environment.GetEnvironmentVariable("PASSPHRASE") ?? throw new InvalidOperationException("PASSPHRASE is not set.");
        var store = new FolderVaultStore(vault);
        UnlockedVault engine = await TestVault.UnlockAsync(store, passphrase, new VaultOptions(), CancellationToken.None);
        var request = new BackupRequest
        {
            MachineName = Environment.MachineName,
            Sources = [new BackupSource.Tree(folder, SourceSelection.Everything)],
        };
        for (int point = (await engine.ListPointsAsync(null, CancellationToken.None)).Count; point < points; point++)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, $"day-{point % 20}.txt"), $"day {point}");
            await engine.BackUpAsync(request, new JobMonitor(), CancellationToken.None);
        }
    }
}
