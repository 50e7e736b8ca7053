// Backs up a folder into a new vault, lists it, reads a file as a stream, and restores all of it:
// dotnet run --project examples/Embedding -- VAULT FOLDER TARGET
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

const string Passphrase = "sixteen characters or more";
(var options, CancellationToken stop) = (new EngineOptions(), CancellationToken.None);
Directory.CreateDirectory(args[0]);
var store = new FolderVaultStore(args[0]);
await ClosedVault.CreateAsync(store, Passphrase, options, stop);
UnlockedVault vault = await UnlockedVault.OpenAsync(store, Passphrase, options, stop);
var request = new BackupRequest { MachineName = Environment.MachineName, Sources = [new BackupSource.Tree(args[1], new SourceSelection())] };
RecoveryPoint point = (await vault.BackUpAsync(request, new JobMonitor(), stop)).Point;
await foreach (RecoverableItem item in vault.ListItemsAsync(point, path: null, recursive: true, stop))
{
    Console.WriteLine($"{item.Entry.Size,12}  {item.FullPath}");
    if (item.Entry.Kind == EntryKind.File)
    {
        await using Stream content = await vault.OpenReadAsync(item, stop);
        Console.WriteLine($"{content.ReadByte(),12:x2}  is its first byte");
    }
}

await vault.RestoreAsync(new RestoreRequest { Point = point, TargetFolder = args[2] }, new JobMonitor(), stop);
