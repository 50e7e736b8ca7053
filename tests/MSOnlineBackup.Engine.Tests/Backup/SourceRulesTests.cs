using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Engine.Tests.Sources.Rules;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>What a backup does with what the rules say of its sources (A29, A36, A37, A41, A42, A45).</summary>
public sealed class SourceRulesTests : IDisposable
{
    private readonly BackupFixture _backups = new();
    private readonly FakeVolumes _volumes = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_refused_source_is_lost_alone_and_is_not_opened()
    {
        _backups.Tree.File("good/file", 10);
        _backups.Tree.File("share/file", 10);
        string share = Path.Combine(_backups.Root, "share");
        _volumes.At[share] = FakeVolumes.Disk with { FileSystem = "nfs4" };

        BackupResult result = await _backups.BackUpAsync(Rules(SourceRules.Mars, Path.Combine(_backups.Root, "good"), share));

        Assert.Equal((share, BackupErrorId.SourceRefused), Assert.Single(result.LostSources) is var lost ? (lost.Name, lost.Failure.Id) : default);
        Assert.Equal([Path.Combine(_backups.Root, "good")], result.Point.Sources.Select(source => source.ShownPath));
        Assert.Null(result.Point.Sources[0].Warning);
        Assert.Equal(BackupErrorId.SourceRefused, (await _backups.FailAsync(Rules(SourceRules.Mars, share))).Id);
    }

    [Fact]
    public async Task A_doubtful_source_is_taken_and_the_point_says_so_once()
    {
        _backups.Tree.File("share/file", 10);
        string share = Path.Combine(_backups.Root, "share");
        _volumes.At[share] = FakeVolumes.Disk with { FileSystem = "nfs4", IsRemovable = true };

        BackupResult warned = await _backups.BackUpAsync(Rules(SourceRules.Open, share));
        BackupResult calm = await _backups.BackUpAsync(Rules(SourceRules.Open with { Allowed = [SourceKind.Network, SourceKind.Removable] }, share));

        RecoveryPoint read = (await (await _backups.OpenAsync()).ListPointsAsync(null, Cancel)).Single(point => point.SessionId == warned.Point.SessionId);
        Assert.Equal(
            $"'{share}' is on a network share (nfs4): back it up on the machine that it belongs to; it is on removable media, which may be away when the next backup runs.",
            Assert.Single(read.Sources).Warning);
        Assert.Equal(RecoveryPointStatus.Completed, read.Status);
        Assert.Empty(await _backups.SkippedAsync(read));
        Assert.Null(Assert.Single(calm.Point.Sources).Warning);
        Assert.Equal(2, _volumes.Asked);
    }

