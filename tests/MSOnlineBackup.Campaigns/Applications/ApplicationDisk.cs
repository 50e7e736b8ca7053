using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Applications;

/// <summary>
/// A volume of Btrfs on which an application keeps its data, and a vault for it. Skips its test where there is no such volume, or the application is not
/// installed.
/// </summary>
public sealed class ApplicationDisk : IDisposable
{
    private readonly MountedFileSystem _mount;

    public ApplicationDisk(params string[] programs)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("btrfs"), "Needs root, mkfs.btrfs, and a kernel that mounts it.");
        Assert.SkipUnless(programs.All(program => Find(program) is not null), $"Needs {string.Join(", ", programs)}.");
        Shell.RunChecked("chmod", "711", Folder.Path);
        _mount = MountedFileSystem.InImage(Folder["image"], Path, "btrfs", size: 2L << 30);
        Shell.RunChecked("chown", ServerProcess.Account, Path);
    }

    public TempFolder Folder { get; } = new();

    /// <summary>Where it is mounted.</summary>
    public string Path => Folder["disk"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A folder for sockets and the like, which belongs to the account that servers run as.</summary>
    public string MakeFolder(string name)
    {
        string folder = Directory.CreateDirectory(Folder[name]).FullName;
        Shell.RunChecked("chown", ServerProcess.Account, folder);
        return folder;
    }

    /// <summary>Where a program is, also where nobody's path leads to it; null where it is not installed.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Concat(["/usr/sbin", "/sbin"])
        .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => version + "/bin") : [])
        .Select(folder => System.IO.Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);

    public Task<FolderVault> CreateVaultAsync() => FolderVault.CreateAsync(Folder["vault"]);

    /// <summary>Backs up what is on it between an example's scripts, which must succeed.</summary>
    public async Task<RecoveryPoint> BackUpAsync(FolderVault vault, ScriptFolder scripts, params string[] exclude)
    {
        BackupResult backup = await vault.BackUpAsync(new BackupRequest
        {
            MachineName = "m",
            Sources = [new BackupSource.Tree(Path, new SourceSelection { Exclude = exclude })],
            Snapshots = new SnapshotOptions(SnapshotMode.Require, Folder["records"]),
            ScriptFile = scripts.File,
        });
        Assert.Empty(vault.Warnings.Select(warning => warning.Message));
        Assert.Equal((RecoveryPointStatus.Completed, ConsistencyLevel.Application), (backup.Point.Status, backup.Point.Consistency!.Level));
        return backup.Point;
    }

    /// <summary>Restores a point to a folder of its own, and gives where the volume's data are then.</summary>
    public async Task<string> RestoreAsync(FolderVault vault, RecoveryPoint point, int round)
    {
        string target = Folder[$"restored-{round}"];
        await vault.RestoreAsync(point, target);
        Assert.Empty(vault.Skipped);
        return target + Path;
    }

    /// <summary>Waits until there is something to be read that a program writes at the same time.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(20, Cancel);
        }
    }

    public void Dispose()
    {
        _mount?.Dispose();
        Folder.Dispose();
    }
}
