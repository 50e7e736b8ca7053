using System.Text;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>Snapshots by programs of the system, against what those print: LVM2 2.03 and OpenZFS 2.2. What is asked of them is compared word by word.</summary>
public sealed class CommandMakersTests : IDisposable
{
    private const string Ext4 = """
          {
              "report": [
                  {
                      "lv": [
                          {"vg_name":"data", "lv_name":"home", "segtype":"linear", "lv_size":"10737418240", "vg_free":"8589934592"}
                      ]
                  }
              ]
          }
        """;

    private const string Asked = "lvs --reportformat json --units b --nosuffix --options vg_name,lv_name,segtype,lv_size,vg_free /dev/mapper/data-home";

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
    [InlineData("linear", "ext4", "--size 2147483648b", "ro,nosuid,nodev,noload")]
    [InlineData("thin", "xfs", "--setactivationskip n", "ro,nosuid,nodev,nouuid,norecovery")]
    public async Task A_logical_volume_is_kept_mounted_and_removed(string segment, string fileSystem, string room, string options)
    {
        LvmSnapshots maker = Lvm;
        SnapshotVolume volume = OnLvm() with { FileSystem = fileSystem, Root = "/part"u8.ToArray() };
        _commands.Answers(Asked, Ext4.Replace("linear", segment, StringComparison.Ordinal));
        string folder = _folder["mounts", "id"];
        _commands.Answers($"lvcreate --yes --snapshot --permission r {room} --name obengine_snapshot_id data/home", "  Logical volume \"obengine_snapshot_id\" created.");
        _commands.Answers($"mount --types {fileSystem} --options {options} /dev/data/obengine_snapshot_id {folder}", "");

        Assert.Null(await maker.FindObstacleAsync(volume, Cancel));
        var wanted = new WantedSnapshot(volume, maker.Mark(volume, "id", _folder["mounts"]));
        await maker.TakeAsync([wanted], Cancel);

        Assert.Equal(("data/obengine_snapshot_id", folder), (wanted.Mark.Name, wanted.Mark.Mount));
        Assert.Equal(folder + "/part", Encoding.UTF8.GetString(wanted.Place!));

        _mounted.Add(folder);
        _commands.Answers($"umount {folder}", "");
        _commands.Answers("lvs --reportformat json --options lv_name,origin data", """{"report":[{"lv":[{"lv_name":"home","origin":""},{"lv_name":"obengine_snapshot_id","origin":"home"}]}]}""");
        _commands.Answers("lvremove --yes data/obengine_snapshot_id", "");
        Assert.Null(await maker.RemoveAsync(wanted.Mark));
        Assert.False(Directory.Exists(folder));
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task What_LVM_refuses_is_told_and_what_was_made_of_it_is_removed()
    {
        LvmSnapshots maker = Lvm;
        _commands.Answers(Asked, Ext4);
        Assert.Null(await maker.FindObstacleAsync(OnLvm(), Cancel));
        var wanted = new WantedSnapshot(OnLvm(), maker.Mark(OnLvm(), "id", _folder["mounts"]));
        _commands.Answers("lvcreate --yes --snapshot --permission r --size 2147483648b --name obengine_snapshot_id data/home", "");
        _commands.Answers($"mount --types ext4 --options ro,nosuid,nodev,noload /dev/data/obengine_snapshot_id {_folder["mounts", "id"]}", "", 32, "mount: wrong fs type");

        await maker.TakeAsync([wanted], Cancel);

        Assert.Equal((null, "'mount' ended with 32: mount: wrong fs type"), (wanted.Place, wanted.Failure));
        _commands.Answers("lvs --reportformat json --options lv_name,origin data", """{"report":[{"lv":[{"lv_name":"obengine_snapshot_id","origin":"home"}]}]}""");
        _commands.Answers("lvremove --yes data/obengine_snapshot_id", "", 5, "  Logical volume data/obengine_snapshot_id in use.");
        Assert.Equal("'lvremove' ended with 5: Logical volume data/obengine_snapshot_id in use.", await maker.RemoveAsync(wanted.Mark));
        _commands.AssertAllAsked();
    }

    [Fact]
    public async Task A_full_group_a_missing_program_and_a_strange_answer_are_obstacles()
    {
        Assert.Equal("The program 'lvs' is not there.", await Lvm.FindObstacleAsync(OnLvm(), Cancel));
        _commands.Answers(Asked, Ext4.Replace("8589934592", "4194304", StringComparison.Ordinal));
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
        Device = "/dev/mapper/data-home",
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
