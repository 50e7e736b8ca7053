using System.Text;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>Snapshots by programs of the system, against what those print: LVM2 2.03 and OpenZFS 2.2. What is asked of them is compared word by word.</summary>
public sealed class CommandMakersTests : IDisposable
{
    // As LVM 2.03.16 of Debian prints it.
    private const string Ext4 = """
          {
              "report": [
                  {
                      "lv": [
                          {"vg_name":"data", "lv_name":"my-home", "segtype":"linear", "lv_size":"104857600", "vg_free":"432013312"}
                      ]
                  }
              ]
          }
        """;

    private const string Volumes = """
          {
              "report": [
                  {
                      "lv": [
                          {"lv_name":"foreign", "origin":"my-home"},
                          {"lv_name":"foreign-thin", "origin":"thin"},
                          {"lv_name":"my-home", "origin":""},
                          {"lv_name":"obengine_snapshot_id", "origin":"my-home"},
                          {"lv_name":"pool", "origin":""},
                          {"lv_name":"thin", "origin":""}
                      ]
                  }
              ]
          }
        """;

    private const string Asked = "lvs --reportformat json --units b --nosuffix --options vg_name,lv_name,segtype,lv_size,vg_free /dev/mapper/data-my--home";

    private readonly TempFolder _folder = new();
    private readonly ScriptedCommands _commands = new();
    private readonly HashSet<string> _mounted = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private LvmSnapshots Lvm => new(_commands, numbers => numbers == "253:1" ? "LVM-abc" : "CRYPT-LUKS2-def", _mounted.Contains);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_what_is_on_a_logical_volume_or_in_a_pool_is_theirs()
    {
        Assert.True(Lvm.IsOf(OnLvm()));
        Assert.False(Lvm.IsOf(OnLvm() with { DeviceNumber = "253:2" }));
        Assert.True(new ZfsSnapshots(_commands).IsOf(OnZfs("tank/home")));
        Assert.False(new ZfsSnapshots(_commands).IsOf(OnLvm()));
    }

    [Theory]
    [InlineData("linear", "ext4", "--size 104857600b", "ro,nosuid,nodev,noload")]
    [InlineData("thin", "xfs", "--setactivationskip n", "ro,nosuid,nodev,nouuid,norecovery")]
    public async Task A_logical_volume_is_kept_mounted_and_removed(string segment, string fileSystem, string room, string options)
    {
        LvmSnapshots maker = Lvm;
        SnapshotVolume volume = OnLvm() with { FileSystem = fileSystem, Root = "/part"u8.ToArray() };
        _commands.Answers(Asked, Ext4.Replace("linear", segment, StringComparison.Ordinal));
        string folder = _folder["mounts", "id"];
        _commands.Answers($"lvcreate --yes --snapshot --permission r {room} --name obengine_snapshot_id data/my-home", "  Logical volume \"obengine_snapshot_id\" created.");
        _commands.Answers($"mount --types {fileSystem} --options {options} /dev/data/obengine_snapshot_id {folder}", "");

        Assert.Null(await maker.FindObstacleAsync(volume, Cancel));
        var wanted = new WantedSnapshot(volume, maker.Mark(volume, "id", _folder["mounts"]));
        await maker.TakeAsync([wanted], Cancel);

        Assert.Equal(("data/obengine_snapshot_id", folder), (wanted.Mark.Name, wanted.Mark.Mount));
        Assert.Equal(folder + "/part", Encoding.UTF8.GetString(wanted.Place!));

        _mounted.Add(folder);
        _commands.Answers($"umount {folder}", "");
        _commands.Answers("lvs --reportformat json --options lv_name,origin data", Volumes);
        _commands.Answers("lvremove --yes data/obengine_snapshot_id", "");
        Assert.Null(await maker.RemoveAsync(wanted.Mark));
        Assert.False(Directory.Exists(folder));
        _commands.AssertAllAsked();
    }

    // It takes no size that is not of whole sectors, and thin ones take nothing of the group's space.
    [Fact]
    public async Task Thick_snapshots_of_one_group_share_a_quarter_of_its_free_space()
    {
        LvmSnapshots maker = Lvm;
        var wanted = new List<WantedSnapshot>();
        foreach ((string device, string group, string segment) in new[] { ("a", "data", "linear"), ("b", "data", "linear"), ("c", "data", "striped"), ("d", "data", "thin"), ("e", "other", "linear") })
        {
            SnapshotVolume volume = OnLvm() with { Device = device, Identity = device };
            _commands.Answers(
                Asked.Replace("/dev/mapper/data-my--home", device, StringComparison.Ordinal),
                Ext4.Replace("my-home", device, StringComparison.Ordinal).Replace("data", group, StringComparison.Ordinal).Replace("linear", segment, StringComparison.Ordinal));
            string room = segment == "thin" ? "--setactivationskip n" : group == "other" ? "--size 104857600b" : "--size 35651584b";
            _commands.Answers($"lvcreate --yes --snapshot --permission r {room} --name obengine_snapshot_{device} {group}/{device}", "");
            Assert.Null(await maker.FindObstacleAsync(volume, Cancel));
            wanted.Add(new WantedSnapshot(volume, maker.Mark(volume, device, _folder["mounts"])));
        }

        await maker.TakeAsync(wanted, Cancel);

        _commands.AssertAllAsked();
    }

