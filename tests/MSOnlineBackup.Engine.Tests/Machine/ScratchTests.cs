using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class ScratchTests : IDisposable
{
    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task The_scratch_folder_moves_with_its_key_file()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);
        Assert.Equal(Path.Combine(_agents.State, "scratch"), agent.Machine.Scratch.Path);
        string target = Directory.CreateDirectory(_agents["target"]).FullName;

        await agent.Machine.Scratch.MoveAsync(target, Cancel);

        Assert.Equal(target, _agents.Open().Machine.Scratch.Path);
        Assert.False(File.Exists(_agents.Key));
        Assert.Equal(1, (await _agents.BackUpAsync(agent)).UnchangedFiles);
    }

    [Fact]
    public async Task A_move_that_fails_leaves_the_old_folder_in_force()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string target = Directory.CreateDirectory(_agents["target"]).FullName;
        Directory.CreateDirectory(Path.Combine(target, KeyFile.Name, "in the way"));

        await FailsAsync(BackupErrorId.ActivationFailed, null, () => agent.Machine.Scratch.MoveAsync(target, Cancel));

        Assert.Equal(Path.Combine(_agents.State, "scratch"), agent.Machine.Scratch.Path);
        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_move_that_stops_before_the_switch_leaves_the_old_folder_in_force_and_can_be_done_again()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string target = Directory.CreateDirectory(_agents["target"]).FullName;
        string inTheWay = Directory.CreateDirectory(Path.Combine(_agents.State, "machine.json.new", "in the way")).FullName;

        await FailsAsync(BackupErrorId.StateAccessDenied, null, () => agent.Machine.Scratch.MoveAsync(target, Cancel));

        Assert.True(File.Exists(Path.Combine(target, KeyFile.Name)));
        Assert.Equal(Path.Combine(_agents.State, "scratch"), _agents.Open().Machine.Scratch.Path);
        await agent.OpenEngineAsync(Cancel);
        Directory.Delete(Path.GetDirectoryName(inTheWay)!, recursive: true);
        await agent.Machine.Scratch.MoveAsync(target, Cancel);
        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_move_to_the_same_folder_by_another_path_keeps_the_key_file()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        Directory.CreateSymbolicLink(_agents["other way"], _agents.State);

        await agent.Machine.Scratch.MoveAsync(Path.Combine(_agents["other way"], "scratch"), Cancel);

        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_job_that_reads_the_key_while_the_scratch_folder_moves_finds_it()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        Task moving = Task.Run(
            async () =>
            {
                for (int i = 0; i < 50; i++)
                {
                    await _agents.Open().Machine.Scratch.MoveAsync(Directory.CreateDirectory(_agents[$"folder {i}"]).FullName, Cancel);
                }
            },
            Cancel);

        UnlockedKey key = agent.Machine.Key.Read();
        while (!moving.IsCompleted)
        {
            Assert.Equal(key.MasterKey, agent.Machine.Key.Read().MasterKey);
        }

        await moving;
        Assert.Equal(key.MasterKey, agent.Machine.Key.Read().MasterKey);
    }

    [Fact]
    public async Task After_the_loss_of_a_scratch_folder_another_one_and_a_repair_are_enough()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string lost = Directory.CreateDirectory(_agents["lost"]).FullName;
        await agent.Machine.Scratch.MoveAsync(lost, Cancel);
        Directory.Delete(lost, recursive: true);

        await agent.Machine.Scratch.MoveAsync(Directory.CreateDirectory(_agents["new"]).FullName, Cancel);
        await agent.Machine.Key.RepairAsync(Passphrase, Cancel);

        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task Links_files_and_relative_paths_are_refused()
    {
        BackupAgent agent = _agents.Open();
        Directory.CreateDirectory(_agents["folder"]);
        Directory.CreateSymbolicLink(_agents["link"], _agents["folder"]);
        await File.WriteAllTextAsync(_agents["file"], "x", Cancel);

        Assert.Contains("link", (await RefusedAsync(agent, _agents["link"])).Message, StringComparison.Ordinal);
        Assert.Contains("no such folder", (await RefusedAsync(agent, _agents["file"])).Message, StringComparison.Ordinal);
        Assert.Contains("no such folder", (await RefusedAsync(agent, _agents["none"])).Message, StringComparison.Ordinal);
        Assert.Contains("absolute", (await RefusedAsync(agent, "folder")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_folder_is_refused_and_a_plain_one_taken()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("btrfs"), "Needs root on Linux and Btrfs.");
        BackupAgent agent = _agents.Open();
        string point = _agents["btrfs"];
        using MountedFileSystem mounted = MountedFileSystem.InImage(_agents["image"], point, "btrfs");
        string compressed = Directory.CreateDirectory(Path.Combine(point, "compressed")).FullName;
        string plain = Directory.CreateDirectory(Path.Combine(point, "plain")).FullName;
        Shell.RunChecked("chattr", "+c", compressed);

        Assert.Contains("compressed", (await RefusedAsync(agent, compressed)).Message, StringComparison.Ordinal);
        await agent.Machine.Scratch.MoveAsync(plain, Cancel);
    }

    [Theory]
    [InlineData("nfs4", true)]
    [InlineData("cifs", true)]
    [InlineData("smb3", true)]
    [InlineData("fuse.sshfs", true)]
    [InlineData("fuseblk", true)]
    [InlineData("9p", true)]
    [InlineData("ext4", false)]
    [InlineData("xfs", false)]
    [InlineData("btrfs", false)]
    [InlineData("overlay", false)]
    public void File_systems_of_other_machines_and_of_programs_are_known(string name, bool remote) =>
        Assert.Equal(remote, Scratch.IsRemote(name));

    [Theory]
    [InlineData("1\n", true)]
    [InlineData("0\n", false)]
    public void A_disk_that_can_be_taken_out_is_known_by_its_partition_too(string content, bool removable)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links.");
        string disk = Directory.CreateDirectory(Path.Combine(_agents["root"], "sys", "devices", "sdb")).FullName;
        string partition = Directory.CreateDirectory(Path.Combine(disk, "sdb1")).FullName;
        string devices = Directory.CreateDirectory(Path.Combine(_agents["root"], "sys", "dev", "block")).FullName;
        File.WriteAllText(Path.Combine(disk, "removable"), content);
        Directory.CreateSymbolicLink(Path.Combine(devices, "8:16"), disk);
        Directory.CreateSymbolicLink(Path.Combine(devices, "8:17"), partition);

        Assert.Equal(removable, Scratch.IsRemovable(_agents["root"], (8UL << 32) | 16));
        Assert.Equal(removable, Scratch.IsRemovable(_agents["root"], (8UL << 32) | 17));
        Assert.False(Scratch.IsRemovable(_agents["root"], (8UL << 32) | 99));
    }

    [Theory]
    [InlineData(100, 2000, false, true)]
    [InlineData(99, 2000, true, true)]
    [InlineData(200, 2000, false, false)]
    [InlineData(199, 2000, false, true)]
    [InlineData(1, 21, true, true)]
    [InlineData(0, 0, false, false)]
    [InlineData(0, long.MaxValue, true, true)]
    public void Below_five_percent_it_is_full_and_below_ten_low(long free, long protectedBytes, bool full, bool low)
    {
        var check = new ScratchCheck("/scratch", free, protectedBytes);

        Assert.Equal((full, low), (check.IsFull, check.IsLow));
    }

    [Fact]
    public async Task A_scratch_volume_that_is_too_small_for_the_data_is_told_with_both_figures()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux to mount.");
        BackupAgent agent = _agents.Open();
        using MountedFileSystem mounted = MountedFileSystem.InMemory(_agents["small"], "64m");
        await agent.Machine.Scratch.MoveAsync(_agents["small"], Cancel);

        ScratchCheck check = agent.Machine.Scratch.CheckRoom(4L << 30);
        BackupException fault = Assert.Throws<BackupException>(check.ThrowIfFull);

        Assert.Equal((BackupErrorId.ScratchFull, "SalLowDiskSpace"), (fault.Id, fault.ErrorCode));
        Assert.InRange(check.FreeBytes, 1, 64 << 20);
        agent.Machine.Scratch.CheckRoom(64 << 20).ThrowIfFull();
    }

    private static Task<BackupException> RefusedAsync(BackupAgent agent, string folder) =>
        FailsAsync(BackupErrorId.ScratchInvalid, null, () => agent.Machine.Scratch.MoveAsync(folder, Cancel));
}
