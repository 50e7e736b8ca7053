using System.Globalization;
using System.Text.Json;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Backups that read snapshots of a real LVM, in a guest of its own, and what they leave: nothing.</summary>
/// <param name="guest">What it reported.</param>
public sealed class LvmGuestTests(LvmGuest guest) : IClassFixture<LvmGuest>
{
    /// <summary>A thick volume with ext4, one below it with XFS, and a thin one.</summary>
    public static TheoryData<string> Places => ["/srv/ext4", "/srv/ext4/nested", "/srv/thin"];

    public static TheoryData<string, int> Endings => new()
    {
        { "step1", 0 },
        { "full-vault", 1 },
        { "stopped", 130 },
        { "after-kill", 0 },
        { "stopped-in-lvcreate", 130 },
        { "no-room", 0 },
        { "no-room-required", 1 },
        { "overflowed", 3 },
    };

    // Nothing was synced: LVM has the kernel write out the file system, and nobody writes meanwhile.
    [Theory]
    [MemberData(nameof(Places))]
    public void Files_that_a_program_keeps_in_step_are_in_step_in_every_point(string place)
    {
        guest.Require();

        IReadOnlyList<string> pairs = guest.Values("pair." + place);

        Assert.Equal(LvmGuest.Rounds, pairs.Count);
        long last = 0;
        foreach (long[] pair in pairs.Select(pair => pair.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray()))
        {
            Assert.InRange(pair[0] - pair[1], 0, 1);
            Assert.True(pair[0] > last, "The program wrote nothing between two backups.");
            last = pair[0];
        }

        Assert.Equal(LvmGuest.Rounds, guest.Values("filler." + place).Count);
    }

    [Fact]
    public void The_point_says_what_was_read_and_what_it_is_worth()
    {
        guest.Require();

        JsonElement[] points = [.. guest.Values("point").Select(line => JsonDocument.Parse(line).RootElement.Clone())];

        Assert.Equal(LvmGuest.Rounds, points.Length);
        foreach (JsonElement point in points)
        {
            Assert.Equal("FileSystem", point.GetProperty("consistency").GetString());
            JsonElement[] sources = [.. point.GetProperty("sources").EnumerateArray()];
            Assert.Equal(["/srv/ext4", "/srv/thin"], sources.Select(source => source.GetProperty("path").GetString()));
            Assert.All(sources, source => Assert.Equal(("LVM", "FileSystem"), (source.GetProperty("snapshot").GetString(), source.GetProperty("consistency").GetString())));
            Assert.Contains("2 volumes", sources[0].GetProperty("consistencyReason").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public void No_snapshot_of_ours_is_left_however_a_backup_ends_and_foreign_ones_stay(string backup, int code)
    {
        guest.Require();

        Assert.Equal($"{code}", guest.Value("code." + backup));
        Assert.Equal("0 0 0", guest.Value("left." + backup));
        Assert.Equal("2", guest.Value("foreign." + backup));
    }

    [Fact]
    public void What_a_killed_backup_leaves_the_next_one_removes()
    {
        guest.Require();

        Assert.Equal("137", guest.Value("code.killed"));
        Assert.StartsWith("1 1 ", guest.Value("left.killed"), StringComparison.Ordinal);
        Assert.Contains(guest.Lines("after-kill", "note"), note => note.GetProperty("message").GetString()!.Contains("interrupted", StringComparison.Ordinal));
    }

    [Fact]
    public void A_volume_is_never_left_held_still()
    {
        guest.Require();

        Assert.Equal("0", guest.Value("suspended"));
        Assert.Equal("yes", guest.Value("written"));
        foreach (string place in new[] { "/srv/ext4", "/srv/ext4/nested" })
        {
            Assert.Equal(("yes", "yes"), (guest.Value("frozen." + place), guest.Value("thawed." + place)));
        }
    }

    [Fact]
    public void Where_a_group_has_no_room_all_is_read_in_place_and_the_point_says_why()
    {
        guest.Require();

        Assert.Equal("None", Result("no-room").GetProperty("consistency").GetString());
        Assert.Contains("has no room", Result("no-room").GetProperty("consistencyReason").GetString(), StringComparison.Ordinal);
    }

    // 150 files: each is as it was when the snapshot was taken, or is told of.
    [Fact]
    public void Of_a_snapshot_that_overflows_nothing_is_kept_but_what_it_still_showed()
    {
        guest.Require();

        string[] skipped = [.. guest.Lines("overflowed", "skipped").Select(line => line.GetProperty("path").GetString()!)];
        string[] restored = guest.Value("overflow.restored").Split(' ');

        Assert.StartsWith("sri-I", guest.Value("overflow").Trim(), StringComparison.Ordinal);
        Assert.NotEmpty(skipped);
        Assert.Equal("0", restored[1]);
        Assert.Equal(150, int.Parse(restored[0], CultureInfo.InvariantCulture) + skipped.Count(path => char.IsAsciiDigit(path[^1])));
        Assert.Contains(guest.Lines("overflowed", "note"), note => note.GetProperty("message").GetString()!.Contains("was full before all", StringComparison.Ordinal));
    }

    private JsonElement Result(string backup) => Assert.Single(guest.Lines(backup, "summary"));
}
