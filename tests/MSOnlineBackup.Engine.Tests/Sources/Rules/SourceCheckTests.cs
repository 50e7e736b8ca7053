using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources.Rules;

/// <summary>What is decided of a source, by what is told of its volume (A4, A32, A42, A43, A45, A46, A48, Z23, Z51, Z52).</summary>
public sealed class SourceCheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    [InlineData("zfs")]
    [InlineData("NTFS")]
    [InlineData("ReFS")]
    [InlineData("apfs")]
    [InlineData("vfat")]
    [InlineData("exfat")]
    [InlineData("f2fs")]
    [InlineData("fuseblk")]
    [InlineData("fuse.gocryptfs")]
    [InlineData("ecryptfs")]
    [InlineData("tmpfs", SourceKind.Memory)]
    [InlineData("ramfs", SourceKind.Memory)]
    [InlineData("nfs", SourceKind.Network)]
    [InlineData("nfs4", SourceKind.Network)]
    [InlineData("cifs", SourceKind.Network)]
    [InlineData("smb3", SourceKind.Network)]
    [InlineData("smbfs", SourceKind.Network)]
    [InlineData("9p", SourceKind.Network)]
    [InlineData("virtiofs", SourceKind.Network)]
    [InlineData("afpfs", SourceKind.Network)]
    [InlineData("fuse.sshfs", SourceKind.Network)]
    [InlineData("fuse.rclone", SourceKind.Network)]
    [InlineData("fuse.of-somebody", SourceKind.Network)]
    [InlineData("fuse", SourceKind.Network)]
    [InlineData("ocfs2", SourceKind.Cluster)]
    [InlineData("gfs2", SourceKind.Cluster)]
    [InlineData("lustre", SourceKind.Cluster)]
    [InlineData("CSVFS", SourceKind.Cluster)]
    [InlineData("ceph", SourceKind.Network, SourceKind.Replicated)]
    [InlineData("fuse.glusterfs", SourceKind.Network, SourceKind.Replicated)]
    [InlineData("overlay", SourceKind.Container)]
    [InlineData("aufs", SourceKind.Container)]
    [InlineData("fuse.fuse-overlayfs", SourceKind.Container)]
    public void A_file_system_says_what_sources_on_it_are(string fileSystem, params SourceKind[] kinds) =>
        Assert.Equal(kinds, SourceFindings.Of(FakeVolumes.Disk with { FileSystem = fileSystem }).Select(finding => finding.Kind).Order());

    [Fact]
    public void The_rest_of_a_volume_says_it_too()
    {
        Assert.Equal([SourceKind.Removable], Kinds(FakeVolumes.Disk with { IsRemovable = true }));
        Assert.Equal([SourceKind.Optical, SourceKind.ReadOnly], Kinds(FakeVolumes.Disk with { IsOptical = true, IsRemovable = true, IsReadOnly = true }));
        Assert.Equal([SourceKind.Temporary], Kinds(FakeVolumes.Disk with { IsMarkedTemporary = true }));
        Assert.Equal([SourceKind.Replicated], Kinds(FakeVolumes.Disk with { Devices = ["drbd0", "sda"] }));
        Assert.Equal([SourceKind.Network], Kinds(FakeVolumes.Disk with { IsRemote = true }));
        Assert.Equal([SourceKind.Memory], Kinds(FakeVolumes.Disk with { IsMemory = true }));
        foreach (string model in new[] { "Amazon EC2 NVMe Instance Storage", "Microsoft NVMe Direct Disk v2", "EphemeralDisk", "nvme_card" })
        {
            Assert.Equal([SourceKind.Temporary], Kinds(FakeVolumes.Disk with { DiskModels = [model] }));
        }

        Assert.Empty(Kinds(FakeVolumes.Disk with { DiskModels = ["nvme_card-pd", "Amazon Elastic Block Store"] }));

        static IEnumerable<SourceKind> Kinds(VolumeDescription volume) => SourceFindings.Of(volume).Select(finding => finding.Kind);
    }

    [Theory]
    [InlineData("tmpfs", SourceTreatment.Warn, SourceTreatment.Warn, "memory")]
    [InlineData("nfs4", SourceTreatment.Refuse, SourceTreatment.Warn, "network")]
    [InlineData("ocfs2", SourceTreatment.Refuse, SourceTreatment.Warn, "several machines")]
    [InlineData("overlay", SourceTreatment.Warn, SourceTreatment.Warn, "container")]
    [InlineData("ext4", SourceTreatment.Take, SourceTreatment.Take, null)]
    public void A_profile_says_what_becomes_of_a_source_and_who_allows_it_is_not_asked_again(
        string fileSystem, object mars, object open, string? why)
    {
        var volumes = new FakeVolumes { At = { ["/data"] = FakeVolumes.Disk with { FileSystem = fileSystem } } };
        foreach ((SourceRules rules, object expected) in new[] { (SourceRules.Mars, mars), (SourceRules.Open, open) })
        {
            SourceVerdict verdict = new SourceCheck(rules, volumes).Check("/data", SourceSelection.Everything);

            Assert.Equal(expected, verdict.Refusal is not null ? SourceTreatment.Refuse : verdict.Warning is not null ? SourceTreatment.Warn : SourceTreatment.Take);
            string text = verdict.Refusal?.Message ?? verdict.Warning ?? "";
            Assert.Contains(why ?? "", text, StringComparison.Ordinal);
            Assert.Equal(why is null, text.Length == 0);
            Assert.Equal(verdict.Refusal is not null, verdict.IsForGood);

            SourceRules allowed = rules with { Allowed = [.. FileSystemKinds.Of(fileSystem)] };
            Assert.Equal((null, null), new SourceCheck(allowed, volumes).Check("/data", SourceSelection.Everything) is var calm ? (calm.Refusal, calm.Warning) : default);
        }
    }

    [Fact]
    public void A_refusal_says_how_to_allow_the_source()
    {
        var volumes = new FakeVolumes { At = { ["/media/stick"] = FakeVolumes.Disk with { IsRemovable = true, IsReadOnly = true } } };

        BackupException refusal = new SourceCheck(SourceRules.Mars, volumes).Check("/media/stick", SourceSelection.Everything).Refusal!;

        Assert.Equal((BackupErrorId.SourceRefused, "/media/stick"), (refusal.Id, refusal.Target));
        Assert.Contains("removable", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("read-only", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("-AllowSource Removable,ReadOnly", refusal.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("--allow-source removable --allow-source readonly", refusal.RecommendedAction, StringComparison.Ordinal);
        Assert.Null(new SourceCheck(SourceRules.Mars with { Allowed = [SourceKind.Removable, SourceKind.ReadOnly] }, volumes).Check("/media/stick", SourceSelection.Everything).Refusal);
        Assert.NotNull(new SourceCheck(SourceRules.Mars with { Allowed = [SourceKind.Removable] }, volumes).Check("/media/stick", SourceSelection.Everything).Refusal);
    }

    [Theory]
    [InlineData("BitLocker", null, BackupErrorId.SourceLocked)]
    [InlineData("eCryptfs", null, BackupErrorId.SourceLocked)]
    [InlineData(null, true, BackupErrorId.SourceLocked)]
    [InlineData(null, false, BackupErrorId.SourceNotMounted)]
    public void What_is_locked_or_away_is_refused_in_every_profile_and_nobody_can_allow_it(string? lockedBy, bool? isEncrypted, BackupErrorId id)
    {
        VolumeDescription volume = FakeVolumes.Disk with
        {
            LockedBy = lockedBy,
            NotMounted = isEncrypted is { } encrypted ? new ConfiguredMount("/data", "/dev/mapper/data", encrypted) : null,
        };
        var volumes = new FakeVolumes { At = { ["/data"] = volume } };
        foreach (SourceRules rules in new[] { SourceRules.Mars, SourceRules.Open, SourceRules.Open with { Allowed = Enum.GetValues<SourceKind>() }, SourceRules.None })
        {
            SourceVerdict verdict = new SourceCheck(rules, volumes).Check("/data", SourceSelection.Everything);

            Assert.Equal((id, false), (verdict.Refusal!.Id, verdict.IsForGood));
            Assert.Contains(id == BackupErrorId.SourceLocked ? "nlock" : "Mount", verdict.Refusal.RecommendedAction, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_folder_of_a_replicating_service_is_told_once_and_left_out_by_the_original_s_profile()
    {
        Directory.CreateDirectory(_folder["data/DfsrPrivate"]);
        Directory.CreateDirectory(_folder["data/.stversions"]);
        string data = _folder["data"];
        var volumes = new FakeVolumes();

        SourceVerdict open = new SourceCheck(SourceRules.Open, volumes).Check(data, SourceSelection.Everything);
        SourceVerdict mars = new SourceCheck(SourceRules.Mars, volumes).Check(data, SourceSelection.Everything);

        Assert.Contains("DfsrPrivate", open.Warning, StringComparison.Ordinal);
        Assert.Empty(open.LeftOut);
        Assert.Contains("left out", mars.Warning, StringComparison.Ordinal);
        Assert.Equal(["DfsrPrivate"], mars.LeftOut);
        Assert.Null(new SourceCheck(SourceRules.Open, volumes).Check(data, new SourceSelection { Exclude = ["DfsrPrivate", ".stversions"] }).Warning);
        SourceVerdict allowed = new SourceCheck(SourceRules.Mars with { Allowed = [SourceKind.Replicated] }, volumes).Check(data, SourceSelection.Everything);
        Assert.Equal((null, 0), (allowed.Warning, allowed.LeftOut.Count));
        Assert.NotNull(new SourceCheck(SourceRules.Open, volumes).Check(data + "/DfsrPrivate", SourceSelection.Everything).Warning);
    }

    [Fact]
    public void The_documented_table_is_the_one_that_holds()
    {
        string[] documented =
        [
            .. File.ReadLines(Path.Combine(Repository.Root, "docs", "operations.md"))
                .SkipWhile(line => !line.StartsWith("| Kind | What it is |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
                .Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries))
                .Select(cells => $"{cells[0]} {cells[2]} {cells[3]}"),
        ];

        Assert.Equal(SourceRules.Table.Select(row => $"`{row.Kind}` {Word(row.Kind, row.Mars)} {Word(row.Kind, row.Open)}"), documented);

        static string Word(SourceKind kind, SourceTreatment treatment) => (kind, treatment) switch
        {
            (SourceKind.Placeholder, SourceTreatment.Refuse) => "item skipped (0x8007018b)",
            (_, SourceTreatment.Take) => "taken",
            (_, SourceTreatment.Warn) => "warned",
            _ => "refused",
        };
    }

    [Fact]
    public void Every_kind_has_a_row_and_what_the_open_profile_refuses_the_original_s_does_too()
    {
        Assert.Equal(Enum.GetValues<SourceKind>(), SourceRules.Table.Select(row => row.Kind));
        Assert.All(SourceRules.Table, row => Assert.True(row.Mars >= row.Open));
    }
}
