using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Module.Tests;

/// <summary>Between the engine's recovery points and what scripts see.</summary>
public sealed class RecoveryConversionTests
{
    private static readonly DateTimeOffset _started = new(2026, 11, 21, 20, 0, 5, TimeSpan.Zero);

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
    [InlineData("/home", PathForm.Posix, "sub/a.txt", "/home/sub/a.txt")]
    [InlineData(@"C:\\Data", PathForm.Windows, "sub/a.txt", @"C:\Data\sub\a.txt")]
    [InlineData(@"C:\\", PathForm.Windows, "a.txt", @"C:\a.txt")]
    public void An_item_is_named_as_its_machine_names_it(string source, PathForm form, string path, string shown)
    {
        RecoveryPoint point = Point([source]);
        point = point with { Sources = [point.Sources[0] with { Form = form }] };
        var item = new RecoverableItem(point.Sources[0], new ManifestEntry
        {
            Path = EntryPath.Parse(path),
            Kind = EntryKind.File,
            Metadata = new EntryMetadata { Modified = new(0, 1_500_000_000) },
            Size = 7,
        });

        OBRecoverableItem found = item.ToOutput(point, access: null);

        Assert.Equal(shown, found.ItemNameFriendly);
        Assert.Equal(shown, found.ItemNameGuid);
        Assert.Equal("a.txt", found.Name);
        Assert.Equal(point.Sources[0].ShownPath, found.LocalMountPoint);
        Assert.Equal(7, found.ItemSize);
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(1.5), found.ItemLastModifiedTime);
    }

    [Theory]
    [InlineData(@"C:\Data")]
    [InlineData(@"c:\DATA\")]
    [InlineData("c:/data")]
    public void A_source_of_Windows_is_known_in_any_case_and_with_either_separator(string typed)
    {
        RecoveryPoint point = Point([@"C:\\Data"]);
        point = point with { Sources = [point.Sources[0] with { Form = PathForm.Windows }] };

        OBRecoverableItem root = point.ToRoot(typed, access: null)!;

        Assert.Equal(@"C:\Data", root.Name);
        Assert.Equal(@"C:\Data", root.MountPointName);
        Assert.Equal([@"C:\Data"], point.SourceNames());
        Assert.Equal(Model.SourceNumber.Of(@"c:\data"), root.RecoverySourceId);
        Assert.Null(Point(["/Data"]).ToRoot("/data", access: null));
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
        SessionId = SessionId.Parse(new string('a', 32)),
        MachineId = MachineId.Parse(new string('b', 32)),
        MachineName = "machine",
        OperatingSystem = "Linux",
        AgentVersion = "0.1.0",
        Started = _started,
        Ended = _started,
        Status = RecoveryPointStatus.Completed,
        Tags = tags,
        Sources = [.. sources.Select(path => new RecoveryPointSource { Path = path, Manifest = new ManifestRoot(default, 0, 1, 1, path.EndsWith(".txt", StringComparison.Ordinal) ? 0 : 1, 0) })],
    };
}
