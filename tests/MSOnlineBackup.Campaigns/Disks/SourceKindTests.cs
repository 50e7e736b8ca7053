using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

#pragma warning disable VSTHRD103 // Small files of a test.
namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Sources on real volumes of the kinds that are refused or doubted (A4, A43, A45, Z20, Z52).</summary>
public sealed class SourceKindTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Stack<string> _mounts = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        while (_mounts.TryPop(out string? point))
        {
            Shell.RunChecked("umount", "-l", point);
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_source_in_memory_is_backed_up_and_the_point_says_what_becomes_of_it()
    {
        string source = Mount("memory", "-t", "tmpfs", "tmpfs");
        File.WriteAllText(Path.Combine(source, "file"), "content");

        BackupResult result = await BackUpAsync(SourceRules.Mars, source);

        Assert.Contains("is held in memory (tmpfs)", Assert.Single(result.Point.Sources).Warning, StringComparison.Ordinal);
        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        Assert.Null((await BackUpAsync(SourceRules.Mars with { Allowed = [SourceKind.Memory] }, source)).Point.Sources[0].Warning);
    }

    [Fact]
    public async Task A_container_s_layer_is_doubted()
    {
        string source = Overlay("merged");

        BackupResult result = await BackUpAsync(SourceRules.Open, source);

        Assert.Contains("a container's own layer (overlay)", Assert.Single(result.Point.Sources).Warning, StringComparison.Ordinal);
        Assert.Equal(1, result.Point.Sources[0].Manifest.Files);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_container_s_layer_below_a_source_is_left_out_with_a_note_until_it_is_allowed(bool crosses)
    {
        Directory.CreateDirectory(_folder["source"]);
        File.WriteAllText(_folder["source", "file"], "content");
        string layer = Overlay("source/containers/merged");
        var notes = new List<string>();

        BackupResult result = await BackUpAsync(SourceRules.Open, _folder["source"], crosses, notes);

        Assert.Equal(1, result.Point.Sources[0].Manifest.Files);
        Assert.Contains($"'{layer}' is a container's own layer (overlay) and is not entered", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        BackupResult allowed = await BackUpAsync(SourceRules.Open with { Allowed = [SourceKind.Container] }, _folder["source"], crosses: true);
        Assert.Equal(2, allowed.Point.Sources[0].Manifest.Files);

        // What is not entered any more is not taken for a disk that is missing.
        BackupResult again = await BackUpAsync(SourceRules.Open, _folder["source"], crosses: true);
        Assert.Equal((RecoveryPointStatus.Completed, 1), (again.Point.Status, again.Point.Sources[0].Manifest.Files));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_volume_or_a_view_that_is_read_only_is_refused_by_the_original_s_profile_alone(bool isView)
    {
        string source;
        if (isView)
        {
            Directory.CreateDirectory(_folder["data"]);
            File.WriteAllText(_folder["data", "file"], "content");
            source = Mount("view", "--bind", "-o", "ro", _folder["data"]);
        }
        else
        {
            Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("ext4"), "Mounting ext4 needs root on Linux, and mkfs.ext4.");
            using (MountedFileSystem.InImage(_folder["image"], _folder["disk"], "ext4"))
            {
                File.WriteAllText(_folder["disk", "file"], "content");
            }

            while (Shell.RunChecked("losetup", "-j", _folder["image"]).Length > 0)
            {
                await Task.Delay(20, Cancel);
            }

            source = Mount("disk", "-o", "loop,ro", _folder["image"]);
        }

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(SourceRules.Mars, source));

        Assert.Equal(BackupErrorId.SourceRefused, refused.Id);
        Assert.Contains("read-only", refused.Message, StringComparison.Ordinal);
        BackupResult open = await BackUpAsync(SourceRules.Open, source);
        Assert.Equal((null, 1), (open.Point.Sources[0].Warning, open.Point.Sources[0].Manifest.Files));
        Assert.Equal(1, (await BackUpAsync(SourceRules.Mars with { Allowed = [SourceKind.ReadOnly] }, source)).Point.Sources[0].Manifest.Files);
    }

    [Fact]
    public async Task A_disk_of_60_terabytes_is_too_much_for_the_original_s_profile_and_stored_in_no_time_by_ours()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("xfs"), "Mounting XFS needs root on Linux, and mkfs.xfs.");
        using (MountedFileSystem.InImage(_folder["image"], _folder["disk"], "xfs"))
        {
            using (FileStream file = File.Create(_folder["disk", "sparse"]))
            {
                file.SetLength(60L << 40);
            }

            BackupException refused = await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(SourceRules.Mars, _folder["disk"]));
            BackupResult open = await BackUpAsync(SourceRules.Open, _folder["disk"]);

            Assert.Equal(BackupErrorId.SourceTooLarge, refused.Id);
            Assert.Contains("54,400 GB", refused.Message, StringComparison.Ordinal);
            Assert.Equal(60L << 40, open.Point.Sources[0].Manifest.Bytes);
        }
    }

    private string Mount(string name, params string[] arguments)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Only root mounts volumes.");
        string point = Directory.CreateDirectory(_folder[name]).FullName;
        Shell.RunChecked("mount", [.. arguments, point]);
        _mounts.Push(point);
        return point;
    }

    private string Overlay(string name)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && File.ReadAllText("/proc/filesystems").Contains("overlay", StringComparison.Ordinal), "Overlays need root on Linux, and a kernel that has them.");

        // The upper one must be on a file system that has all attributes.
        string layers = Mount("layers", "-t", "tmpfs", "tmpfs");
        foreach (string layer in new[] { "lower", "upper", "work" })
        {
            Directory.CreateDirectory(Path.Combine(layers, layer));
        }

        File.WriteAllText(Path.Combine(layers, "lower", "inside"), "a container");
        return Mount(name, "-t", "overlay", "-o", $"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/work", "overlay");
    }

    private async Task<BackupResult> BackUpAsync(SourceRules rules, string source, bool crosses = false, List<string>? notes = null)
    {
        FolderVault vault = Directory.Exists(_folder["vault"]) ? new FolderVault(_folder["vault"]) : await FolderVault.CreateAsync(_folder["vault"]);
        var request = new BackupRequest
        {
            MachineName = "m",
            Sources = [new BackupSource.Tree(source, new SourceSelection { CrossMountPoints = crosses })],
            Rules = rules,
        };
        return await (await vault.OpenAsync()).BackUpAsync(request, new JobMonitor { Noted = (notes ?? []).Add }, Cancel);
    }
}
