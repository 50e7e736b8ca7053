using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Qemu;

/// <summary>A backup that ends before any one of its commands: the next one finds what it left, takes it out, and is right.</summary>
public sealed class QemuCutTests
{
    private const int MiB = 1 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_backup_that_was_cut_anywhere_the_next_is_right()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 4 * MiB), ("b.raw", 2 * MiB));
        string[] names = ["a", "b"];
        byte[][] expected = [new byte[4 * MiB], new byte[2 * MiB]];
        var points = new Dictionary<SessionId, DiskCopy[]>();
        int sessions = 0;
        await TakeAsync(machine.Monitor);
        int incremental = 0;
        int rounds = 0;
        bool wasCut = true;

        // A step of 3, which has no common divisor with the commands for each disk, comes to each kind of command; the full campaign goes before each.
        for (int commands = 3; wasCut; commands += Campaign.IsFull ? 1 : 3)
        {
            rounds++;
            await WriteAsync(rounds, 1);
            await using (var cut = new CutMonitor(machine.Monitor, commands))
            {
                try
                {
                    await TakeAsync(cut.Path);
                }
                catch (BackupException e)
                {
                    Assert.Equal(BackupErrorId.VirtualMachineUnreachable, e.Id);
                }

                wasCut = cut.IsCut;
            }

            await WriteAsync(rounds, 2);
            incremental += await TakeAsync(machine.Monitor);
            Assert.Empty(await machine.LeftoversAsync());
            Assert.Equal(2, (await machine.BitmapsAsync()).Count);
        }

        Assert.InRange(rounds, 5, 200);
        Assert.Equal(2 * rounds, incremental);

        // The point is committed before the machine is told of it, and what the machine says goes back to one of the points.
        async Task<int> TakeAsync(string monitor)
        {
            await using QemuMachine qemu = await QemuMachine.ConnectAsync(monitor, null, Stop);
            await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), new MomentOptions { WorkFolder = Path.GetDirectoryName(machine.Monitor)! }, Stop);
            for (int disk = 0; disk < 2; disk++)
            {
                await machine.WriteAsync(names[disk], 0xee, 0, 65536);
            }

            SessionId session = SessionId.Parse($"{++sessions:x32}");
            int count = 0;
            var taken = new DiskCopy[2];
            for (int disk = 0; disk < 2; disk++)
            {
                taken[disk] = new DiskCopy(backup.Disks[disk].Content.Changes is { } changes ? points[changes.Since][disk] : null);
                count += taken[disk].Take(backup.Disks[disk].Content, session) ? 1 : 0;
                Assert.True(taken[disk].Is(expected[disk]), $"Disk {disk} differs in session {sessions}.");
                expected[disk].AsSpan(0, 65536).Fill(0xee);
            }

            points.Add(session, taken);
            await backup.CommitAsync(session, Stop);
            return count;
        }

        async Task WriteAsync(int round, int half)
        {
            for (int disk = 0; disk < 2; disk++)
            {
                int offset = (((round * 7) + (half * 3) + disk) % 30) * 65536;
                await machine.WriteAsync(names[disk], (byte)(round + half), offset, 512);
                expected[disk].AsSpan(offset, 512).Fill((byte)(round + half));
            }
        }
    }
}
