using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>Partitions of a disk in a recovery point, mounted by Linux itself: file systems too that are not read otherwise.</summary>
public sealed class SystemMountTests : IDisposable
{
    private const string Name = "vm1";

    private readonly Obengine _obengine = new();

    public static bool CanMount => FuseMount.IsAvailable && Environment.IsPrivilegedProcess;

    private TempFolder Folder => _obengine.Folder;

    public void Dispose()
    {
        MountFolder.Clean(Folder["mounted"]);
        _obengine.Dispose();
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task What_is_on_a_partition_is_mounted_with_all_its_metadata()
    {
        (string Kind, int At)[] parts = [.. new[] { ("ext4", 1), ("btrfs", 130), ("xfs", 320) }.Where(part => MountedFileSystem.CanMake(part.Item1))];
        Assert.SkipWhen(parts.Length == 0, "This machine cannot make a file system.");
        await _obengine.CreateVaultAsync();
        string disk = Folder["vda.raw"];
        Shell.RunChecked("truncate", "-s", "700M", disk);
        Shell.RunChecked("sh", "-c", $"printf 'label: gpt\\nstart=1MiB, size=128MiB\\nstart=130MiB, size=160MiB\\nstart=320MiB, size=330MiB\\n' | sfdisk -q '{disk}'");
        foreach ((string kind, int at) in parts)
        {
            string image = Folder[$"{kind}.image"];
            using (MountedFileSystem made = MountedFileSystem.InImage(image, Directory.CreateDirectory(Folder["making"]).FullName, kind, kind == "ext4" ? 128 << 20 : kind == "btrfs" ? 160 << 20 : 330 << 20))
            {
                new SourceTreeBuilder(Folder["making"]).Populate(at, items: 300).File("large", 10 << 20, seed: at);
                Shell.RunChecked("cp", "-a", Folder["making"], Folder[$"copy of {kind}"]);
            }

            MountedFileSystem.WaitUntilReleased(image);
            Shell.RunChecked("dd", $"if={image}", $"of={disk}", "bs=1M", $"seek={at}", "conv=notrunc,sparse", "status=none");
        }

        await SucceedAsync("image", "backup", disk, "--machine", Name, "--quiet");
        Run listed = await SucceedAsync("image", "ls", "latest", "vda", "--machine", Name, "--json");
        JsonElement[] places = [.. listed.Lines().Where(line => line.GetProperty("type").GetString() == "diskPart")];
        Directory.CreateDirectory(Folder["mounted"]);
        using Process mount = _obengine.Start(["mount", "latest", Folder["mounted"], "--machine", Name, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--state", Folder["state"]]);
        string shown = $"{Folder["mounted"]}/{Name}/disks/vda.raw";
        while (!File.Exists(shown))
        {
            Assert.False(mount.HasExited, "The mount has ended.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        foreach ((string kind, int at) in parts)
        {
            JsonElement place = places.Single(each => each.GetProperty("kind").GetString() == kind);
            Assert.Equal((long)at << 20, place.GetProperty("start").GetInt64());
            string options = $"loop,ro,offset={place.GetProperty("start").GetInt64()},sizelimit={place.GetProperty("bytes").GetInt64()}{(kind == "xfs" ? ",norecovery" : "")}";
            using MountedFileSystem mounted = MountedFileSystem.Again(shown, Directory.CreateDirectory(Folder["part"]).FullName, options);
            Assert.Equal([], TreeComparer.Compare(Folder[$"copy of {kind}"], Folder["part"]));
        }

        Shell.RunChecked("kill", "-INT", $"{mount.Id}");
        await mount.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private async Task<Run> SucceedAsync(params string[] arguments)
    {
        Run run = await _obengine.RunAsync([.. arguments, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run;
    }
}
