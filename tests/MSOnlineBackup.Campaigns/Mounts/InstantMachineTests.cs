using System.Diagnostics;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>Machines that <c>obengine image start</c> runs from recovery points, by a real QEMU, while whatever serves them is killed.</summary>
public sealed class InstantMachineTests
{
    private const int Size = 96 << 20;
    private const int Cluster = 64 << 10;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_sees_to_it_may_be_killed_at_any_moment_and_nothing_is_lost()
    {
        RequireQemu();
        int seed = Campaign.FirstSeed(17);
        var random = new Random(seed);
        await using var point = new StartedPoint();
        byte[][] disks = [await MakeAsync(point, "vda.raw", seed), await MakeAsync(point, "vdb.raw", seed + 1)];
        await point.BackUpAsync("vda.raw", "vdb.raw");

        for (int round = 0; round < Campaign.Rounds(usual: 2, full: 20); round++)
        {
            Process command = point.Begin("--disk-limit", "2M");
            if (round > 0 && random.Next(3) == 0)
            {
                // Before it is told that the machine runs, or just then.
                await Task.Delay(random.Next(600), Stop);
            }
            else
            {
                await StartedPoint.WaitForRunningAsync(command);
                await WriteAsync(point, disks, random);
                await Task.Delay(random.Next(1500), Stop);
            }

            await StartedPoint.KillAsync(command);
            if (Campaign.IsFull && random.Next(4) == 0)
            {
                // So long that the taking over is told of an error.
                await Task.Delay(TimeSpan.FromSeconds(12), Stop);
            }

            // It goes on by itself as long as it reads nothing that it has not.
            await WriteAsync(point, disks, random);
        }

        Run last = await StartedPoint.FinishAsync(point.Begin());
        Assert.Contains("\"ranAlready\":true", last.Output, StringComparison.Ordinal);
        await WriteAsync(point, disks, random);
        await point.QuitAsync();
        await point.AssertImageAsync("vda.qcow2", disks[0]);
        await point.AssertImageAsync("vdb.qcow2", disks[1]);
    }

    [Fact]
    public async Task A_vault_that_is_away_for_a_while_holds_it_up_and_does_no_more()
    {
        RequireQemu();
        await using var point = new StartedPoint();
        byte[] disk = await MakeAsync(point, "vda.raw", 5);
        await point.BackUpAsync("vda.raw");
        Process command = point.Begin("--disk-limit", "8M");
        await StartedPoint.WaitForRunningAsync(command);
        Directory.Move(point.Obengine.Vault, point.Obengine.Vault + ".away");
        await Task.Delay(TimeSpan.FromSeconds(Campaign.IsFull ? 90 : 2), Stop);
        Directory.Move(point.Obengine.Vault + ".away", point.Obengine.Vault);

        await StartedPoint.FinishAsync(command);

        await point.QuitAsync();
        await point.AssertImageAsync("vda.qcow2", disk);
    }

    private static void RequireQemu() => Assert.SkipUnless(
        OperatingSystem.IsLinux() && File.Exists("/usr/bin/qemu-system-x86_64") && File.Exists("/usr/bin/qemu-io"), "Needs Linux, qemu-system-x86 and qemu-utils.");

    private static async Task WriteAsync(StartedPoint point, byte[][] disks, Random random)
    {
        int disk = random.Next(disks.Length);
        byte pattern = (byte)random.Next(1, 255);
        int at = random.Next(Size / Cluster) * Cluster;
        await point.WriteAsync(disk, pattern, at, Cluster);
        disks[disk].AsSpan(at, Cluster).Fill(pattern);
    }

    private static async Task<byte[]> MakeAsync(StartedPoint point, string name, int seed)
    {
        byte[] content = new byte[Size];
        new Random(seed).NextBytes(content.AsSpan(1 << 20, 12 << 20));
        content.AsSpan(60 << 20, 6 << 20).Fill((byte)seed);
        await File.WriteAllBytesAsync(point.Obengine.Folder[name], content, Stop);
        return content;
    }
}