    // The letters are those of a real snapshot before and after it was full, and those of a thin one.
    [Theory]
    [InlineData("sri-aos---", false)]
    [InlineData("sri-Ios---", true)]
    [InlineData("Vri-aotz--", false)]
    [InlineData("", false)]
    public async Task A_snapshot_that_was_full_before_all_was_read_is_told_of(string letters, bool isFull)
    {
        _commands.Answers("lvs --reportformat json --options lv_attr data/obengine_snapshot_id", $$"""{"report":[{"lv":[{"lv_attr":"{{letters}}"}]}]}""");

        string? loss = await Lvm.FindLossAsync(new SnapshotMark("LVM", "/home", "id", "data/obengine_snapshot_id"));

        Assert.True(isFull ? loss!.Contains("'/home' was full", StringComparison.Ordinal) : loss is null, loss);
        _commands.AssertAllAsked();
    }

    // It holds the volume still for a moment; killed in it, it would leave it so.
    [Fact]
    public async Task What_makes_a_snapshot_comes_to_its_end_when_the_backup_is_stopped()
    {
        LvmSnapshots maker = Lvm;
        _commands.Answers(Asked, Ext4);
        Assert.Null(await maker.FindObstacleAsync(OnLvm(), Cancel));
        WantedSnapshot[] wanted = [new(OnLvm(), maker.Mark(OnLvm(), "1", _folder["mounts"])), new(OnLvm(), maker.Mark(OnLvm(), "2", _folder["mounts"]))];
        using var stop = new CancellationTokenSource();
        var asked = new List<(string Line, bool CanBeStopped)>();
        _commands.OnAsked = (line, token) =>
        {
            asked.Add((line.Split(' ')[0], token.CanBeCanceled));
            stop.Cancel();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => maker.TakeAsync(wanted, stop.Token));

        Assert.Equal([("lvcreate", false)], asked);
    }

