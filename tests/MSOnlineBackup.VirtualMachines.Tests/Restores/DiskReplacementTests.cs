using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Restores;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Restores;

/// <summary>Disks that are replaced by what they were, and put back.</summary>
public sealed class DiskReplacementTests : IAsyncLifetime
{
    private readonly RestoreFixture _fixture = new();
    private readonly byte[] _before = RestoreFixture.Content(4);
    private readonly byte[] _now = RestoreFixture.Content(4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Image => _fixture.Folder["vda.raw"];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_replaced_disk_is_as_it_was_and_undo_gives_back_the_one_before_byte_for_byte()
    {
        RecoveryPoint point = await PrepareAsync();

        RestoredMachine replaced = await ReplaceAsync(point);

        Assert.Equal(_before, await File.ReadAllBytesAsync(Image, Stop));
        Assert.Equal(_now, await File.ReadAllBytesAsync(replaced.Kept!, Stop));
        Assert.NotNull(replaced.SafetyPoint);
        RecoveryPoint safety = (await (await _fixture.UnlockAsync()).ListPointsAsync("vm1", Stop)).Single(each => each.SessionId.ToString() == replaced.SafetyPoint);
        Assert.Contains(DiskReplacement.Tag, safety.Tags);
        Assert.Equal(BackupErrorId.MachineTargetTaken, (await Assert.ThrowsAsync<BackupException>(() => ReplaceAsync(point))).Id);

        await UndoAsync(point);

        Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
        Assert.Equal(BackupErrorId.MachinePointUnfit, (await Assert.ThrowsAsync<BackupException>(() => ReplaceAsync(point, disk: "vdb"))).Id);
    }

    [Fact]
    public async Task Where_the_file_that_was_kept_is_gone_undo_takes_the_safety_point()
    {
        RecoveryPoint point = await PrepareAsync();
        RestoredMachine replaced = await ReplaceAsync(point);
        File.Delete(replaced.Kept!);

        RestoredMachine undone = await UndoAsync(point);

        Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
        Assert.Equal(_before, await File.ReadAllBytesAsync(undone.Kept!, Stop));
        Assert.Equal(replaced.SafetyPoint, undone.SafetyPoint);
    }

    [Theory]
    [InlineData("safety", false)]
    [InlineData("write", false)]
    [InlineData("swap", false)]
    [InlineData("linked", false)]
    [InlineData("done", true)]
    public async Task Whenever_it_ends_the_name_has_the_one_or_the_other_and_it_can_go_on_either_way(string step, bool isReplaced)
    {
        RecoveryPoint point = await PrepareAsync();
        await EndAtAsync(point, step);
        Assert.Equal(isReplaced ? _before : _now, await File.ReadAllBytesAsync(Image, Stop));

        if (isReplaced)
        {
            await UndoAsync(point);
            Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
            return;
        }

        await LeaveAsync(point, step);
        BackupException nothing = await Assert.ThrowsAsync<BackupException>(() => UndoAsync(point));
        Assert.Equal(BackupErrorId.DiskNotReplaced, nothing.Id);
        Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
        Assert.Equal(["vda.raw"], Directory.GetFiles(_fixture.Folder.Path).Select(Path.GetFileName));

        await EndAtAsync(point, step);
        await LeaveAsync(point, step);
        await ReplaceAsync(point);
        Assert.Equal(_before, await File.ReadAllBytesAsync(Image, Stop));
        await UndoAsync(point);
        Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
    }

    [Fact]
    public async Task A_file_that_was_kept_is_never_taken_for_what_a_kill_has_left()
    {
        RecoveryPoint point = await PrepareAsync();
        RestoredMachine replaced = await ReplaceAsync(point);
        await File.WriteAllTextAsync(RestoreFiles.StagedName(Image, point.SessionId), "of another restore", Stop);

        await Assert.ThrowsAsync<BackupException>(() => ReplaceAsync(point));

        Assert.Equal(_now, await File.ReadAllBytesAsync(replaced.Kept!, Stop));
        await UndoAsync(point);
        Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
    }

    [Fact]
    public async Task A_disk_that_is_written_while_it_is_replaced_stays()
    {
        RecoveryPoint point = await PrepareAsync();
        using MachinePoint opened = await _fixture.OpenAsync(point);
        var replacement = new DiskReplacement(await _fixture.UnlockAsync(), opened, new JobMonitor())
        {
            Reached = step => File.SetLastWriteTimeUtc(Image, step == "swap" ? DateTime.UnixEpoch : File.GetLastWriteTimeUtc(Image)),
        };

        BackupException written = await Assert.ThrowsAsync<BackupException>(() => replacement.RunAsync(Request("vda"), Stop));

        Assert.Equal(BackupErrorId.MachineNotOff, written.Id);
        Assert.Equal(_now, await File.ReadAllBytesAsync(Image, Stop));
        Assert.Equal(["vda.raw"], Directory.GetFiles(_fixture.Folder.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("vda.raw")]
    [InlineData("vda.qcow2")]
    public async Task The_disk_of_a_machine_that_runs_is_not_replaced(string image)
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        RecoveryPoint point;
        await using (TestMachine off = await TestMachine.StartAsync(_fixture.Folder, (image, 4 << 20)))
        {
            await off.WriteAsync("vda", 1, 0, 1 << 20);
            await off.QuitAsync();
        }

        point = await _fixture.BackUpAsync(image);
        await using TestMachine machine = await TestMachine.StartAsync(_fixture.Folder, (image, 4 << 20));
        foreach (bool undo in (bool[])[false, true])
        {
            BackupException refused = await Assert.ThrowsAsync<BackupException>(() => undo ? UndoAsync(point) : ReplaceAsync(point));
            Assert.Equal(BackupErrorId.MachineNotOff, refused.Id);
        }

        using MachinePoint opened = await _fixture.OpenAsync(point);
        BackupException over = await Assert.ThrowsAsync<BackupException>(() => MachineRestore.RestoreDiskAsync(opened, "vda", _fixture.Folder[image], null, ExistingFiles.Replace, new JobMonitor(), Stop));
        Assert.Equal(BackupErrorId.MachineNotOff, over.Id);
        await machine.QuitAsync();

        await ReplaceAsync(point);
        await UndoAsync(point);
    }

    private async Task<RecoveryPoint> PrepareAsync()
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        await File.WriteAllBytesAsync(Image, _before, Stop);
        RecoveryPoint point = await _fixture.BackUpAsync("vda.raw");
        await File.WriteAllBytesAsync(Image, _now, Stop);
        return point;
    }

    private DiskReplacementRequest Request(string disk) => new() { Disk = disk, WorkFolder = _fixture.Folder.Path };

    // What a kill leaves, and an exception does not.
    private async Task LeaveAsync(RecoveryPoint point, string step)
    {
        await File.WriteAllTextAsync(RestoreFiles.StagedName(Image, point.SessionId), "half", Stop);
        if (step == "linked")
        {
            Shell.RunChecked("ln", Image, DiskReplacement.KeptName(Image, point.SessionId));
        }
    }

    private async Task EndAtAsync(RecoveryPoint point, string step)
    {
        using MachinePoint opened = await _fixture.OpenAsync(point);
        var replacement = new DiskReplacement(await _fixture.UnlockAsync(), opened, new JobMonitor())
        {
            Reached = reached => _ = reached == step ? throw new OperationCanceledException(step) : 0,
        };
        await Assert.ThrowsAsync<OperationCanceledException>(() => replacement.RunAsync(Request("vda"), Stop));
    }

    private async Task<RestoredMachine> ReplaceAsync(RecoveryPoint point, string disk = "vda")
    {
        using MachinePoint opened = await _fixture.OpenAsync(point);
        return await new DiskReplacement(await _fixture.UnlockAsync(), opened, new JobMonitor()).RunAsync(Request(disk), Stop);
    }

    private async Task<RestoredMachine> UndoAsync(RecoveryPoint point)
    {
        using MachinePoint opened = await _fixture.OpenAsync(point);
        return await new DiskReplacement(await _fixture.UnlockAsync(), opened, new JobMonitor()).UndoAsync(Request("vda"), Stop);
    }
}
