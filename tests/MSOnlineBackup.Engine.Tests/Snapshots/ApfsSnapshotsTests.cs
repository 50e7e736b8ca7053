using System.Text;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>
/// Snapshots of APFS against what 'tmutil' and 'mount_apfs' of macOS print, as their users have published it: the note and the date of 'localsnapshot' and
/// the heading of 'listlocalsnapshots' as since macOS 12, "Deleted local snapshot '…'", and the same listing without a heading and ".local" as on 10.13.
/// </summary>
public sealed class ApfsSnapshotsTests : IDisposable
{
    private const string Date = "2026-11-30-031500";
    private const string Name = "com.apple.TimeMachine.2026-11-30-031500.local";
    private const string Made = "NOTE: local snapshots are considered purgeable and may be removed at any time by deleted(8).\nCreated local snapshot with date: 2026-11-30-031500\n";
    private const string Listed = "Snapshots for disk /System/Volumes/Data:\ncom.apple.TimeMachine.2026-11-29-220005.local\ncom.apple.TimeMachine.2026-11-30-031500.local\n";
    private const string Others = "Snapshots for disk /System/Volumes/Data:\ncom.apple.TimeMachine.2026-11-29-220005.local\n";
    private const string Dates = "Snapshot dates for all disks:\n2026-11-29-220005\n2026-11-30-031500\n";
    private const string OtherDates = "Snapshot dates for all disks:\n2026-11-29-220005\n";
    private const string Disk = "/System/Volumes/Data";
    private const string ListDisk = "tmutil listlocalsnapshots /System/Volumes/Data";
    private const string ListDates = "tmutil listlocalsnapshotdates";
    private const string Delete = "tmutil deletelocalsnapshots 2026-11-30-031500";

