using System.Diagnostics;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>A Debian guest at work, with the real guest agent: its disk is read as it is while its file systems are held still.</summary>
public sealed class FrozenGuestTests
{
    private const int PartitionStart = 1 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string[] Freezer => ["dotnet", Obengine.BuiltProgram, "serve", "thaw"];

    [Fact]
    public async Task Its_file_systems_are_clean_in_every_point_and_what_is_written_in_step_agrees()
    {
        await SteppingGuest.RequireAsync();
        using var folder = new TempFolder();
        await using SteppingGuest guest = await StartAsync(folder);
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(guest.Monitor, null, Stop);
        var options = new MomentOptions { WorkFolder = folder.Path, AgentSocket = guest.AgentSocket, Freezer = new FreezeChild(Freezer, TimeProvider.System), RequiresFreeze = true };

        for (int round = 1; round <= Campaign.Rounds(usual: 3, full: 20); round++)
        {
            SessionId session = SessionId.Parse($"{round:x32}");
            await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), options, Stop);
            TestContext.Current.TestOutputHelper?.WriteLine($"Held still for {backup.Frozen.TotalMilliseconds:F0} ms.");
            Assert.Equal(ConsistencyLevel.FileSystem, backup.Consistency.Level);
            Assert.Equal(2, backup.Disks.Count);
            foreach (MomentDisk disk in backup.Disks)
            {
                Assert.Equal(round > 1, disk.Content.Changes is not null);
                Copy(disk.Content, folder[disk.Disk.Name], round == 1);
            }

            await backup.CommitAsync(session, Stop);
            Shell.RunChecked("dd", $"if={folder["disk"]}", $"of={folder["partition"]}", $"bs={PartitionStart}", "skip=1", "conv=sparse", "status=none");

            // Held still, they have nothing in their journals that is not in its place.
            string[] volumes = [folder["partition"], folder["second"]];
            foreach (string volume in volumes)
            {
                Assert.DoesNotContain("needs_recovery", Shell.RunChecked("/sbin/dumpe2fs", "-h", volume), StringComparison.Ordinal);
                Shell.RunChecked("/sbin/e2fsck", "-fn", volume);
            }

            SteppingGuest.AssertInStep(Read(volumes[0], SteppingGuest.First), Read(volumes[1], SteppingGuest.Second));
            await guest.RequireGoesOnAsync();
        }
    }

    [Fact]
    public async Task It_goes_on_where_whoever_holds_it_still_is_killed()
    {
        await SteppingGuest.RequireAsync();
        using var folder = new TempFolder();
        await using SteppingGuest guest = await StartAsync(folder);
        string owner = $"echo $$ > {folder["pid"]}; exec sleep 1000";
        using Process both = Process.Start("bash", ["-c", $"bash -c '{owner}' | dotnet '{Obengine.BuiltProgram}' serve thaw '{guest.AgentSocket}' > {folder["said"]}"]);
        while (!File.Exists(folder["said"]) || new FileInfo(folder["said"]).Length == 0)
        {
            await Task.Delay(5, Stop);
        }

        Assert.StartsWith("frozen ", await File.ReadAllTextAsync(folder["said"], Stop), StringComparison.Ordinal);
        Task<string> writing = guest.Machine.RunAsync("echo it > /srv/goes; sync; cat /srv/goes");
        Shell.RunChecked("kill", "-KILL", (await File.ReadAllTextAsync(folder["pid"], Stop)).Trim());

        Assert.Equal("it", await writing);
        await both.WaitForExitAsync(Stop);
        Assert.Contains("thawed held", await File.ReadAllTextAsync(folder["said"], Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_goes_on_after_ten_seconds_where_nobody_lets_go()
    {
        await SteppingGuest.RequireAsync();
        using var folder = new TempFolder();
        await using SteppingGuest guest = await StartAsync(folder);
        await using IGuestFreeze freeze = await new FreezeChild(Freezer, TimeProvider.System).FreezeAsync(guest.AgentSocket, new FreezeLimits(), Stop);
        Assert.True(freeze.FileSystems > 0);

        Assert.Equal("it", await guest.Machine.RunAsync("echo it > /srv/goes; sync; cat /srv/goes"));

        Assert.False(await freeze.ThawAsync());
    }

    private static async Task<SteppingGuest> StartAsync(TempFolder folder)
    {
        var guest = new SteppingGuest(folder);
        await guest.MakeAsync();
        await guest.StartAsync();
        return guest;
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

    private static string Read(string volume, string path) =>
        Shell.RunChecked("/sbin/debugfs", "-R", $"cat {path}", volume).Split('\n').First(line => line.Length > 0 && line.All(char.IsAsciiDigit));
}
