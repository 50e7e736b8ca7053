// Backs up a folder into a new vault, lists it, reads a file as a stream, and restores all of it:
// dotnet run --project examples/Embedding -- VAULT FOLDER TARGET
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

const string Passphrase = "sixteen characters or more";
(var options, CancellationToken stop) = (new VaultOptions(), CancellationToken.None);
Directory.CreateDirectory(args[0]);
Vault vault = await Vault.CreateAsync(new FolderVaultStore(args[0]), Passphrase, options, stop);
using UnlockedVault unlocked = await vault.UnlockAsync(Passphrase, stop);
var request = new BackupRequest { MachineName = Environment.MachineName, Sources = [new BackupSource.Tree(args[1], new SourceSelection())] };
RecoveryPoint point = (await unlocked.BackUpAsync(request, new JobMonitor(), stop)).Point;
IndexedVault indexed = await unlocked.IndexAsync(stop);
await foreach (RecoverableItem item in indexed.ListItemsAsync(point, path: null, recursive: true, stop))
{
    Console.WriteLine($"{item.Entry.Size,12}  {item.FullPath}");
    if (item.Entry.Kind == EntryKind.File)
    {
        await using Stream content = indexed.OpenRead(item);
        Console.WriteLine($"{content.ReadByte(),12:x2}  is its first byte");
    }
}

await indexed.RestoreAsync(new RestoreRequest { Point = point, TargetFolder = args[2] }, new JobMonitor(), stop);
