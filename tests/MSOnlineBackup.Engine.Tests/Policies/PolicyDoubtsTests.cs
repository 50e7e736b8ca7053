using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Policies;

public sealed class PolicyDoubtsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/proc", "kernel")]
    [InlineData("/sys", "kernel")]
    [InlineData("/dev/shm", "memory")]
    public void A_source_that_holds_no_lasting_files_is_doubted(string path, string why)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Directory.Exists(path), "Such file systems are Linux'.");

        Assert.Contains(why, Assert.Single(PolicyDoubts.OfSources(Policy(path), SourceRules.Open)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_a_service_keeps_for_itself_is_doubted_unless_it_is_left_out()
    {
        Directory.CreateDirectory(_folder["data/DfsrPrivate"]);
        string data = _folder["data"];

        Assert.Contains("DfsrPrivate", Assert.Single(PolicyDoubts.OfSources(Policy(data), SourceRules.Open)), StringComparison.Ordinal);
        Assert.Empty(PolicyDoubts.OfSources(Policy(data) with { Files = [new FileSpecification(data), new FileSpecification("DfsrPrivate", Exclude: true)] }, SourceRules.Open));
        Assert.Contains("DfsrPrivate", Assert.Single(PolicyDoubts.OfSources(Policy(data + "/DfsrPrivate"), SourceRules.Open)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_ordinary_folder_is_not_doubted()
    {
        Assert.SkipWhen(
            OperatingSystem.IsLinux() && new DriveInfo(_folder.Path).DriveFormat is "tmpfs" or "overlay" or "overlayfs", "The temporary folder is none.");

        Assert.Empty(PolicyDoubts.OfSources(Policy(_folder.Path), SourceRules.Open));
    }

    [Fact]
    public void A_block_device_is_doubted_while_it_is_mounted_for_writing()
    {
        Assert.SkipUnless(LoopDevice.CanMake && MountedFileSystem.CanMake("ext4"), "Needs root on Linux, loop devices and mkfs.ext4.");
        string image = _folder["image"];
        using (MountedFileSystem.InImage(image, _folder["point"], "ext4", 16 << 20))
        {
            string mounted = Shell.RunChecked("losetup", "--noheadings", "--output", "NAME", "--associated", image).Trim();
            Assert.Contains("mounted for writing", Assert.Single(PolicyDoubts.OfSources(Policy(mounted), SourceRules.Open)), StringComparison.Ordinal);
        }

        using var device = new LoopDevice(image);
        Assert.Empty(PolicyDoubts.OfSources(Policy(device.Path), SourceRules.Open));
        PolicyDoubts.RequireTaken(Policy(device.Path), SourceRules.Mars);
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(7, false)]
    [InlineData(9_999, false)]
    [InlineData(10_000, true)]
    public void A_retention_that_the_original_refuses_is_doubted(int days, bool doubted) =>
        Assert.Equal(doubted, PolicyDoubts.OfRetention(new RetentionPolicy(days)) is not null);

    private static BackupPolicy Policy(string path) => new() { Kind = PolicyKind.Files, Files = [new FileSpecification(path)] };
}
