using System.Text;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>
/// Shadow copies of Windows against a service that answers as the real one is documented to (vsbackup.h and "Overview of Processing a Backup Under VSS"), and
/// as users of other programs have met it: duplicati#5570, #7005, #2720, #3236, restic#3142, #4875.
/// </summary>
public sealed class VssSnapshotsTests : IDisposable
{
    private const string C = @"\\?\Volume{00000000-0000-0000-0000-00000000000c}\";
    private const string D = @"\\?\Volume{00000000-0000-0000-0000-00000000000d}\";

    private readonly TempFolder _folder = new();
    private readonly ScriptedVss _vss = new();
    private readonly FakeClock _clock = new() { SkipsWaits = true };
    private readonly List<string> _notes = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task One_set_keeps_all_volumes_of_a_backup_and_is_ended_in_the_documented_order()
    {
        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data", @"D:\", @"C:\more");

        Assert.Equal(
            [
                "CreateVssBackupComponents", "InitializeForBackup", "SetContext 0", "SetBackupState 5", "GatherWriterMetadata", "FreeWriterMetadata", "StartSnapshotSet",
                $"IsVolumeSupported {C}", $"AddToSnapshotSet {C}", $"IsVolumeSupported {D}", $"AddToSnapshotSet {D}",
                "PrepareForBackup", "GatherWriterStatus", "GetWriterStatus", "DoSnapshotSet", "GatherWriterStatus", "GetWriterStatus",
                "GetSnapshotProperties", "GetSnapshotProperties",
            ],
            _vss.Log);
        Assert.All(sources, source => Assert.Equal(new SourceConsistency(ConsistencyLevel.Application, "VSS"), source.Consistency));
        Assert.Equal(
            [
                @"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy2\data", @"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3\",
                @"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy2\more",
            ],
            sources.Select(source => Encoding.UTF8.GetString(source.View!.Root)));

        _vss.Log.Clear();
        await set.DisposeAsync();

        Assert.Equal(["BackupComplete", "DeleteSnapshots", "Release"], _vss.Log);
        Assert.Equal(0, _vss.Open);
        Assert.Empty(_notes);
        Assert.Empty(Directory.GetFileSystemEntries(_folder["records"]));
    }

