using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>A block device of the kernel, backed up again and again, and restored.</summary>
public sealed class BlockDeviceTests : IDisposable
{
    private const int Piece = 2 << 20;

    private readonly TempFolder _folder = new();

    private static long Length => Campaign.IsFull ? 2L << 30 : 256L << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_device_of_which_10_MiB_changed_stores_little_more_and_comes_back_as_it_was()
    {
        Assert.SkipUnless(LoopDevice.CanMake, "Needs root on Linux, and loop devices.");
        var random = new Random(1);
        await using (FileStream image = File.Create(_folder["image"]))
        {
            // Data, and a quarter that was never written.
            byte[] piece = new byte[Piece];
            for (long at = 0; at < Length / 4 * 3; at += Piece)
            {
                random.NextBytes(piece);
                await image.WriteAsync(piece, Stop);
            }

            image.SetLength(Length);
        }

        using var device = new LoopDevice(_folder["image"]);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult first = await vault.BackUpAsync(device.Path);
        Assert.InRange(first.Point.StoredBytes, Length / 4 * 3, Length / 4 * 3 + (Length / 50));
        await using (FileStream disk = new(device.Path, FileMode.Open, FileAccess.Write))
        {
            byte[] piece = new byte[Piece];
            for (int i = 0; i < 5; i++)
            {
                random.NextBytes(piece);
                disk.Position = random.NextInt64((Length - Piece) / 4096) * 4096;
                await disk.WriteAsync(piece, Stop);
            }

            disk.Flush(flushToDisk: true);
        }

        BackupResult second = await vault.BackUpAsync(device.Path);

        Assert.InRange(second.Point.StoredBytes, 10 << 20, 20 << 20);
        await vault.RestoreAsync(second.Point, _folder["target"]);
        Shell.RunChecked("cmp", device.Path, _folder["target"] + device.Path);
        Assert.Empty(await vault.VerifyAsync());
    }
}
