using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>A backup that fills the vault's disk, and maintenance on a disk without a byte of room.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private MountedFileSystem? _mount;

    public static TheoryData<string> Kinds => ["ext4", "xfs", "btrfs"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _mount?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_backup_that_fills_the_disk_is_cleared_away_with_no_byte_of_room_left(string kind)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && MountedFileSystem.CanMake(kind),
            $"mounts a file system: needs root, Linux and mkfs.{kind}");
        string disk = _folder["disk"];
        _mount = MountedFileSystem.InImage(_folder["image"], disk, kind);
        new SourceTreeBuilder(_folder["source"]).Populate(seed: 1, items: 40, largestFile: 300_000);
        FolderVault vault = await FolderVault.CreateAsync(disk + "/vault");
        RecoveryPoint point = (await vault.BackUpAsync(_folder["source"])).Point;
        await MaintainAsync(vault);

        // So little room is left that the backup ends before its first checkpoint: what it sent is of no use to anybody.
        new SourceTreeBuilder(disk).File("ballast", 220 << 20, seed: 9);
        new SourceTreeBuilder(_folder["large"]).File("more-than-fits", 560 << 20, seed: 5);
        BackupException full = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(_folder["large"]));
        Assert.Equal(BackupErrorId.VaultFull, full.Id);
        Fill(disk);

        MaintenanceReport report = await MaintainAsync(vault);
        Assert.Empty(report.WaitingFor);
        Assert.NotEqual(0, report.Packs.BytesFreed);
        IReadOnlyList<string> untidy = await (await OpenedVault.OpenAsync(new FolderVaultStore(vault.Folder), Obengine.Passphrase, Stop)).FindUntidyAsync(Stop);
        Assert.True(untidy.Count == 0, string.Join('\n', untidy));
        Assert.Empty(await vault.VerifyAsync());
        File.Delete(disk + "/filler");
        await vault.RestoreAsync(point, _folder["target"]);
        Assert.Empty(TreeComparer.Compare(_folder["source"], _folder["target"] + _folder["source"]));
    }

    private static async Task<MaintenanceReport> MaintainAsync(FolderVault vault)
    {
        using UnlockedVault opened = await vault.OpenAsync();
        return await opened.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Stop);
    }

    // In ever smaller steps, to the last byte that the file system gives.
    private static void Fill(string disk)
    {
        using var filler = new FileStream(disk + "/filler", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] bytes = new byte[1 << 20];
        Random.Shared.NextBytes(bytes);
        for (int step = bytes.Length; step > 0; step /= 2)
        {
            try
            {
                while (true)
                {
                    filler.Write(bytes, 0, step);
                    filler.Flush(flushToDisk: true);
                }
            }
            catch (IOException)
            {
                // No room for a step of this size: a smaller one may fit.
            }
        }
    }
}
