using System.Text;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Libvirt;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Libvirt;

/// <summary>Backups of machines under a real libvirtd with a real QEMU.</summary>
public sealed class LibvirtMachineTests
{
    private const int MiB = 1 << 20;

    private static readonly MomentOptions _options = new() { WorkFolder = "" };

    private int _sessions;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Machines_and_their_disks_are_found_by_the_names_that_their_owner_knows()
    {
        await using TestLibvirt libvirt = await TestLibvirt.StartAsync();
        string domain = libvirt.Start(("vda.qcow2", 8 * MiB), ("sda.raw", 4 * MiB));
        string off = libvirt.Define("", ("vda.qcow2", 0));

        IReadOnlyList<LibvirtDomain> all = await LibvirtHost.ListAsync(libvirt.Uri, Stop);
        await using LibvirtMachine machine = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
        IReadOnlyList<MachineDisk> disks = await machine.ListDisksAsync(Stop);

        Assert.Equal([(domain, true), (off, false)], all.Where(one => one.Name == domain || one.Name == off).Select(one => (one.Name, one.IsRunning)));
        Assert.Equal((domain, all.Single(one => one.Name == domain).Uuid, true), (machine.Name, machine.Uuid, machine.IsRunning));
        Assert.StartsWith("QEMU ", machine.Hypervisor, StringComparison.Ordinal);
        Assert.Equal(["sda", "vda"], disks.Select(disk => disk.Name).Order());
        MachineDisk first = disks.Single(disk => disk.Name == "vda");
        Assert.Equal(("S-vda", 8L * MiB, "qcow2", libvirt["vda.qcow2"], false), (first.Serial, first.Bytes, first.Format, first.Image, first.IsReadOnly));
        Assert.Equal(BackupErrorId.VirtualMachineUnfit, (await Assert.ThrowsAsync<BackupException>(() => LibvirtMachine.ConnectAsync(libvirt.Uri, "nobody", Stop))).Id);
        BackupException nowhere = await Assert.ThrowsAsync<BackupException>(() => LibvirtMachine.ConnectAsync("qemu+unix:///system?socket=/nowhere", domain, Stop));
        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, nowhere.Id);
        Assert.Contains("/nowhere", nowhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_disks_of_one_moment_and_then_what_changed_also_over_snapshots_of_libvirt()
    {
        await using TestLibvirt libvirt = await TestLibvirt.StartAsync();
        string domain = libvirt.Start(("vda.qcow2", 32 * MiB), ("sda.qcow2", 16 * MiB));
        await File.WriteAllTextAsync(libvirt["checkpoint.xml"], "<domaincheckpoint><name>theirs</name></domaincheckpoint>", Stop);
        libvirt.Virsh("checkpoint-create", domain, libvirt["checkpoint.xml"]);
        await using LibvirtMachine machine = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
        var names = new[] { "vda", "sda" };
        byte[][] expected = [new byte[32 * MiB], new byte[16 * MiB]];
        DiskCopy[] copies = [new(), new()];

        Write(1, 5 * MiB);
        await BackUpAsync(isIncremental: false);
        Write(2, 64 << 10);
        await BackUpAsync(isIncremental: true);

        // libvirt has the record go on in the new image, where it has what is written from then on; what was before stays in the old one.
        Write(3, 64 << 10);
        libvirt.Virsh("snapshot-create-as", domain, "--name", "one", "--disk-only", "--no-metadata");
        Write(4, 64 << 10);
        await BackUpAsync(isIncremental: true);
        Write(5, 64 << 10);
        libvirt.Virsh("blockcommit", domain, "vda", "--active", "--pivot", "--wait");
        libvirt.Virsh("blockcommit", domain, "sda", "--active", "--pivot", "--wait");
        Write(6, 64 << 10);
        await BackUpAsync(isIncremental: true);

        Assert.Contains("theirs", libvirt.Virsh("checkpoint-list", domain), StringComparison.Ordinal);
        Assert.Equal(2, libvirt.Bitmaps(domain).Count(name => name == "theirs"));
        Assert.Equal("", libvirt.Virsh("blockjob", domain, "vda").Trim());

        void Write(byte pattern, int length)
        {
            for (int disk = 0; disk < 2; disk++)
            {
                libvirt.Write(domain, names[disk], pattern, (pattern * MiB) + 12345, length);
                expected[disk].AsSpan((pattern * MiB) + 12345, length).Fill(pattern);
            }
        }

        async Task BackUpAsync(bool isIncremental)
        {
            IReadOnlyList<MachineDisk> disks = await machine.ListDisksAsync(Stop);
            SessionId session = NextSession();
            await using (IMachineMoment moment = await machine.BeginAsync([.. names.Select(name => disks.Single(disk => disk.Name == name))], _options, Stop))
            {
                for (int disk = 0; disk < 2; disk++)
                {
                    // What comes after the moment is not of it.
                    libvirt.Write(domain, names[disk], 0xee, 0, 2 * MiB);
                }

                for (int disk = 0; disk < 2; disk++)
                {
                    Assert.Equal(isIncremental, copies[disk].Take(moment.Disks[disk].Content, session));
                    Assert.Equal(isIncremental, moment.Disks[disk].Note is null);
                    Assert.True(copies[disk].Bytes.SequenceEqual(expected[disk]), $"{names[disk]} differs in {session}.");
                    expected[disk].AsSpan(0, 2 * MiB).Fill(0xee);
                }

                (string file, byte[] content) = Assert.Single(moment.Files);
                Assert.Equal("domain.xml", file);
                Assert.Contains($"<name>{domain}</name>", Encoding.UTF8.GetString(content), StringComparison.Ordinal);
                Assert.DoesNotContain("<alias", Encoding.UTF8.GetString(content), StringComparison.Ordinal);
                moment.RequireHeld();
                await moment.CommitAsync(session, Stop);
                Assert.Equal(ConsistencyLevel.Crash, moment.Consistency.Level);
            }

            Assert.Empty(libvirt.Leftovers(domain));
        }
    }

    [Fact]
    public async Task A_snapshot_that_is_made_meanwhile_stays_and_nothing_that_the_guest_wrote_is_lost()
    {
        await using TestLibvirt libvirt = await TestLibvirt.StartAsync();
        string domain = libvirt.Start(("vda.qcow2", 8 * MiB));
        await using LibvirtMachine machine = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
        SessionId session = await CommitAsync();
        libvirt.Write(domain, "vda", 1, 0, MiB);
        await using (await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options, Stop))
        {
            libvirt.Write(domain, "vda", 2, MiB, MiB);
            libvirt.Virsh("snapshot-create-as", domain, "--name", "one", "--disk-only", "--no-metadata");
            libvirt.Write(domain, "vda", 3, 2 * MiB, MiB);
        }

        Assert.Empty(libvirt.Leftovers(domain));
        libvirt.Write(domain, "vda", 4, 3 * MiB, MiB);
        await using (IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options, Stop))
        {
            // Of a backup that was given up nothing is lost, and both images have their part.
            Assert.Equal(session, moment.Disks[0].Content.Changes!.Since);
            Assert.Equal(4 * MiB, moment.Disks[0].Content.Changes!.Extents.Sum(extent => extent.Length));
            byte[] content = new byte[4 * MiB];
            moment.Disks[0].Content.Read(0, content);
            Assert.Equal([1, 2, 3, 4], Enumerable.Range(0, 4).Select(part => (int)content[part * MiB]));
        }