    [Fact]
    public async Task A_volume_that_is_mounted_below_a_source_is_of_the_same_moment_and_read_where_its_shadow_copy_is()
    {
        var drives = new Drives { Folders = { [@"C:\Data\Mnt\"] = D } };
        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(drives, SourceSelection.Everything with { CrossMountPoints = true }, @"C:\data");

        Assert.Equal(new SourceConsistency(ConsistencyLevel.Application, "VSS"), sources[0].Consistency);

        // As the folder is written, and as Windows has the mount point.
        foreach (string path in new[] { "mnt", "Mnt" })
        {
            Assert.Equal(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3\", Encoding.UTF8.GetString(sources[0].View!.Find(new EntryPath(Encoding.UTF8.GetBytes(path)))!.Path));
        }

        await set.DisposeAsync();
    }

    // duplicati#5570: two backups at once, and one of them has no shadow copy.
    [Theory]
    [InlineData("StartSnapshotSet", 3, true)]
    [InlineData("AddToSnapshotSet", 3, true)]
    [InlineData("StartSnapshotSet", 100, false)]
    public async Task While_another_set_is_made_it_waits_and_not_for_ever(string call, int times, bool isMade)
    {
        _vss.Answers(call, [.. Enumerable.Repeat(VssResult.SetInProgress, times)]);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data");
        await set.DisposeAsync();

        Assert.Equal(isMade ? ConsistencyLevel.Application : ConsistencyLevel.None, sources[0].Consistency!.Level);
        Assert.True(isMade || sources[0].Consistency!.Reason == "The shadow copy failed at StartSnapshotSet: another shadow copy is being made (0x80042316).");
        Assert.InRange(_clock.Elapsed, TimeSpan.FromSeconds(isMade ? 30 : 300), TimeSpan.FromSeconds(isMade ? 60 : 360));
        Assert.Equal(0, _vss.Open);
    }

    // duplicati#7005: a set that failed is left in progress, and no program of the machine makes a shadow copy any more.
    [Theory]
    [InlineData("CreateVssBackupComponents", VssResult.AccessDenied, "access is denied (0x80070005)")]
    [InlineData("InitializeForBackup", VssResult.BadState, "(0x80042301)")]
    [InlineData("SetContext 0", VssResult.BadState, "SetContext")]
    [InlineData("SetBackupState 5", VssResult.BadState, "SetBackupState")]
    [InlineData("GatherWriterMetadata", VssResult.WriterInfrastructure, "writers cannot be reached (0x80042318)")]
    [InlineData("GatherWriterMetadata state", VssResult.WriterInfrastructure, "writers cannot be reached (0x80042318)")]
    [InlineData("StartSnapshotSet", VssResult.RebootRequired, "restarted")]
    [InlineData("PrepareForBackup state", VssResult.Cancelled, "cancelled (0x80004004)")]
    [InlineData("DoSnapshotSet", VssResult.NoStorage, "there is no room for shadow copies (0x8004231F)")]
    [InlineData("DoSnapshotSet state", VssResult.ProviderVeto, "the provider refused")]
    [InlineData("GetSnapshotProperties", VssResult.NotFound, "it is not there")]
    public async Task Whatever_fails_is_told_and_the_service_is_let_go(string call, int result, string why)
    {
        _vss.Answers(call, result);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data");

        Assert.Equal((null, ConsistencyLevel.None), (sources[0].View, sources[0].Consistency!.Level));
        Assert.Contains(why, sources[0].Consistency!.Reason, StringComparison.Ordinal);
        Assert.Equal(0, _vss.Open);
        Assert.Equal(call != "CreateVssBackupComponents", _vss.Log.Contains("AbortBackup"));
        int asked = _vss.Log.Count;
        await set.DisposeAsync();
        Assert.Equal(asked, _vss.Log.Count);
        Assert.Empty(_notes);
    }

    // duplicati#2720: a drive that a program makes up costs all others their shadow copies.
    [Theory]
    [InlineData("IsVolumeSupported", 1, "there are no shadow copies of such a volume (0x8004230C)")]
    [InlineData("IsVolumeSupported", VssResult.UnexpectedProviderError, "the provider failed")]
    [InlineData("AddToSnapshotSet", VssResult.VolumeNotSupportedByProvider, "the provider makes none of such a volume (0x8004230E)")]
    public async Task A_volume_that_is_refused_costs_no_other_its_shadow_copy(string call, int result, string why)
    {
        _vss.Answers($"{call} {D}", result);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data", @"D:\");
        await set.DisposeAsync();

        Assert.Equal((ConsistencyLevel.Application, ConsistencyLevel.None), (sources[0].Consistency!.Level, sources[1].Consistency!.Level));
        Assert.Contains(why, sources[1].Consistency!.Reason, StringComparison.Ordinal);
        Assert.Single(_vss.Log, "DoSnapshotSet");
        Assert.Equal(0, _vss.Open);
    }

    [Fact]
    public async Task Where_every_volume_is_refused_no_set_stays_in_progress()
    {
        _vss.Answers("AddToSnapshotSet", VssResult.VolumeNotSupported, VssResult.VolumeNotSupported);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data", @"D:\");

        Assert.All(sources, source => Assert.Null(source.View));
        Assert.Equal(["AbortBackup", "Release"], _vss.Log[^2..]);
        Assert.Equal(0, _vss.Open);
        await set.DisposeAsync();
    }

    [Fact]
    public async Task A_set_that_fails_is_made_again_volume_by_volume()
    {
        _vss.Answers("DoSnapshotSet state", VssResult.ProviderVeto, VssResult.Finished, VssResult.NoStorage);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data", @"D:\");

        Assert.Equal((ConsistencyLevel.Application, ConsistencyLevel.None), (sources[0].Consistency!.Level, sources[1].Consistency!.Level));
        Assert.Contains("no room", sources[1].Consistency!.Reason, StringComparison.Ordinal);
        Assert.Equal(3, _vss.Log.Count(line => line == "DoSnapshotSet"));
        await set.DisposeAsync();
        Assert.Single(_vss.Log, "DeleteSnapshots");
        Assert.Equal(0, _vss.Open);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public async Task Writing_that_is_not_held_back_in_time_is_tried_again(int times, bool isMade)
    {
        _vss.Answers("DoSnapshotSet state", [.. Enumerable.Repeat(VssResult.HoldTimedOut, times)]);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data");
        await set.DisposeAsync();

        Assert.Equal(isMade, sources[0].View is not null);
        Assert.Equal(3, _vss.Log.Count(line => line == "DoSnapshotSet"));
        Assert.Equal(0, _vss.Open);
    }

    // E40 (0x800423F2): a writer that failed is told, and its files are as after a loss of power.
    [Theory]
    [InlineData(9, VssResult.WriterTimedOut, "Programs that did not bring their files into order: 'SqlServerWriter', it ran out of time between freeze and thaw (0x800423F2).")]
    [InlineData(1, VssResult.WriterRetryable, "Programs that did not bring their files into order: 'SqlServerWriter', it failed, and may succeed the next time (0x800423F3).")]
    [InlineData(8, 0, "Programs that did not bring their files into order: 'SqlServerWriter' (state 8).")]
    public async Task A_writer_that_failed_takes_the_promise_of_applications_with_it(int state, int failure, string reason)
    {
        _vss.Writers.Clear();
        _vss.Writers.Enqueue([new VssWriter("System Writer", 5, 0), new VssWriter("SqlServerWriter", state, failure)]);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data", @"D:\");
        await set.DisposeAsync();

        Assert.All(sources, source => Assert.Equal(new SourceConsistency(ConsistencyLevel.Crash, "VSS", reason), source.Consistency));
    }

    // duplicati#3236: writers that COM does not let call back are not there, and nothing else tells.
    [Fact]
    public async Task Without_writers_nothing_is_promised_of_applications()
    {
        _vss.Writers.Clear();
        _vss.Writers.Enqueue([]);
        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data");
        await set.DisposeAsync();
        Assert.Equal(new SourceConsistency(ConsistencyLevel.Crash, "VSS", "No program took part that brings its files into order."), sources[0].Consistency);

        _vss.Answers("GetWriterStatus", VssResult.BadState);
        (set, sources) = await TakeAsync(@"C:\data");
        await set.DisposeAsync();
        Assert.Equal(ConsistencyLevel.Crash, sources[0].Consistency!.Level);
        Assert.Contains("the writers cannot be asked", sources[0].Consistency!.Reason, StringComparison.Ordinal);
    }

    // restic#3142: a machine that is slow, and a set that is taken for failed while it is still being made.
    [Theory]
    [InlineData(3000, true)]
    [InlineData(7000, false)]
    public async Task A_slow_service_is_waited_for_and_one_that_hangs_is_given_up(int looks, bool isMade)
    {
        _vss.Answers("PrepareForBackup state", [.. Enumerable.Repeat(VssResult.Pending, looks)]);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(@"C:\data");
        await set.DisposeAsync();

        Assert.Equal(isMade, sources[0].View is not null);
        Assert.Equal(!isMade, _vss.Log.Contains("Cancel PrepareForBackup"));
        Assert.True(isMade || sources[0].Consistency!.Reason!.Contains("it took too long", StringComparison.Ordinal));
        Assert.Equal(0, _vss.Open);
    }

    [Fact]
    public async Task A_stop_in_the_middle_leaves_nothing()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        _vss.OnAsked = line =>
        {
            if (line == "DoSnapshotSet")
            {
                stop.Cancel();
            }
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TakeAsync(new Drives(), SourceSelection.Everything, stop.Token, @"C:\data"));

        Assert.Equal(["Cancel DoSnapshotSet", "AbortBackup", "Release"], _vss.Log[^3..]);
        Assert.Equal(0, _vss.Open);
        Assert.Empty(Directory.GetFileSystemEntries(_folder["records"]));
    }

    [Fact]
    public async Task At_the_end_the_service_is_let_go_whatever_it_answers()
    {
        (SnapshotSet set, _) = await TakeAsync(@"C:\data");
        _vss.Answers("BackupComplete state", VssResult.WriterTimedOut);
        _vss.Answers("DeleteSnapshots", VssResult.NotFound);
        await set.DisposeAsync();

        Assert.Equal(["BackupComplete", "DeleteSnapshots", "Release"], _vss.Log[^3..]);
        Assert.Empty(_notes);
    }

    // The shadow copies of a process that was killed went with it; the next backup finds its record alone.
    [Fact]
    public async Task What_a_killed_backup_wrote_down_needs_nothing_to_be_removed()
    {
        using (SnapshotRecord record = SnapshotRecord.Create(_folder["records"]))
        {
            record.Write([new SnapshotMark("VSS", @"C:\", C, "id")]);
        }

        (SnapshotSet set, _) = await TakeAsync(@"C:\data");
        await set.DisposeAsync();

        Assert.Single(_vss.Log, "DeleteSnapshots");
        Assert.Equal(["Snapshots that an interrupted backup had left were removed."], _notes);
        Assert.Empty(Directory.GetFileSystemEntries(_folder["records"]));
    }

    [Fact]
    public async Task An_account_that_may_not_is_told_before_anything_is_asked()
    {
        var vss = new ScriptedVss { Obstacle = "an administrator may" };

        Assert.Equal("an administrator may", await new VssSnapshots(vss, _clock).FindObstacleAsync(new Drives().Volume(@"C:\data"), Cancel));
        Assert.Empty(vss.Log);
    }

    // A43: nothing can change a read-only volume. What is not NTFS or ReFS, or of another machine, has no shadow copy, and says why.
    [Theory]
    [InlineData(@"R:\x", ConsistencyLevel.FileSystem, "Nothing can change it: the volume is mounted read-only.")]
    [InlineData(@"E:\x", ConsistencyLevel.None, @"There are no snapshots of exFAT on E:\.")]
    [InlineData(@"Z:\x", ConsistencyLevel.None, "It is on a network drive, and only the machine that shares it can take snapshots of it.")]
    [InlineData(@"\\nas\share\x", ConsistencyLevel.None, "It is on a network share, and only the machine that shares it can take snapshots of it.")]
    [InlineData(@"V:\x", ConsistencyLevel.None, @"'V:\' is no volume that Windows has a name for, and of others there are no shadow copies.")]
    [InlineData(@"L:\x", ConsistencyLevel.None, "BitLocker keeps the volume locked.")]
    [InlineData(@"B:\x", ConsistencyLevel.None, @"The volume 'B:\' does not tell what it is (error 1005).")]
    public async Task Volumes_without_shadow_copies_say_why(string path, ConsistencyLevel level, string reason)
    {
        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(path);
        await set.DisposeAsync();

        Assert.Equal((null, new SourceConsistency(level, Reason: reason)), (sources[0].View, sources[0].Consistency));
        Assert.Empty(_vss.Log);
    }

    [Fact]
    public void A_source_is_found_where_it_really_is()
    {
        var drives = new Drives { Links = { [@"C:\link"] = @"\\?\D:\there", [@"S:\x"] = @"\\?\C:\made-up\x" } };
        var finder = new WindowsDrives(drives);

        Assert.Equal((@"D:\there", D), Found(@"C:\link"));
        Assert.Equal((@"C:\made-up\x", C), Found(@"S:\x"));
        Assert.Null(finder.FindAt(@"C:\gone", SourceSelection.Everything));
        Assert.Null(finder.FindAt(@"\\.\PhysicalDrive0", SourceSelection.Everything));
        Assert.Empty(new WindowsDrives(new Drives { Folders = { [@"C:\data\mnt\"] = D } }).FindAt(@"C:\data", SourceSelection.Everything)!.Below);
        SourceSelection without = SourceSelection.Everything with { CrossMountPoints = true, Exclude = ["mnt"] };
        Assert.Empty(new WindowsDrives(new Drives { Folders = { [@"C:\data\mnt\"] = D } }).FindAt(@"C:\data", without)!.Below);

        (string Path, string Volume) Found(string path)
        {
            SourceVolumes found = finder.FindAt(path, SourceSelection.Everything)!;
            return (Encoding.UTF8.GetString(found.RealPath), found.Root.Volume!.Identity);
        }
    }

    private Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources)> TakeAsync(params string[] paths) => TakeAsync(new Drives(), SourceSelection.Everything, paths);

    private Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources)> TakeAsync(Drives drives, SourceSelection selection, params string[] paths) =>
        TakeAsync(drives, selection, Cancel, paths);

    private Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources)> TakeAsync(Drives drives, SourceSelection selection, CancellationToken stop, params string[] paths)
    {
        var kit = new SnapshotKit([new VssSnapshots(_vss, _clock)], new WindowsDrives(drives).FindAt) { IsOfWindows = true };
        return SnapshotSet.TakeAsync(
            kit, new SnapshotOptions(SnapshotMode.Auto, _folder["records"]), [.. paths.Select(path => (path, selection))], _notes.Add, stop);
    }

    // What Windows tells of some drives: GetVolumePathName, GetVolumeNameForVolumeMountPoint, GetVolumeInformation, GetFinalPathNameByHandle.
    private sealed class Drives : IWindowsVolumes
    {
        public Dictionary<string, string> Folders { get; } = [];

        public Dictionary<string, string> Links { get; } = [];

        public SnapshotVolume Volume(string path) => new WindowsDrives(this).FindAt(path, SourceSelection.Everything)!.Root.Volume!;

        public string? RootOf(string path) => Folders.Keys.FirstOrDefault(folder => path.StartsWith(folder, StringComparison.OrdinalIgnoreCase)) ?? path[..3];

        public DriveType KindOf(string root) => root[0] == 'Z' ? DriveType.Network : DriveType.Fixed;

        public WindowsVolume Query(string root) => root[0] switch
        {
            'R' => new WindowsVolume(0, "NTFS", Flags: 0x0008_00FF),
            'E' => new WindowsVolume(0, "exFAT"),
            'L' => new WindowsVolume(WindowsVolumeReader.LockedVolume),
            'B' => new WindowsVolume(1005),
            'D' => new WindowsVolume(0, "ReFS"),
            _ => new WindowsVolume(0, "NTFS"),
        };

        public bool HasFile(string path) => false;

        public string? NameOf(string root) => Folders.TryGetValue(root, out string? mounted) ? mounted
            : root[0] == 'V' ? null
            : $@"\\?\Volume{{00000000-0000-0000-0000-00000000000{char.ToLowerInvariant(root[0])}}}\";

        public string? RealPathOf(string path) => path.EndsWith("gone", StringComparison.Ordinal) ? null
            : Links.TryGetValue(path, out string? real) ? real
            : path.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC" + path[1..]
            : @"\\?\" + path;

        public IReadOnlyList<string> MountFolders() => [.. Folders.Keys];
    }
}
