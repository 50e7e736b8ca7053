using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>Block devices that are named as sources.</summary>
public sealed class BlockDeviceTests : IDisposable
{
    private const int Length = (6 << 20) + 4096;

    private readonly BackupFixture _backups = new();
    private readonly TempFolder _folder = new();
    private LoopDevice? _device;

    public void Dispose()
    {
        _device?.Dispose();
        _folder.Dispose();
        _backups.Dispose();
    }

    [Fact]
    public async Task A_device_is_a_file_of_its_length_that_is_restored_as_an_image()
    {
        byte[] content = Make();

        BackupResult result = await _backups.BackUpAsync(Request(_device!.Path));

        RecoveryPointSource source = Assert.Single(result.Point.Sources);
        Assert.Equal((_device.Path, ConsistencyLevel.Crash, null), (source.ShownPath, source.Consistency!.Level, source.Warning));
        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))[_device.Path];
        Assert.Equal((EntryKind.File, (long)Length), (entry.Kind, entry.Size));
        Assert.Equal(
            [(false, 1L << 20), (false, 1 << 20), (false, 1 << 20), (true, 2 << 20), (false, 1 << 20), (false, 4096)],
            entry.Content.Slices.Select(slice => (slice.Chunk is null, slice.Length)));
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            await vault.RestoreAsync(new RestoreRequest { Point = result.Point, TargetFolder = _folder["target"] }, new JobMonitor(), Cancel);
        }

        Assert.Equal(content, await File.ReadAllBytesAsync(_folder["target"] + _device.Path, Cancel));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task Only_blocks_that_changed_are_stored_again()
    {
        byte[] content = Make();
        await _backups.BackUpAsync(Request(_device!.Path));
        TestKeys.Bytes(7, 10).CopyTo(content, 1 << 20);
        await using (FileStream image = new(_device.Path, FileMode.Open, FileAccess.Write))
        {
            image.Position = 1 << 20;
            await image.WriteAsync(content.AsMemory(1 << 20, 512), Cancel);
            image.Flush(flushToDisk: true);
        }

        BackupResult second = await _backups.BackUpAsync(Request(_device.Path));

        Assert.Equal(1 << 20, second.Point.NewBytes);
        Assert.Equal(Length, second.ReadBytes);
        Assert.Equal(content, await _backups.ReadAsync(second.Point, _device.Path));
    }

    [Fact]
    public async Task A_link_to_a_device_is_the_source()
    {
        byte[] content = Make();
        string link = _folder["link"];
        File.CreateSymbolicLink(link, _device!.Path);

        BackupResult result = await _backups.BackUpAsync(Request(link));

        Assert.Equal(link, result.Point.Sources[0].ShownPath);
        Assert.Equal(content, await _backups.ReadAsync(result.Point, link));
    }

    [Fact]
    public async Task What_is_mounted_for_writing_is_taken_with_a_warning()
    {
        Assert.SkipUnless(LoopDevice.CanMake && MountedFileSystem.CanMake("ext4"), "Needs root on Linux, loop devices and mkfs.ext4.");
        string image = _folder["image"];
        using var mount = MountedFileSystem.InImage(image, _folder["point"], "ext4", 16 << 20);
        string device = Shell.RunChecked("losetup", "--noheadings", "--output", "NAME", "--associated", image).Trim();

        BackupResult result = await _backups.BackUpAsync(Request(device));

        RecoveryPointSource source = result.Point.Sources[0];
        Assert.Equal(ConsistencyLevel.None, source.Consistency!.Level);
        Assert.Contains(_folder["point"], source.Warning, StringComparison.Ordinal);
        mount.Remount("ro");
        Assert.Equal(ConsistencyLevel.Crash, (await _backups.BackUpAsync(Request(device))).Point.Sources[0].Consistency!.Level);
    }

    [Theory]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Overwrite)]
    [InlineData(RestoreConflict.Copy)]
    public async Task A_restore_to_where_the_device_is_leaves_it_and_its_folder_alone(RestoreConflict conflict)
    {
        Make();
        BackupResult result = await _backups.BackUpAsync(Request(_device!.Path));
        string node = _folder["target"] + _device.Path;
        Directory.CreateDirectory(Path.GetDirectoryName(node)!);
        Shell.RunChecked("mknod", node, "b", "7", "250");

        RestoreResult restored;
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            restored = await vault.RestoreAsync(new RestoreRequest { Point = result.Point, TargetFolder = _folder["target"], Conflict = conflict }, new JobMonitor(), Cancel);
        }

        Assert.Equal(1, restored.Skipped);
        Assert.Equal([node], Directory.GetFileSystemEntries(Path.GetDirectoryName(node)!));
        Assert.Equal("block special file", Shell.RunChecked("stat", "--format", "%F", node).Trim());
    }

    [Fact]
    public async Task A_preview_and_the_selection_know_it()
    {
        Make();
        using UnlockedVault vault = await _backups.OpenAsync();

        BackupPreviewItem item = Assert.Single(await (await vault.IndexAsync(Cancel)).PreviewAsync(Request(_device!.Path), Cancel).ToListAsync(Cancel));

        Assert.Equal((_device.Path, EntryKind.File, (long)Length, PreviewChange.New), (item.Path, item.Kind, item.Size, item.Change));
        BackupException none = await _backups.FailAsync(new BackupRequest
        {
            MachineName = BackupFixture.Machine,
            Sources = [new BackupSource.Tree(_device.Path, new SourceSelection { ExcludeLargerThan = Length - 1 })],
        });
        Assert.Equal(BackupErrorId.SourceMissing, none.Id);
    }

    // Data, two blocks of zeroes, data, and an end that is no whole block.
    private byte[] Make()
    {
        Assert.SkipUnless(LoopDevice.CanMake, "Needs root on Linux, and loop devices.");
        byte[] content = TestKeys.Bytes(1, Length);
        content.AsSpan(3 << 20, 2 << 20).Clear();
        File.WriteAllBytes(_folder["image"], content);
        _device = new LoopDevice(_folder["image"]);
        return content;
    }
}
