using System.Diagnostics;
using MSOnlineBackup.Campaigns.Disks;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>A Debian guest at work, with the real guest agent: its disk is read as it is while its file systems are held still.</summary>
public sealed class FrozenGuestTests
{
    private const string Agent = "/usr/sbin/qemu-ga";
    private const int PartitionStart = 1 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string[] Freezer => ["dotnet", Obengine.BuiltProgram, "serve", "thaw"];

    [Fact]
    public async Task Its_file_system_is_clean_in_every_point_and_what_is_written_in_step_agrees()
    {
        using var folder = new TempFolder();
        await using StartedMachine machine = await StartAsync(folder);
        await machine.RunAsync("(i=0; while echo $i > /srv/first && sync /srv/first && echo $i > /srv/second && sync /srv/second; do i=$((i+1)); done) > /dev/null 2>&1 < /dev/null &");
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(folder["qmp"], null, Stop);
        var options = new MomentOptions { WorkFolder = folder.Path, AgentSocket = folder["agent"], Freezer = new FreezeChild(Freezer, TimeProvider.System), RequiresFreeze = true };

        for (int round = 1; round <= Campaign.Rounds(usual: 3, full: 20); round++)
        {
            SessionId session = SessionId.Parse($"{round:x32}");
            await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), options, Stop);
            TestContext.Current.TestOutputHelper?.WriteLine($"Held still for {backup.Frozen.TotalMilliseconds:F0} ms.");
            Assert.Equal(ConsistencyLevel.FileSystem, backup.Consistency.Level);
            ISourceDisk disk = Assert.Single(backup.Disks).Content;
            Assert.Equal(round > 1, disk.Changes is not null);
            Copy(disk, folder["copy"], round == 1);
            await backup.CommitAsync(session, Stop);

            // Held still, it has nothing in its journal that is not in its place.
            Assert.DoesNotContain("needs_recovery", Shell.RunChecked("/sbin/dumpe2fs", "-h", Partition(folder)), StringComparison.Ordinal);
            Shell.RunChecked("/sbin/e2fsck", "-fn", folder["partition"]);
            int first = Number(folder, "/srv/first");
            Assert.InRange(first - Number(folder, "/srv/second"), 0, 1);
            await machine.RunAsync($"test $(cat /srv/first) -gt {first} || sleep 5; test $(cat /srv/first) -gt {first}");
        }
    }

    [Fact]
    public async Task It_goes_on_where_whoever_holds_it_still_is_killed()
    {
        using var folder = new TempFolder();
        await using StartedMachine machine = await StartAsync(folder);
        string owner = $"echo $$ > {folder["pid"]}; exec sleep 1000";
        using Process both = Process.Start("bash", ["-c", $"bash -c '{owner}' | dotnet '{Obengine.BuiltProgram}' serve thaw '{folder["agent"]}' > {folder["said"]}"]);
        while (!File.Exists(folder["said"]) || new FileInfo(folder["said"]).Length == 0)
        {
            await Task.Delay(5, Stop);
        }

        Assert.StartsWith("frozen ", await File.ReadAllTextAsync(folder["said"], Stop), StringComparison.Ordinal);
        Task<string> writing = machine.RunAsync("echo it > /srv/goes; sync; cat /srv/goes");
        Shell.RunChecked("kill", "-KILL", (await File.ReadAllTextAsync(folder["pid"], Stop)).Trim());

        Assert.Equal("it", await writing);
        await both.WaitForExitAsync(Stop);
        Assert.Contains("thawed held", await File.ReadAllTextAsync(folder["said"], Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_goes_on_after_ten_seconds_where_nobody_lets_go()
    {
        using var folder = new TempFolder();
        await using StartedMachine machine = await StartAsync(folder);
        await using IGuestFreeze freeze = await new FreezeChild(Freezer, TimeProvider.System).FreezeAsync(folder["agent"], new FreezeLimits(), Stop);
        Assert.True(freeze.FileSystems > 0);

        Assert.Equal("it", await machine.RunAsync("echo it > /srv/goes; sync; cat /srv/goes"));

        Assert.False(await freeze.ThawAsync());
    }

    // The agent of this machine, with what it needs, runs there: both are of the same Debian, or it does not start.
    private static async Task<StartedMachine> StartAsync(TempFolder folder)
    {
        string? missing = await GuestSystem.FindMissingAsync("qemu-img", "debugfs", "dumpe2fs");
        Assert.SkipWhen(missing is not null, missing ?? "");
        Assert.SkipUnless(File.Exists(Agent), "Needs qemu-guest-agent.");
        string files = Directory.CreateDirectory(folder["files"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "known"), "known", Stop);
        foreach (string file in Shell.RunChecked("ldd", Agent).Split([' ', '\n', '\t']).Where(word => word.StartsWith('/') && !word.Contains("ld-linux", StringComparison.Ordinal)).Append(Agent))
        {
            File.Copy(file, Path.Combine(files, Path.GetFileName(file)));
        }

        Run made = await GuestSystem.RunAsync(GuestSystem.Script("disk.sh"), folder["disk.raw"], files);
        Assert.True(made.ExitCode == 0, made.ToString());
        Shell.RunChecked("qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder["disk.raw"], folder["disk.qcow2"]);
        File.Delete(folder["disk.raw"]);
        StartedMachine machine = await StartedMachine.StartAsync(
            folder["disk.qcow2"],
            "-qmp", $"unix:{folder["qmp"]},server=on,wait=off",
            "-chardev", $"socket,id=agent,path={folder["agent"]},server=on,wait=off",
            "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0");
        try
        {
            await machine.RunAsync("modprobe virtio_console; for i in 1 2 3 4 5 6 7 8 9; do ls /dev/vport* > /dev/null 2>&1 && break; sleep 1; done; ls /dev/vport*");
            await machine.RunAsync("chmod 755 /srv/qemu-ga; /lib64/ld-linux-x86-64.so.2 --library-path /srv /srv/qemu-ga -m virtio-serial -p $(ls /dev/vport*) -t /run -f /run/ga.pid > /run/ga.log 2>&1 < /dev/null &");
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    private static void Copy(ISourceDisk disk, string file, bool isFirst)
    {
        using FileStream copy = new(file, FileMode.OpenOrCreate, FileAccess.Write);
        copy.SetLength(disk.Length);
        if (isFirst)
        {
            for (long at = 0; disk.TryGetDataRun(at, out long start, out long length); at = start + length)
            {
                CopyRun(start, length);
            }

            return;
        }

        foreach ((long start, long length) in disk.Changes!.Extents)
        {
            CopyRun(start, length);
        }

        void CopyRun(long start, long length)
        {
            byte[] buffer = new byte[1 << 20];
            for (long at = start; at < start + length; at += buffer.Length)
            {
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, start + length - at));
                disk.Read(at, part);
                copy.Position = at;
                copy.Write(part);
            }
        }
    }

    private static string Partition(TempFolder folder)
    {
        Shell.RunChecked("dd", $"if={folder["copy"]}", $"of={folder["partition"]}", $"bs={PartitionStart}", "skip=1", "conv=sparse", "status=none");
        return folder["partition"];
    }

    private static int Number(TempFolder folder, string path) =>
        int.Parse(Shell.RunChecked("/sbin/debugfs", "-R", $"cat {path}", folder["partition"]).Split('\n').First(line => line.Length > 0 && line.All(char.IsAsciiDigit)), System.Globalization.CultureInfo.InvariantCulture);
}
