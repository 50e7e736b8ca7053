using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Module.Tests;

/// <summary>Between the engine's recovery points and what scripts see.</summary>
public sealed class RecoveryConversionTests
{
    private static readonly DateTimeOffset s_started = new(2026, 11, 21, 20, 0, 5, TimeSpan.Zero);

    [Fact]
    public void The_root_of_a_source_stands_for_its_point()
    {
        OBRecoverableItem root = Point(["/home", "/srv/one.txt"]).ToRoot("/srv/one.txt", access: null)!;

        Assert.Equal("/srv/one.txt", root.Name);
        Assert.Equal(Model.SourceNumber.Of("/srv/one.txt"), root.RecoverySourceId);
        Assert.False(root.IsDir);
        Assert.False(root.IsWholePoint);
        Assert.Equal(DateTimeKind.Utc, root.PointInTime.Kind);
        Assert.Null(Point(["/home"]).ToRoot("/srv", access: null));
    }

    [Fact]
    public void The_roots_of_a_system_state_are_one_source()
    {
        RecoveryPoint point = Point(["/etc", "/boot/grub/grub.cfg"], "retain:system-state:daily:2027-02-20T21:00:00Z");

        Assert.Equal(["System State"], point.SourceNames());
        Assert.Equal("System State", point.ToOutput().DataSources);
        Assert.True(point.ToRoot("System State", access: null)!.IsWholePoint);
        Assert.Null(point.ToRoot("/etc", access: null));
    }

    [Theory]
    [InlineData("/home/a.txt", "/home", "a.txt")]
    [InlineData("/home/sub/x", "/home/sub", "x")]
    [InlineData("/home2/b", "/home2", "b")]
    public void An_item_belongs_to_the_deepest_source_above_it(string path, string source, string name)
    {
        var item = new RecoverableItem(path, new ManifestEntry
        {
            Path = EntryPath.Root,
            Kind = EntryKind.File,
            Metadata = new EntryMetadata { Modified = new(0, 1_500_000_000) },
            Size = 7,
        });

        OBRecoverableItem found = item.ToOutput(Point(["/home", "/home/sub", "/home2"]), access: null);

        Assert.Equal(source, found.LocalMountPoint);
        Assert.Equal(name, found.Name);
        Assert.Equal(7, found.ItemSize);
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(1.5), found.ItemLastModifiedTime);
    }

    [Fact]
    public void Scripts_may_name_points_and_jobs_by_text()
    {
        OBRecoverableItem whole = Point(["/home"]).ToOutput();

        Assert.True(whole.IsWholePoint);
        Assert.Equal("2026-11-21 20:00:05", OBRecoverableItem.Parse("2026-11-21 20:00:05").RecoveryPointId);
        Assert.Equal(Guid.Empty, OBJob.Parse(Guid.Empty.ToString()).JobId);
    }

    private static RecoveryPoint Point(string[] sources, params string[] tags) => new()
    {
        SessionId = new string('a', 32),
        MachineId = new string('b', 32),
        MachineName = "machine",
        OperatingSystem = "Linux",
        AgentVersion = "0.1.0",
        Started = s_started,
        Ended = s_started,
        Status = RecoveryPointStatus.Completed,
        Tags = tags,
        Sources = [.. sources.Select(path => new RecoveryPointSource { Path = path, Manifest = new ManifestRoot(default, 0, 1, 1, path.EndsWith(".txt", StringComparison.Ordinal) ? 0 : 1, 0) })],
    };
}