    [Fact]
    public async Task What_LVM_refuses_is_told_and_what_was_made_of_it_is_removed()
    {
        LvmSnapshots maker = Lvm;
        _commands.Answers(Asked, Ext4);
        Assert.Null(await maker.FindObstacleAsync(OnLvm(), Cancel));
        var wanted = new WantedSnapshot(OnLvm(), maker.Mark(OnLvm(), "id", _folder["mounts"]));
        _commands.Answers("lvcreate --yes --snapshot --permission r --size 104857600b --name obengine_snapshot_id data/my-home", "");
        _commands.Answers($"mount --types ext4 --options ro,nosuid,nodev,noload /dev/data/obengine_snapshot_id {_folder["mounts", "id"]}", "", 32, "mount: wrong fs type");

        await maker.TakeAsync([wanted], Cancel);

        Assert.Equal((null, "'mount' ended with 32: mount: wrong fs type"), (wanted.Place, wanted.Failure));
        _commands.Answers("lvs --reportformat json --options lv_name,origin data", Volumes);
        _commands.Answers("lvremove --yes data/obengine_snapshot_id", "", 5, "  Logical volume data/obengine_snapshot_id in use.");
        Assert.Equal("'lvremove' ended with 5: Logical volume data/obengine_snapshot_id in use.", await maker.RemoveAsync(wanted.Mark));
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task A_full_group_a_missing_program_and_a_strange_answer_are_obstacles()
    {
        Assert.Equal("The program 'lvs' is not there.", await Lvm.FindObstacleAsync(OnLvm(), Cancel));
        _commands.Answers(Asked, Ext4.Replace("432013312", "4194304", StringComparison.Ordinal));
        Assert.Contains("no room", await Lvm.FindObstacleAsync(OnLvm(), Cancel), StringComparison.Ordinal);
        foreach (string strange in new[] { "", "null", "{}", """{"report":[{"lv":[]}]}""", """{"report":[{"lv":[{"vg_name":"x"}]}]}""" })
        {
            _commands.Answers(Asked, strange);
            Assert.Contains("does not tell", await Lvm.FindObstacleAsync(OnLvm(), Cancel), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"report":[{"lv":[{"lv_name":"home","origin":""}]}]}""", 0, null)]
    [InlineData("""{"report":[{"lv":[{"lv_name":"obengine_snapshot_id","origin":""}]}]}""", 0, "is no snapshot of a backup")]
    [InlineData("not JSON", 0, "does not tell")]
    [InlineData("", 5, "Volume group \"data\" not found")]
    public async Task Nothing_is_removed_that_is_not_there_or_no_snapshot(string report, int exitCode, string? left)
    {
        _commands.Answers("lvs --reportformat json --options lv_name,origin data", report, exitCode, "Volume group \"data\" not found");

        string? why = await Lvm.RemoveAsync(new SnapshotMark("LVM", "/home", "id", "data/obengine_snapshot_id") { Mount = _folder["none"] });

        Assert.True(left is null ? why is null : why!.Contains(left, StringComparison.Ordinal), why);
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task Datasets_of_one_pool_are_kept_at_one_moment()
    {
        var maker = new ZfsSnapshots(_commands);
        SnapshotVolume[] volumes = [OnZfs("tank/home"), OnZfs("tank/home/a"), OnZfs("other")];
        WantedSnapshot[] wanted = [.. volumes.Select((volume, i) => new WantedSnapshot(volume, maker.Mark(volume, $"{i}", "")))];
        _commands.Answers("zfs list -H -o name -t filesystem tank/home", "tank/home\n");
        _commands.Answers("zfs snapshot tank/home@obengine-snapshot-0 tank/home/a@obengine-snapshot-1", "");
        _commands.Answers("zfs snapshot other@obengine-snapshot-2", "", 1, "cannot create snapshots : out of space\n");

        Assert.Null(await maker.FindObstacleAsync(volumes[0], Cancel));
        await maker.TakeAsync(wanted, Cancel);

        Assert.Equal("/mnt/tank/home/a/.zfs/snapshot/obengine-snapshot-1", Encoding.UTF8.GetString(wanted[1].Place!));
        Assert.Equal((null, "'zfs' ended with 1: cannot create snapshots : out of space"), (wanted[2].Place, wanted[2].Failure));
        _commands.Answers("zfs list -H -o name -t snapshot -d 1 tank/home", "tank/home@daily\ntank/home@obengine-snapshot-0\n");
        _commands.Answers("zfs destroy tank/home@obengine-snapshot-0", "");
        _commands.Answers("zfs list -H -o name -t snapshot -d 1 other", "other@daily\n");
        Assert.Null(await maker.RemoveAsync(wanted[0].Mark));
        Assert.Null(await maker.RemoveAsync(wanted[2].Mark));
        _commands.Answers("zfs list -H -o name -t snapshot -d 1 tank/home/a", "", 1, "cannot open 'tank/home/a': dataset does not exist");
        Assert.Contains("does not exist", await maker.RemoveAsync(wanted[1].Mark), StringComparison.Ordinal);
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task A_snapshot_of_ZFS_that_stayed_is_told_by_its_number_and_those_of_LVM_do_not_stay()
    {
        var maker = new ZfsSnapshots(_commands);
        SnapshotMark mark = maker.Mark(OnZfs("tank/home"), "0", "");
        _commands.Answers("zfs list -H -o name,guid -t snapshot -d 1 tank/home", "tank/home@daily\t1\ntank/home@obengine-snapshot-0\t1234567890\n");

        FoundSnapshot found = await maker.FindAsync(mark, Cancel);
        FoundSnapshot again = await maker.FindAsync(mark with { Uuid = "1234567890" }, Cancel);
        FoundSnapshot other = await maker.FindAsync(mark with { Uuid = "99" }, Cancel);
        _commands.Answers("zfs list -H -o name,guid -t snapshot -d 1 tank/home", "tank/home@daily\t1\n");
        FoundSnapshot gone = await maker.FindAsync(mark, Cancel);
        _commands.Answers("zfs list -H -o name,guid -t snapshot -d 1 tank/home", "", 1, "cannot open 'tank/home': dataset does not exist");
        FoundSnapshot away = await maker.FindAsync(mark, Cancel);

        Assert.Equal(("/mnt/tank/home/.zfs/snapshot/obengine-snapshot-0", "1234567890"), (Encoding.UTF8.GetString(found.Place!), found.Uuid));
        Assert.Equal(found.Uuid, again.Uuid);
        Assert.Equal((null, true), (other.Place, other.IsGone));
        Assert.Equal((null, true), (gone.Place, gone.IsGone));
        Assert.Equal((null, false), (away.Place, away.IsGone));
        Assert.Null(maker.WhyNotStaying);
        Assert.NotNull(new LvmSnapshots(_commands, static _ => null, static _ => false).WhyNotStaying);
    }

    private static SnapshotVolume OnLvm() => new()
    {
        Path = "/home"u8.ToArray(),
        FileSystem = "ext4",
        Device = "/dev/mapper/data-my--home",
        DeviceNumber = "253:1",
        Identity = "id",
    };

    private static SnapshotVolume OnZfs(string dataset) => new()
    {
        Path = Encoding.UTF8.GetBytes("/mnt/" + dataset),
        FileSystem = "zfs",
        Device = dataset,
        Identity = dataset,
    };
}
