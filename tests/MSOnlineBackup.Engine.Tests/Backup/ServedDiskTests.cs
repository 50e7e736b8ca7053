using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Mounts.Nbd;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>What reads disks of recovery points: views, NBD, comparisons.</summary>
public sealed class ServedDiskTests : IDisposable
{
    private const int Block = DiskGrid.SmallBlockBytes;

    private readonly BackupFixture _backups = new();
    private readonly FakeDisk _disk = new((700L * Block) + 512);

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_view_and_a_client_of_NBD_see_the_disk_as_it_was()
    {
        (_, RecoveryPoint point) = await MakeAsync();
        byte[] content = _disk.ToArray();
        IndexedVault vault = await (await _backups.OpenAsync()).IndexAsync(Cancel);
        using IItemView view = await vault.OpenViewAsync(point, new ViewOptions(), Cancel);
        ViewItem item = view.Root;
        foreach (string name in (string[])["vm1", "vda.raw"])
        {
            item = (await view.FindAsync(item.Id, System.Text.Encoding.UTF8.GetBytes(name), Cancel))!;
        }

        await using NbdServer server = NbdServer.Start(view, item, new NbdOptions());
        using NbdClient client = await NbdClient.ConnectAsync(server.Address, Cancel);
        await client.GoAsync(new Uri(server.Address).AbsolutePath[1..], isStructured: false, Cancel);
        var random = new Random(1);
        for (int i = 0; i < 60; i++)
        {
            int offset = random.Next(content.Length - 5000);
            byte[] read = new byte[5000];
            Assert.Equal(5000, await view.ReadAsync(item.Id, offset, read, Cancel));
            await client.SendAsync(0, (ulong)i, (ulong)offset, 5000, Cancel);
            Assert.Equal((0U, (ulong)i), await client.ReadSimpleAsync(Cancel));
            Assert.Equal(read, await client.ReadAsync(5000, Cancel));
            Assert.Equal(content[offset..(offset + 5000)], read);
        }

        Assert.Equal(Block, await view.SeekAsync(item.Id, 0, isHole: true, Cancel));
        Assert.Equal(2 * Block, await view.SeekAsync(item.Id, Block, isHole: false, Cancel));
    }

    [Fact]
    public async Task A_comparison_weighs_the_blocks_that_changed()
    {
        (RecoveryPoint first, RecoveryPoint second) = await MakeAsync();
        IndexedVault vault = await (await _backups.OpenAsync()).IndexAsync(Cancel);

        PointDifference difference = Assert.Single(
            await vault.CompareAsync(first, second, Cancel).ToListAsync(Cancel), difference => difference.Item.FullPath == "vm1/vda.raw");

        Assert.Equal(PointChange.Changed, difference.Change);
        Assert.Equal(Block, difference.NewBytes);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    // More slices than stand in an entry: every other block has data.
    private async Task<(RecoveryPoint First, RecoveryPoint Second)> MakeAsync()
    {
        for (int i = 0; i < 350; i++)
        {
            _disk.Write(2L * i * Block, TestKeys.Bytes(i, 100));
        }

        BackupResult first = await BackUpAsync();
        _disk.Commit();
        _disk.Write(400L * Block, TestKeys.Bytes(1000, 100)).Begin(first.Point.SessionId);
        return (first.Point, (await BackUpAsync()).Point);
    }

    private Task<BackupResult> BackUpAsync() => _backups.BackUpAsync(new BackupRequest
    {
        MachineName = BackupFixture.Machine,
        Sources = [new BackupSource.Composed("vm1", [new ComposedFile("vda.raw", _disk) { BlockBytes = Block }])],
    });
}
