using System.Diagnostics;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>File systems that are held still, and let go whatever becomes of who holds them.</summary>
public sealed class FreezeTests : IDisposable
{
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(5);

    private readonly TempFolder _folder = new();
    private MountedFileSystem? _mount;

    public static TheoryData<string> Kinds => ["ext4", "xfs"];

    private string Disk => _folder["disk"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _mount?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Writers_wait_until_it_is_let_go(string kind)
    {
        Mount(kind);
        FileSystemFreeze freeze = await FileSystemFreeze.BeginAsync(Disk, _long, Cancel);
        using Process writer = await StartBlockedWriterAsync();

        Assert.True(await freeze.EndAsync());

        await writer.WaitForExitAsync(Cancel);
        Assert.True(File.Exists(Disk + "/written"));
        await freeze.DisposeAsync();
    }

    [Fact]
    public async Task It_is_let_go_when_the_time_is_over_and_that_is_told()
    {
        Mount("ext4");
        FileSystemFreeze freeze = await FileSystemFreeze.BeginAsync(Disk, TimeSpan.FromSeconds(1), Cancel);

        Shell.RunChecked("touch", Disk + "/written");

        Assert.False(await freeze.EndAsync());
        await freeze.DisposeAsync();
    }

    [Fact]
    public async Task It_is_let_go_where_the_child_is_killed()
    {
        Mount("ext4");
        FileSystemFreeze freeze = await FileSystemFreeze.BeginAsync(Disk, _long, Cancel);
        Shell.RunChecked("kill", "-KILL", $"{freeze.ChildId}");

        Assert.False(await freeze.EndAsync());

        Shell.RunChecked("touch", Disk + "/written");
        await freeze.DisposeAsync();
    }

    // A shell stands for the agent: it holds the other end of the child's input, and is killed.
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_is_let_go_where_the_agent_is_killed(string kind)
    {
        Mount(kind);
        string told = _folder["told"];
        const string Agent = "exec 3> >(exec sh -c \"$1\" obengine \"$2\" 300 >\"$3\"); read -r";
        using Process agent = Process.Start(new ProcessStartInfo("bash", ["-c", Agent, "agent", FileSystemFreeze.Script, Disk, told]) { RedirectStandardInput = true })!;
        while (!File.Exists(told) || await File.ReadAllTextAsync(told, Cancel) != "frozen\n")
        {
            await Task.Delay(5, Cancel);
        }

        using Process writer = await StartBlockedWriterAsync();
        agent.Kill();

        await writer.WaitForExitAsync(Cancel);
        Assert.True(File.Exists(Disk + "/written"));
    }

    [Fact]
    public async Task What_cannot_be_frozen_is_an_error()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux.");
        _mount = MountedFileSystem.InMemory(Disk, "1m");

        BackupException e = await Assert.ThrowsAsync<BackupException>(() => FileSystemFreeze.BeginAsync(Disk, _long, Cancel));

        Assert.Equal((BackupErrorId.SnapshotUnavailable, Disk), (e.Id, e.Target));
        Assert.Contains("freeze failed", e.Message, StringComparison.Ordinal);
    }

    private void Mount(string kind)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake(kind), $"Needs root, mkfs.{kind}, and a kernel that mounts it.");
        _mount = MountedFileSystem.InImage(_folder["image"], Disk, kind);
    }

    // One that waits in the kernel, where not even a signal reaches it.
    private async Task<Process> StartBlockedWriterAsync()
    {
        Process writer = Process.Start("touch", [Disk + "/written"]);
        while (Shell.Run("ps", "-o", "stat=", "-p", $"{writer.Id}").Output.Trim() is not ['D', ..])
        {
            Assert.False(writer.HasExited, "Nothing kept it from writing.");
            await Task.Delay(5, Cancel);
        }

        return writer;
    }
}
