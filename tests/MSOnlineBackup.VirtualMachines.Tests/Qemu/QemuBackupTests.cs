using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Qemu;

/// <summary>Backups of machines under a real QEMU.</summary>
public sealed class QemuBackupTests
{
    private const int MiB = 1 << 20;

    private int _sessions;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_disks_are_listed()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 8 * MiB), ("b.raw", 4 * MiB));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);

        IReadOnlyList<QemuDisk> disks = await qemu.ListDisksAsync(Stop);

        Assert.Equal("test", qemu.Name);
        Assert.Null(qemu.Uuid);
        Assert.Equal(["drive-a", "b"], disks.Select(disk => disk.Name));
        Assert.Equal(["S-a", "S-b"], disks.Select(disk => disk.Serial));
        Assert.Equal([8 * MiB, 4 * MiB], disks.Select(disk => disk.Size));
        Assert.Equal(["qcow2", "raw"], disks.Select(disk => disk.Format));
        Assert.Equal([machine["a.qcow2"], machine["b.raw"]], disks.Select(disk => disk.File!));
        Assert.All(disks, disk => Assert.False(disk.IsReadOnly));
    }

    [Fact]
    public async Task Two_disks_of_one_moment_full_and_ten_times_what_changed()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 32 * MiB), ("b.raw", 16 * MiB));
        string[] names = ["a", "b"];
        byte[][] expected = [new byte[32 * MiB], new byte[16 * MiB]];
        DiskCopy[] copies = [new(), new()];
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);

        for (int round = 0; round <= 10; round++)
        {
            for (int disk = 0; disk < 2; disk++)
            {
                await WriteAsync(disk, (byte)(round + 1), (((round * 3) + disk) % 11) * MiB, round == 0 ? 5 * MiB : 64 << 10);
                await WriteAsync(disk, (byte)(round + 100), 700_000 * (round + 1), 1000);
            }

            await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop);
            for (int disk = 0; disk < 2; disk++)
            {
                // What comes after the moment is not of it.
                await machine.WriteAsync(names[disk], 0xee, 0, 2 * MiB);
            }

            SessionId session = NextSession();
            for (int disk = 0; disk < 2; disk++)
            {
                Assert.Equal(round > 0, copies[disk].Take(backup.Disks[disk].Content, session));
                Assert.Equal(round == 0, backup.Disks[disk].Note is not null);
                Assert.True(copies[disk].Bytes.SequenceEqual(expected[disk]), $"Disk {disk} differs in round {round}.");
                Assert.InRange(copies[disk].BytesRead, 1, round == 0 ? 7 * MiB : 4 * MiB);
                expected[disk].AsSpan(0, 2 * MiB).Fill(0xee);
            }

            await backup.CommitAsync(session, Stop);
            Assert.Equal(ConsistencyLevel.Crash, backup.Consistency.Level);
            Assert.Empty(await machine.LeftoversAsync());
            Assert.Equal(2, (await machine.BitmapsAsync()).Count(name => name.Contains($"{session}", StringComparison.Ordinal)));
            Assert.Equal(2, (await machine.BitmapsAsync()).Count);
        }

        async Task WriteAsync(int disk, byte pattern, int offset, int length)
        {
            await machine.WriteAsync(names[disk], pattern, offset, length);
            expected[disk].AsSpan(offset, length).Fill(pattern);
        }
    }

    [Fact]
    public async Task A_tenth_of_what_is_there_is_read_where_that_changed()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 2L << 30));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        await machine.WriteAsync("a", 1, 0, 64 * MiB);
        await BackUpAsync(qemu, machine, static _ => { });

        for (int i = 0; i < 10; i++)
        {
            await machine.WriteAsync("a", 2, (i * 200L * MiB) + 12345, MiB);
        }

        await BackUpAsync(qemu, machine, disk =>
        {
            Assert.InRange(disk.Content.Changes!.Extents.Sum(extent => extent.Length), 10 * MiB, 16 * MiB);
            byte[] content = new byte[MiB];
            disk.Content.Read((200L * MiB) + 12345, content);
            Assert.Equal(-1, content.AsSpan().IndexOfAnyExcept((byte)2));
        });
    }

    [Fact]
    public async Task A_backup_that_is_not_committed_leaves_the_record_as_it_was()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 8 * MiB));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        SessionId first = await BackUpAsync(qemu, machine, static _ => { });
        await machine.WriteAsync("a", 1, 0, 65536);

        await using (await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop))
        {
            await machine.WriteAsync("a", 2, MiB, 65536);
        }

        Assert.Empty(await machine.LeftoversAsync());
        await BackUpAsync(qemu, machine, disk =>
        {
            Assert.Equal(first, disk.Content.Changes!.Since);
            Assert.Equal([(0L, 65536L), (MiB, 65536L)], disk.Content.Changes.Extents);
        });
    }

    [Fact]
    public async Task A_record_outlives_a_restart_of_the_machine_and_is_of_no_use_after_it_was_killed()
    {
        using var folder = new TempFolder();
        SessionId session;
        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 8 * MiB), ("b.raw", 8 * MiB)))
        {
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            session = await BackUpAsync(qemu, machine, static _ => { });
            await machine.WriteAsync("a", 1, 0, 65536);
            await machine.QuitAsync();
        }

        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 0), ("b.raw", 0)))
        {
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            await using (QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop))
            {
                Assert.Equal(session, backup.Disks[0].Content.Changes!.Since);
                Assert.Equal([(0L, 65536L)], backup.Disks[0].Content.Changes!.Extents);
                Assert.Null(backup.Disks[1].Content.Changes);
                Assert.Contains("no record", backup.Disks[1].Note!, StringComparison.Ordinal);
            }

            await machine.KillAsync();
        }

        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 0), ("b.raw", 0)))
        {
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            Assert.True(Assert.Single((await qemu.ListDisksAsync(Stop))[0].Bitmaps).IsInconsistent);
            session = await BackUpAsync(qemu, machine, disk =>
            {
                Assert.Null(disk.Content.Changes);
                Assert.NotNull(disk.Note);
            });
            await BackUpAsync(qemu, machine, disk => Assert.Equal(session, disk.Content.Changes!.Since));
        }
    }

    [Fact]
    public async Task What_a_disk_has_grown_by_is_read_and_a_smaller_one_all()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 8 * MiB), ("b.qcow2", 8 * MiB));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        await BackUpAsync(qemu, machine, static _ => { });
        await ResizeAsync("a", 12 * MiB);
        await ResizeAsync("b", 4 * MiB);

        await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop);

        Assert.Equal([(8L * MiB, 4L * MiB)], backup.Disks[0].Content.Changes!.Extents);
        Assert.Equal(12 * MiB, backup.Disks[0].Content.Length);
        Assert.Null(backup.Disks[1].Content.Changes);
        Assert.Contains("smaller", backup.Disks[1].Note!, StringComparison.Ordinal);

        async Task ResizeAsync(string name, long size)
        {
            QemuDisk disk = (await qemu.ListDisksAsync(Stop)).Single(disk => disk.Serial == $"S-{name}");
            await machine.Control.ExecuteAsync("block_resize", new JsonObject { ["node-name"] = disk.Node, ["size"] = size }, Stop);
        }
    }

    [Fact]
    public async Task A_disk_that_comes_is_read_whole_and_one_that_is_gone_refused()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 8 * MiB));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        SessionId session = await BackUpAsync(qemu, machine, static _ => { });
        Shell.RunChecked("qemu-img", "create", "-q", "-f", "qcow2", machine["new.qcow2"], "4M");
        await machine.Control.ExecuteAsync(
            "blockdev-add", new JsonObject { ["driver"] = "qcow2", ["node-name"] = "new", ["file"] = new JsonObject { ["driver"] = "file", ["filename"] = machine["new.qcow2"] } }, Stop);
        await machine.Control.ExecuteAsync("device_add", new JsonObject { ["driver"] = "scsi-hd", ["bus"] = "scsi.0", ["drive"] = "new", ["id"] = "new" }, Stop);

        IReadOnlyList<QemuDisk> disks = await qemu.ListDisksAsync(Stop);
        await using (QemuBackup backup = await qemu.BeginBackupAsync(disks, Options(machine), Stop))
        {
            Assert.Equal(session, backup.Disks[0].Content.Changes!.Since);
            Assert.Null(backup.Disks[1].Content.Changes);
            Assert.NotNull(backup.Disks[1].Note);
        }

        await machine.Control.ExecuteAsync("device_del", new JsonObject { ["id"] = "new" }, Stop);
        while ((await qemu.ListDisksAsync(Stop)).Count > 1)
        {
            await Task.Delay(10, Stop);
        }

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => qemu.BeginBackupAsync(disks, Options(machine), Stop));
        Assert.Equal(BackupErrorId.VirtualMachineUnfit, error.Id);
        Assert.Empty(await machine.LeftoversAsync());
    }

    [Fact]
    public async Task Bitmaps_and_a_server_of_somebody_else_are_left_alone()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 8 * MiB));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        string node = (await qemu.ListDisksAsync(Stop))[0].Node;
        await machine.Control.ExecuteAsync("block-dirty-bitmap-add", new JsonObject { ["node"] = node, ["name"] = "theirs" }, Stop);

        await BackUpAsync(qemu, machine, disk => Assert.NotNull(disk.Note));
        Assert.Contains("theirs", await machine.BitmapsAsync());

        await machine.Control.ExecuteAsync(
            "nbd-server-start", new JsonObject { ["addr"] = new JsonObject { ["type"] = "unix", ["data"] = new JsonObject { ["path"] = machine["theirs.sock"] } } }, Stop);
        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop));

        Assert.Equal(BackupErrorId.VirtualMachineBusy, error.Id);
        Assert.Empty(await machine.LeftoversAsync());
        await machine.Control.ExecuteAsync("nbd-server-stop", null, Stop);
    }

    [Fact]
    public async Task A_backup_of_somebody_else_that_is_under_way_is_left_alone()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 8 * MiB));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop));

        Assert.Equal(BackupErrorId.VirtualMachineBusy, error.Id);
        byte[] content = new byte[MiB];
        backup.Disks[0].Content.Read(0, content);
        await backup.CommitAsync(NextSession(), Stop);
    }

    [Fact]
    public async Task A_machine_that_is_killed_ends_the_backup_and_its_files_are_removed_by_the_next()
    {
        using var folder = new TempFolder();
        await using (TestMachine machine = await TestMachine.StartAsync(folder, ("a.qcow2", 64 * MiB)))
        {
            await machine.WriteAsync("a", 1, 0, 32 * MiB);
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            var told = new List<BackupException>();
            QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine) with { Report = told.Add }, Stop);
            await machine.KillAsync();

            BackupException read = Assert.Throws<BackupException>(() => backup.Disks[0].Content.Read(0, new byte[32 * MiB]));
            BackupException commit = await Assert.ThrowsAsync<BackupException>(() => backup.CommitAsync(NextSession(), Stop));
            await backup.DisposeAsync();

            Assert.Equal(BackupErrorId.SourceItemUnreadable, read.Id);
            Assert.Equal(BackupErrorId.VirtualMachineUnreachable, commit.Id);
            Assert.Equal(BackupErrorId.VirtualMachineUnreachable, Assert.Single(told).Id);
        }

        await using TestMachine again = await TestMachine.StartAsync(folder, ("a.qcow2", 0));
        await using QemuMachine next = await QemuMachine.ConnectAsync(again.Monitor, null, Stop);
        await BackUpAsync(next, again, static _ => { });
        Assert.Empty(await again.LeftoversAsync());
    }

    [Fact]
    public async Task Where_there_is_no_room_for_what_the_guest_overwrites_the_backup_fails_and_the_guest_goes_on()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root, to mount a small file system.");
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 64 * MiB));
        string small = machine["small"];
        Directory.CreateDirectory(small);
        Shell.RunChecked("mount", "-t", "tmpfs", "-o", "size=4m", "none", small);
        try
        {
            await machine.WriteAsync("a", 1, 0, 32 * MiB);
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            await using (QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine) with { WorkFolder = small }, Stop))
            {
                await machine.WriteAsync("a", 2, 0, 32 * MiB);

                BackupException error = Assert.Throws<BackupException>(() => backup.Disks[0].Content.Read(0, new byte[32 * MiB]));
                Assert.Equal(BackupErrorId.SourceItemUnreadable, error.Id);
                Assert.Contains("room", error.Message, StringComparison.Ordinal);
            }

            await machine.WriteAsync("a", 3, 0, MiB);
            Assert.DoesNotContain("Pattern verification failed", await machine.GuestAsync("a", "read -P 2 1M 31M"), StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(small));
        }
        finally
        {
            Shell.RunChecked("umount", "-l", small);
        }
    }

    private async Task<SessionId> BackUpAsync(QemuMachine qemu, TestMachine machine, Action<MomentDisk> look)
    {
        await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine), Stop);
        foreach (MomentDisk disk in backup.Disks)
        {
            look(disk);
        }

        SessionId session = NextSession();
        await backup.CommitAsync(session, Stop);
        return session;
    }

    private static MomentOptions Options(TestMachine machine) => new() { WorkFolder = Path.GetDirectoryName(machine.Monitor)! };

    private SessionId NextSession() => SessionId.Parse($"{++_sessions:x32}");
}