    private readonly TempFolder _folder = new();
    private readonly ScriptedCommands _commands = new();
    private readonly List<VolumeDescription> _mounts = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ApfsSnapshots Maker => new(_commands, () => _mounts, isRoot: true);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_volume_is_kept_mounted_read_only_and_its_snapshot_removed()
    {
        string folder = _folder["mounts", "id"];
        WantedSnapshot wanted = Want(Disk, "id");
        var written = new List<string>();
        wanted = new WantedSnapshot(wanted.Volume, wanted.Mark) { WriteDown = () => written.Add($"{wanted.Mark.Name}, mounted: {Directory.Exists(folder)}") };
        _commands.Answers("tmutil localsnapshot", Made);
        _commands.Answers(ListDisk, Listed);
        _commands.Answers($"mount_apfs -o ro,nobrowse -s {Name} {Disk} {folder}", "");

        Assert.Null(await Maker.FindObstacleAsync(wanted.Volume, Cancel));
        Assert.Equal("", wanted.Mark.Name);
        await Maker.TakeAsync([wanted], Cancel);

        Assert.Equal((Date, folder, null), (wanted.Mark.Name, Encoding.UTF8.GetString(wanted.Place!), wanted.Failure));

        // Its name was written down before anything was done with it.
        Assert.Equal([$"{Date}, mounted: False"], written);
        _mounts.Add(new VolumeDescription { Place = folder, FileSystem = "apfs", Device = $"{Name}@/dev/disk3s5" });
        _commands.Answers($"umount {folder}", "");
        _commands.OnAsked = (line, _) => _mounts.RemoveAll(_ => line.StartsWith("umount", StringComparison.Ordinal));
        _commands.AnswersInTurn(ListDates, Dates, OtherDates);
        _commands.Answers(Delete, "Deleted local snapshot '2026-11-30-031500'\n");
        _commands.Answers(ListDisk, Others);

        Assert.Null(await Maker.RemoveAsync(wanted.Mark));

        Assert.False(Directory.Exists(folder));
        _commands.AssertAllAsked();
        Assert.Single(_commands.Asked, line => line.Contains("delete", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_call_keeps_all_volumes_and_one_that_Time_Machine_leaves_out_says_so()
    {
        WantedSnapshot[] wanted = [Want(Disk, "a"), Want("/Volumes/Work", "b")];
        _commands.Answers("tmutil localsnapshot", Made);
        _commands.Answers(ListDisk, Listed);
        _commands.Answers("tmutil listlocalsnapshots /Volumes/Work", "Snapshots for disk /Volumes/Work:\n");
        _commands.Answers($"mount_apfs -o ro,nobrowse -s {Name} {Disk} {_folder["mounts", "a"]}", "");

        await Maker.TakeAsync(wanted, Cancel);

        Assert.NotNull(wanted[0].Place);
        Assert.Contains("left out of what Time Machine backs up", wanted[1].Failure, StringComparison.Ordinal);
        Assert.Single(_commands.Asked, line => line == "tmutil localsnapshot");
        Assert.Equal(Date, wanted[1].Mark.Name);
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task While_one_volume_is_still_read_the_mark_of_the_other_takes_care_of_its_snapshot()
    {
        var mark = new SnapshotMark("APFS", "/Volumes/Work", "id", Date) { Mount = _folder["none"] };
        _mounts.Add(new VolumeDescription { Place = _folder["mounts", "a"], FileSystem = "apfs", Device = $"{Name}@/dev/disk3s5" });
        _commands.AnswersInTurn(ListDates, Dates);
        _commands.Answers(Delete, "", 1, $"Failed to delete local snapshot '{Date}', error: Resource busy");

        Assert.Null(await Maker.RemoveAsync(mark));

        _mounts.Clear();
        Assert.Equal($"'tmutil' ended with 1: Failed to delete local snapshot '{Date}', error: Resource busy", await Maker.RemoveAsync(mark));
    }

    [Theory]
    [InlineData("Created local snapshot with date: soon\n", 0, "does not tell what it has made")]
    [InlineData("", 0, "does not tell what it has made")]
    [InlineData("", 1, "'tmutil' ended with 1: Failed to create local snapshot.")]
    public async Task A_snapshot_without_a_name_is_not_read_and_never_taken_for_one_that_is_there(string output, int exitCode, string why)
    {
        WantedSnapshot wanted = Want(Disk, "id");
        _commands.Answers("tmutil localsnapshot", output, exitCode, "Failed to create local snapshot.");
        _commands.Answers(ListDisk, Listed);

        await Maker.TakeAsync([wanted], Cancel);

        Assert.Contains(why, wanted.Failure, StringComparison.Ordinal);
        Assert.Null(await Maker.RemoveAsync(wanted.Mark));
        Assert.Equal(["tmutil localsnapshot"], _commands.Asked);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("2026-11-30")]
    [InlineData("2026-13-30-031500")]
    public async Task Only_a_date_is_ever_given_to_what_removes(string name)
    {
        string? why = await Maker.RemoveAsync(new SnapshotMark("APFS", Disk, "id", name));

        Assert.Equal(name.Length > 0, why is not null);
        Assert.Empty(_commands.Asked);
    }

    [Fact]
    public async Task A_disk_that_is_away_is_looked_at_again_by_the_next_backup()
    {
        _commands.Answers(ListDates, OtherDates);
        _commands.Answers("tmutil listlocalsnapshots /Volumes/Work", "", 1, "/Volumes/Work: No such file or directory");

        string? why = await Maker.RemoveAsync(new SnapshotMark("APFS", "/Volumes/Work", "id", Date));

        Assert.Contains("No such file or directory", why, StringComparison.Ordinal);
        Assert.DoesNotContain(Delete, _commands.Asked);
    }

    [Fact]
    public async Task What_cannot_be_mounted_or_unmounted_says_so()
    {
        WantedSnapshot wanted = Want(Disk, "id");
        string folder = _folder["mounts", "id"];
        _commands.Answers("tmutil localsnapshot", Made);
        _commands.Answers(ListDisk, "com.apple.TimeMachine.2026-11-30-031500\n");
        _commands.Answers($"mount_apfs -o ro,nobrowse -s com.apple.TimeMachine.{Date} {Disk} {folder}", "", 66, "mount_apfs: volume could not be mounted: Operation not permitted");

        await Maker.TakeAsync([wanted], Cancel);

        Assert.Equal("'mount_apfs' ended with 66: mount_apfs: volume could not be mounted: Operation not permitted", wanted.Failure);
        _mounts.Add(new VolumeDescription { Place = folder });
        _commands.Answers($"umount {folder}", "", 1, $"umount({folder}): Resource busy -- try 'diskutil unmount'");
        Assert.Contains("Resource busy", await Maker.RemoveAsync(wanted.Mark), StringComparison.Ordinal);
        Assert.DoesNotContain(Delete, _commands.Asked);
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task Only_root_and_only_APFS()
    {
        Assert.Contains("root may", await new ApfsSnapshots(_commands, () => _mounts, isRoot: false).FindObstacleAsync(VolumeOf(Disk), Cancel), StringComparison.Ordinal);
        Assert.Equal("The program 'tmutil' is not there.", await Maker.FindObstacleAsync(VolumeOf(Disk), Cancel));
        Assert.True(Maker.IsOf(VolumeOf(Disk)));
        Assert.False(Maker.IsOf(VolumeOf(Disk) with { FileSystem = "hfs" }));
    }

    // A Mac with a sealed volume of the system, its data, a disk for work within a home, and a stick.
    [Fact]
    public void Volumes_are_found_behind_firm_links()
    {
        _mounts.AddRange(
        [
            new VolumeDescription { Place = "/", FileSystem = "apfs", Device = "/dev/disk3s1s1", IsReadOnly = true },
            new VolumeDescription { Place = "/dev", FileSystem = "devfs", Device = "devfs" },
            new VolumeDescription { Place = Disk, FileSystem = "apfs", Device = "/dev/disk3s5" },
            new VolumeDescription { Place = "/Users/me/work", FileSystem = "apfs", Device = "/dev/disk5s1" },
            new VolumeDescription { Place = "/Volumes/STICK", FileSystem = "msdos", Device = "/dev/disk6s1" },
        ]);
        var disks = new MacDisks(
            () => _mounts, path => Encoding.UTF8.GetString(path) is var text && text.StartsWith("/Users", StringComparison.Ordinal)
                ? (path, Encoding.UTF8.GetBytes(Disk + text))
                : (path, path));
        SourceSelection all = SourceSelection.Everything with { CrossMountPoints = true };

        SourceVolumes home = disks.Find("/Users/me", all)!;

        Assert.Equal(("/System/Volumes/Data/Users/me", Disk, "/dev/disk3s5"), (Text(home.RealPath), Text(home.Root.Volume!.Path), home.Root.Volume.Identity));
        VolumePart work = Assert.Single(home.Below);
        Assert.Equal(("work", "/System/Volumes/Data/Users/me/work", true), (Text(work.Path.Bytes.ToArray()), Text(work.Volume!.Path), work.IsTaken));
        Assert.Equal("/place/a", Text(SnapshotKit.Move([.. home.LivePathOf(work), .. "/a"u8], work.Volume.Path, "/place"u8.ToArray())));
        Assert.False(Assert.Single(disks.Find("/Users/me", SourceSelection.Everything)!.Below).IsTaken);
        Assert.Empty(disks.Find("/Users/me", all with { Exclude = ["work"] })!.Below);

        Assert.Contains("weaves", disks.Find("/Library", all)!.Root.Obstacle, StringComparison.Ordinal);
        Assert.Equal("msdos", disks.Find("/Volumes/STICK/x", all)!.Root.Volume!.FileSystem);
        Assert.Null(new MacDisks(() => _mounts, _ => null).Find("/gone", all));
    }

    private WantedSnapshot Want(string place, string id) => new(VolumeOf(place), Maker.Mark(VolumeOf(place), id, _folder["mounts"]));

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static SnapshotVolume VolumeOf(string place) => new()
    {
        Path = Encoding.UTF8.GetBytes(place),
        FileSystem = "apfs",
        Device = "/dev/disk3s5",
        Identity = "/dev/disk3s5",
    };
}