    [Fact]
    public async Task Folders_of_a_replicating_service_are_left_out_by_the_original_s_profile_only()
    {
        _backups.Tree.File("file", 10);
        _backups.Tree.File("DfsrPrivate/Staging/half", 10);

        BackupResult mars = await _backups.BackUpAsync(Rules(SourceRules.Mars, _backups.Root));
        BackupResult open = await _backups.BackUpAsync(Rules(SourceRules.Open, _backups.Root));

        Assert.Equal([_backups.Root, Path.Combine(_backups.Root, "file")], (await _backups.EntriesAsync(mars.Point)).Keys.Order(StringComparer.Ordinal));
        Assert.Contains("left out", mars.Point.Sources[0].Warning, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_backups.Root, "DfsrPrivate", "Staging", "half"), (await _backups.EntriesAsync(open.Point)).Keys);
    }

    [Fact]
    public async Task The_original_s_profile_skips_and_lists_links_and_hard_links_and_keeps_what_was_there_before()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links.");
        _backups.Tree.File("one", 5_000);
        _backups.Tree.File("plain", 10);
        string one = Path.Combine(_backups.Root, "one");
        BackupResult before = await _backups.BackUpAsync(Rules(SourceRules.Mars, _backups.Root));
        Assert.Equal(0, before.Point.SkippedCount);
        Shell.RunChecked("ln", one, Path.Combine(_backups.Root, "two"));
        File.CreateSymbolicLink(Path.Combine(_backups.Root, "link"), "plain");

        BackupResult mars = await _backups.BackUpAsync(Rules(SourceRules.Mars, _backups.Root));

        Assert.Equal(
            [(Path.Combine(_backups.Root, "link"), BackupErrorId.SourceItemRefused), (one, BackupErrorId.SourceItemRefused), (Path.Combine(_backups.Root, "two"), BackupErrorId.SourceItemRefused)],
            (await _backups.SkippedAsync(mars.Point)).Select(item => (item.Path, item.Id)));
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(mars.Point);
        Assert.Equal(EntryFlags.KeptFromEarlier, entries[one].Flags);
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, mars.Point.Status);

        BackupResult open = await _backups.BackUpAsync(Rules(SourceRules.Open, _backups.Root));
        Assert.Equal(0, open.Point.SkippedCount);
        Assert.Equal(EntryKind.SymbolicLink, (await _backups.EntriesAsync(open.Point))[Path.Combine(_backups.Root, "link")].Kind);
        Assert.Equal(3, (await _backups.BackUpAsync(Rules(SourceRules.Mars, _backups.Root))).Point.SkippedCount);
    }

    [Fact]
    public async Task More_of_a_volume_than_the_original_takes_is_refused_before_anything_is_sent()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A file with holes.");
        string one = Path.Combine(_backups.Root, "one");
        string two = Path.Combine(_backups.Root, "two");
        string other = Path.Combine(_backups.Root, "other");
        _backups.Tree.File("other/file", 10);
        Sparse(Path.Combine(one, "disk"), 8L << 40);
        Sparse(Path.Combine(two, "disk"), 8L << 40);
        _volumes.At[other] = FakeVolumes.Disk with { Device = "another" };
        int packs = _backups.Packs.Count;

        // A file system that can hold 60 TB in one file is not everywhere: the limit is what is smaller here.
        SourceRules rules = SourceRules.Mars;
        Assert.Equal(54_400L << 30, rules.MostBytesOnVolume);
        BackupRequest request = Rules(rules, one, two, other);
        BackupResult taken = await _backups.BackUpAsync(request);
        Assert.Empty(taken.LostSources);

        BackupResult result = await _backups.BackUpAsync(request with { Rules = rules.WithMostBytesOnVolume(12L << 40) });

        Assert.Equal([(one, BackupErrorId.SourceTooLarge), (two, BackupErrorId.SourceTooLarge)], result.LostSources.Select(lost => (lost.Name, lost.Failure.Id)));
        Assert.Contains("12,288 GB", result.LostSources[0].Failure.Message, StringComparison.Ordinal);
        Assert.Equal([other], result.Point.Sources.Select(source => source.ShownPath));
        Assert.InRange(_backups.Packs.Count, packs, packs + 8);
    }

    [Fact]
    public async Task What_is_asked_of_a_mount_that_is_not_there_is_not_asked_of_who_reads_everything()
    {
        _backups.Tree.Directory("data");
        string data = Path.Combine(_backups.Root, "data");
        _volumes.At[data] = FakeVolumes.Disk with { NotMounted = new(data, "UUID=1", IsEncrypted: false) };

        Assert.Equal(BackupErrorId.SourceNotMounted, (await _backups.FailAsync(Rules(SourceRules.Open, data))).Id);
        Assert.Empty((await _backups.BackUpAsync(Rules(SourceRules.Open, data) with { ReadEverything = true })).LostSources);
    }

    [Fact]
    public async Task A_preview_says_what_the_backup_would_refuse_and_doubt()
    {
        _backups.Tree.File("good/file", 10);
        _backups.Tree.File("share/file", 10);
        string share = Path.Combine(_backups.Root, "share");
        string good = Path.Combine(_backups.Root, "good");
        _volumes.At[share] = FakeVolumes.Disk with { FileSystem = "nfs4" };
        _volumes.At[good] = FakeVolumes.Disk with { FileSystem = "tmpfs" };
        var notes = new List<string>();

        List<BackupPreviewItem> items = await (await (await _backups.OpenAsync()).IndexAsync(Cancel)).PreviewAsync(Rules(SourceRules.Mars, good, share), Cancel, notes.Add).ToListAsync(Cancel);

        Assert.Equal((share, BackupErrorId.SourceRefused), Assert.Single(items, item => item.IsLostSource) is var lost ? (lost.Path, lost.Failure!.Id) : default);
        Assert.Contains("memory", Assert.Single(notes), StringComparison.Ordinal);
    }

    private BackupRequest Rules(SourceRules rules, params string[] sources) => Request(sources) with { Rules = rules, Volumes = _volumes };

    private static void Sparse(string path, long length)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileStream file = File.Create(path);
        file.SetLength(length);
    }
}
