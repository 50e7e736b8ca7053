using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Images;

/// <summary>Disks of machines that are off.</summary>
public sealed class OfflineDiskTests
{
    private const int MiB = 1 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_raw_image_is_read_and_its_holes_are_known()
    {
        using var folder = new TempFolder();
        await using (FileStream file = File.Create(folder["disk.raw"]))
        {
            file.SetLength(64 * MiB);
            file.Position = 8 * MiB;
            byte[] some = new byte[MiB];
            some.AsSpan().Fill(7);
            await file.WriteAsync(some, Stop);
        }

        using OfflineDisk disk = await OfflineDisk.OpenAsync(folder["disk.raw"], "raw", "disk", folder.Path, Stop);

        Assert.Equal(64 * MiB, disk.Length);
        Assert.NotNull(disk.Note);
        Assert.Null(disk.Changes);
        var copy = new DiskCopy();
        copy.Take(disk, Session(1));
        Assert.True(copy.Is(await File.ReadAllBytesAsync(folder["disk.raw"], Stop)));
        Assert.InRange(copy.BytesRead, MiB, 64 * MiB);
        Assert.False(await disk.CommitAsync(Session(1), Stop));
        Assert.Equal(["disk.raw"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_raw_image_that_is_cut_meanwhile_is_an_error()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["disk.raw"], new byte[MiB], Stop);
        using OfflineDisk disk = await OfflineDisk.OpenAsync(folder["disk.raw"], "raw", "disk", folder.Path, Stop);
        await File.WriteAllBytesAsync(folder["disk.raw"], new byte[100], Stop);

        BackupException error = Assert.Throws<BackupException>(() => disk.Read(0, new byte[MiB]));

        Assert.Equal(BackupErrorId.SourceItemUnreadable, error.Id);
        Assert.True(disk.WasWritten);
    }

    [Fact]
    public async Task An_image_tells_what_changed_while_its_machine_ran_and_records_on()
    {
        using var folder = new TempFolder();
        var copy = new DiskCopy();
        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 16 * MiB)))
        {
            await machine.WriteAsync("a", 1, 0, 4 * MiB);
            await machine.QuitAsync();
        }

        Assert.False(await TakeAsync(Session(1)));
        await RunAsync(2, 8 * MiB);
        Assert.True(await TakeAsync(Session(2)));
        Assert.InRange(copy.BytesRead, 65536, 131072);
        Assert.True(await TakeAsync(Session(3)));
        Assert.Equal(0, copy.BytesRead);

        // And from off to on: what an image recorded while off counts where the machine runs again.
        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 0)))
        {
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            await machine.WriteAsync("a", 9, MiB, 65536);
            await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), new MomentOptions { WorkFolder = folder.Path }, Stop);
            Assert.True(copy.Take(backup.Disks[0].Content, Session(4)));
            await backup.CommitAsync(Session(4), Stop);
            await machine.QuitAsync();
        }

        Assert.True(await TakeAsync(Session(5)));
        Assert.Equal(0, copy.BytesRead);
        Shell.RunChecked("qemu-img", "convert", "-O", "raw", folder["a.qcow2"], folder["a.raw"]);
        Assert.True(copy.Is(await File.ReadAllBytesAsync(folder["a.raw"], Stop)));

        // Killed: the record is of no use.
        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 0)))
        {
            await machine.WriteAsync("a", 3, 0, 512);
            await machine.KillAsync();
        }

        Assert.False(await TakeAsync(Session(6)));
        Assert.True(await TakeAsync(Session(7)));

        async Task<bool> TakeAsync(SessionId session)
        {
            using OfflineDisk disk = await OfflineDisk.OpenAsync(folder["a.qcow2"], "qcow2", "drive-a", folder.Path, Stop);
            bool isIncremental = copy.Take(disk, session);
            Assert.Equal(isIncremental, disk.Note is null);
            Assert.True(await disk.CommitAsync(session, Stop));
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path, "obengine-*"));
            return isIncremental;
        }

        async Task RunAsync(byte pattern, long offset)
        {
            await using TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 0));
            await machine.WriteAsync("a", pattern, offset, 65536);
            await machine.QuitAsync();
        }
    }

    [Fact]
    public async Task An_image_of_a_machine_that_runs_is_refused()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", MiB));

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => OfflineDisk.OpenAsync(machine["a.qcow2"], "qcow2", "a", Path.GetDirectoryName(machine.Monitor)!, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineProgramUnusable, error.Id);
        Assert.Contains("lock", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_image_of_the_format_is_refused()
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["a.qcow2"], new byte[MiB], Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => OfflineDisk.OpenAsync(folder["a.qcow2"], "qcow2", "drive-a", folder.Path, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineProgramUnusable, error.Id);
    }

    private static SessionId Session(int number) => SessionId.Parse($"{number:x32}");
}