        libvirt.Virsh("destroy", domain);
        byte[] image = libvirt.ImageOf("vda.one");
        Assert.Equal([1, 2, 3, 4], Enumerable.Range(0, 4).Select(part => (int)image[((part + 1) * MiB) - 1]));

        async Task<SessionId> CommitAsync()
        {
            await using IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options, Stop);
            SessionId next = NextSession();
            await moment.CommitAsync(next, Stop);
            return next;
        }
    }

    [Fact]
    public async Task Records_go_on_where_the_machine_is_off_but_not_in_an_image_over_another()
    {
        await using TestLibvirt libvirt = await TestLibvirt.StartAsync();
        string domain = libvirt.Start(("vda.qcow2", 8 * MiB), ("vdb.raw", 4 * MiB));
        await using LibvirtMachine machine = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
        var copies = new Dictionary<string, DiskCopy> { ["vda"] = new(), ["vdb"] = new() };
        libvirt.Write(domain, "vda", 1, 0, MiB);
        await BackUpAsync();
        libvirt.Write(domain, "vda", 2, 4 * MiB, MiB);
        libvirt.Write(domain, "vdb", 3, 0, MiB);
        Quit(libvirt, domain);

        bool[] off = await BackUpAsync();
        Assert.Equal([true, false], off);
        Assert.Equal(("off", false), (machine.Hypervisor, machine.IsRunning));
        Assert.Equal((1, 2, 3), (copies["vda"].Bytes[0], copies["vda"].Bytes[4 * MiB], copies["vdb"].Bytes[0]));

        libvirt.Virsh("start", domain, "--paused");
        libvirt.Write(domain, "vda", 4, 2 * MiB, MiB);
        libvirt.Virsh("snapshot-create-as", domain, "--name", "one", "--disk-only", "--no-metadata", "--diskspec", "vdb,snapshot=no");
        libvirt.Write(domain, "vda", 5, 3 * MiB, MiB);
        Quit(libvirt, domain);
        bool[] overlaid = await BackUpAsync();
        Assert.Equal([false, false], overlaid);
        Assert.Equal((4, 5), (copies["vda"].Bytes[2 * MiB], copies["vda"].Bytes[3 * MiB]));

        async Task<bool[]> BackUpAsync()
        {
            await using IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options, Stop);
            SessionId session = NextSession();
            bool[] incremental = [.. moment.Disks.Select(disk => copies[disk.Disk.Name].Take(disk.Content, session))];
            await moment.CommitAsync(session, Stop);
            return incremental;
        }
    }

    [Fact]
    public async Task Where_there_is_no_room_the_backup_fails_and_the_guest_goes_on()
    {
        // Before libvirt has a view of mounts that is its own.
        using var folder = new TempFolder();
        string small = Directory.CreateDirectory(folder["small"]).FullName;
        Assert.SkipWhen(TestLibvirt.Missing is not null, TestLibvirt.Missing ?? "");
        Shell.RunChecked("mount", "-t", "tmpfs", "-o", "size=4m", "none", small);
        try
        {
            await using TestLibvirt libvirt = await TestLibvirt.StartAsync();
            string domain = libvirt.Start(("vda.qcow2", 64 * MiB));
            libvirt.Write(domain, "vda", 1, 0, 32 * MiB);
            await using LibvirtMachine machine = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
            await using (IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options with { WorkFolder = small }, Stop))
            {
                libvirt.Write(domain, "vda", 2, 0, 32 * MiB);

                BackupException error = Assert.Throws<BackupException>(() => moment.Disks[0].Content.Read(0, new byte[32 * MiB]));
                Assert.Contains("room", error.Message, StringComparison.Ordinal);
            }

            Assert.Empty(Directory.GetFileSystemEntries(small));
            Assert.Empty(libvirt.Leftovers(domain));
            Quit(libvirt, domain);
            Assert.Equal(-1, libvirt.ImageOf("vda.qcow2").AsSpan(0, 32 * MiB).IndexOfAnyExcept((byte)2));
        }
        finally
        {
            Shell.RunChecked("umount", "-l", small);
        }
    }

    [Fact]
    public async Task A_machine_that_is_busy_is_left_alone()
    {
        await using TestLibvirt libvirt = await TestLibvirt.StartAsync();
        string domain = libvirt.Start(("vda.qcow2", 8 * MiB));
        await using LibvirtMachine machine = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
        await using LibvirtMachine second = await LibvirtMachine.ConnectAsync(libvirt.Uri, domain, Stop);
        await using (IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options, Stop))
        {
            Assert.Equal(BackupErrorId.VirtualMachineBusy, await RefusalAsync());
            byte[] content = new byte[MiB];
            moment.Disks[0].Content.Read(0, content);
            await moment.CommitAsync(NextSession(), Stop);
        }

        libvirt.Virsh("blockcopy", domain, "vda", libvirt["copy.qcow2"], "--transient-job", "--format", "qcow2");
        Assert.Equal(BackupErrorId.VirtualMachineBusy, await RefusalAsync());
        libvirt.Virsh("blockjob", domain, "vda", "--abort");
        await File.WriteAllTextAsync(libvirt["backup.xml"], $"<domainbackup mode='pull'><server transport='unix' socket='{libvirt["b.sock"]}'/></domainbackup>", Stop);
        libvirt.Virsh("backup-begin", domain, libvirt["backup.xml"]);
        Assert.Equal(BackupErrorId.VirtualMachineBusy, await RefusalAsync());
        libvirt.Virsh("domjobabort", domain);
        while (!libvirt.Virsh("domjobinfo", domain).Contains("None", StringComparison.Ordinal))
        {
            await Task.Delay(10, Stop);
        }

        await using (IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options, Stop))
        {
            Assert.Null(moment.Disks[0].Note);
        }

        BackupException unfrozen = await Assert.ThrowsAsync<BackupException>(async () => await machine.BeginAsync(await machine.ListDisksAsync(Stop), _options with { RequiresFreeze = true }, Stop));
        Assert.Equal(BackupErrorId.GuestNotFrozen, unfrozen.Id);

        async Task<BackupErrorId> RefusalAsync() =>
            (await Assert.ThrowsAsync<BackupException>(async () => await second.BeginAsync(await second.ListDisksAsync(Stop), _options, Stop))).Id;
    }

    private static void Quit(TestLibvirt libvirt, string domain)
    {
        // In order, so that the images keep their records: there is no guest that could switch itself off.
        libvirt.Virsh("destroy", domain, "--graceful");
    }

    private SessionId NextSession() => SessionId.Parse($"{++_sessions:x32}");
}
