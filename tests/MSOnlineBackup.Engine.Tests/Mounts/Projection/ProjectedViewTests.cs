using MSOnlineBackup.Mounts.Projection;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Projection;

/// <summary>What Windows is answered: listings, items, contents, changes, and what goes wrong.</summary>
public sealed class ProjectedViewTests : IDisposable
{
    private static readonly Guid _session = new("11111111-2222-3333-4444-555555555555");

    private readonly TempFolder _folder = new();
    private readonly MemoryView _view = new();
    private readonly RecordedProjection _windows = new();
    private readonly List<Exception> _troubles = [];
    private readonly ProjectedView _shown;
    private readonly ulong _home;
    private readonly ulong _largeId;
    private readonly byte[] _large = new byte[2_500_000];

    public ProjectedViewTests()
    {
        _home = _view.Folder(1, "home");
        foreach (string name in (string[])["b.txt", "README", "a:b", "readme", "Readme", "readme (2)", "a.txt", "B", "z.odt"])
        {
            _view.File(_home, name, [1, 2, 3]);
        }

        _view.Link(_home, "link", "b.txt");
        _view.Link(_home, "nowhere", "gone");
        _view.Link(1, "there", "home");
        new Random(1).NextBytes(_large);
        _largeId = _view.File(1, "large", _large);
        _view.File(1, "unread", [], EntryFlags.Unreadable);
        _shown = new ProjectedView(_view, false, _windows, TimeProvider.System, _troubles.Add);
        _windows.Mark(_folder.Path, _session);
        _windows.Start(_folder.Path, _shown, out _);
    }

    private string Root => _folder.Path;

    public void Dispose()
    {
        _shown.Dispose();
        _view.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public void A_folder_is_listed_in_the_order_of_Windows_whatever_the_buffer_holds_and_no_two_names_are_one(int room)
    {
        // By bytes "README" comes first of those that Windows takes for one; "readme (2)" is there already.
        Assert.Equal(
            ["a%3Ab", "a.txt", "B", "b.txt", "link", "README", "readme (2)", "Readme (3)", "readme (4)", "z.odt"],
            _windows.List(Root, "home", room: room).Order(Comparer<string>.Create(_windows.Compare)));
        List<string> listed = _windows.List(Root, "home", room: room);
        Assert.Equal(listed.Order(Comparer<string>.Create(_windows.Compare)), listed);
        Assert.Equal(["home", "large", "there", "unread"], _windows.List(Root, "", room: room));
        Assert.Empty(_troubles);
    }

    [Theory]
    [InlineData("*.txt", "a.txt b.txt")]
    [InlineData("*", null)]
    [InlineData("", null)]
    [InlineData("B.TXT", "b.txt")]
    [InlineData("nothing", "")]
    [InlineData("?", "B")]
    public void A_search_lists_what_it_means(string search, string? expected) =>
        Assert.Equal(expected is null ? _windows.List(Root, "home") : expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), _windows.List(Root, "home", search, room: 1));

    [Fact]
    public void A_search_holds_until_the_listing_begins_again()
    {
        var first = new RecordedEntries(1);
        var second = new RecordedEntries(5);
        var third = new RecordedEntries(5);

        Assert.Equal(ProjectionResult.Ok, _shown.StartListing("home", _session));
        Assert.Equal(ProjectionResult.Ok, _shown.List(_session, "*.txt", false, first));
        Assert.Equal(ProjectionResult.Ok, _shown.List(_session, "*.odt", false, second));
        Assert.Equal(ProjectionResult.Ok, _shown.List(_session, "*.odt", true, third));

        Assert.Equal(["a.txt", "b.txt", "z.odt"], first.Names.Concat(second.Names).Concat(third.Names));
        Assert.Equal(ProjectionResult.Ok, _shown.EndListing(_session));
        Assert.Equal(ProjectionResult.InvalidParameter, _shown.List(_session, null, false, third));
    }

    [Fact]
    public void A_buffer_without_room_for_one_item_is_said_to_be_too_small()
    {
        Assert.Equal(ProjectionResult.Ok, _shown.StartListing("home", _session));
        Assert.Equal(ProjectionResult.InsufficientBuffer, _shown.List(_session, null, false, new RecordedEntries(0)));
        Assert.Equal(ProjectionResult.InsufficientBuffer, _shown.List(_session, "z.odt", true, new RecordedEntries(0)));

        var entries = new RecordedEntries(1);
        Assert.Equal(ProjectionResult.Ok, _shown.List(_session, null, false, entries));
        Assert.Equal(["z.odt"], entries.Names);
    }

    [Fact]
    public void Items_are_only_read_and_have_the_times_of_the_point()
    {
        _shown.StartListing("", _session);
        var entries = new RecordedEntries(9);
        _shown.List(_session, null, false, entries);

        ProjectedInfo large = entries.Infos[entries.Names.IndexOf("large")];
        Assert.Equal((2_500_000, FileAttributes.ReadOnly), (large.Size, large.Attributes));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000).ToFileTime(), large.Written);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_600_000_000).ToFileTime(), large.Created);
        ProjectedInfo home = entries.Infos[entries.Names.IndexOf("home")];
        Assert.Equal((true, 0, FileAttributes.Directory), (home.IsFolder, home.Size, home.Attributes));
        Assert.True(entries.Infos[entries.Names.IndexOf("there")].IsFolder);
    }

    [Fact]
    public void An_item_is_found_in_any_case_and_has_the_name_of_the_view()
    {
        Assert.Equal(ProjectionResult.Ok, _windows.OpenItem(Root, @"HOME\A%3aB"));

        Assert.True(File.Exists(_folder[Path.Combine("HOME", "a%3Ab")]) || File.Exists(_folder[Path.Combine("home", "a%3Ab")]));
        Assert.Equal(ProjectionResult.Ok, _shown.Find(@"home\Readme (3)"));
        Assert.Equal(ProjectionResult.NotFound, _shown.Find(@"home\gone"));
        Assert.Equal(ProjectionResult.NotFound, _shown.Find(@"gone\at all"));
        Assert.Equal(ProjectionResult.NotFound, _windows.OpenItem(Root, @"home\nowhere"));
        Assert.Equal(ProjectionResult.PathNotFound, _shown.StartListing(@"home\b.txt", _session));
        Assert.Equal(ProjectionResult.PathNotFound, _shown.StartListing("gone", _session));
    }

    [Theory]
    [InlineData(0, 2_500_000)]
    [InlineData(0, 1)]
    [InlineData(1000, 100)]
    [InlineData(2_499_999, 1)]
    [InlineData(1_048_575, 2)]
    [InlineData(2_500_000, 0)]
    [InlineData(0, uint.MaxValue)]
    public void A_part_of_a_file_is_given_in_whole_sectors(long offset, long length)
    {
        Assert.Equal(ProjectionResult.Ok, _windows.Read(Root, "large", offset, length, out byte[] content));

        int end = (int)Math.Min(_large.Length, offset + length);
        Assert.Equal(_large.AsSpan((int)offset, end - (int)offset), content.AsSpan((int)offset, end - (int)offset));
        Assert.All(_windows.Writes, write => Assert.True(write.Offset % 512 == 0 && write.Length <= 1 << 20));
        Assert.True(_windows.Writes.Sum(write => (long)write.Length) <= end - offset + 1024);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(2_500_001, 1)]
    [InlineData(0, -1)]
    public void What_is_no_part_of_a_file_is_refused(long offset, long length)
    {
        Assert.Equal(ProjectionResult.InvalidParameter, _windows.Read(Root, "large", offset, length, out _));
        Assert.Empty(_windows.Writes);
    }

    [Fact]
    public void A_link_is_read_as_what_it_leads_to()
    {
        Assert.Equal(ProjectionResult.Ok, _windows.Read(Root, @"there\link", 0, 3, out byte[] content));
        Assert.Equal([1, 2, 3], content);
        Assert.Equal(ProjectionResult.NotFound, _shown.GetData("home", _session, 0, 1, Nowhere()));
    }

    [Fact]
    public void What_is_damaged_is_an_error_of_that_file_and_a_mark_of_that_folder()
    {
        _view.DamagedFolders.Add(_home);
        _view.DamagedFrom[_largeId] = 1_500_000;

        Assert.Equal(ProjectionResult.Damaged, _windows.Read(Root, "large", 0, 2_500_000, out _));
        Assert.Equal(ProjectionResult.Damaged, _windows.Read(Root, "unread", 0, 0, out _));
        Assert.Contains("(Some items of this folder are damaged)", _windows.List(Root, "home"));
        Assert.Equal(ProjectionResult.Damaged, _windows.Read(Root, @"home\(Some items of this folder are damaged)", 0, 1, out _));
        Assert.Equal(ProjectionResult.Ok, _windows.Read(Root, @"home\b.txt", 0, 3, out _));
        Assert.All(_troubles, trouble => Assert.IsType<BackupException>(trouble));
        Assert.Equal(3, _troubles.Count);
    }

    [Fact]
    public void A_vault_that_is_away_and_a_bug_are_errors_and_all_is_there_afterwards()
    {
        _view.Failure = MemoryView.Away();
        Assert.Equal(ProjectionResult.Unavailable, _shown.Find("home"));
        Assert.Equal(ProjectionResult.Unavailable, _shown.StartListing("", _session));
        Assert.Equal(BackupErrorId.VaultUnreachable, Assert.IsType<BackupException>(_troubles[0]).Id);

        _view.Failure = null;
        Assert.Equal(ProjectionResult.Ok, _shown.Find("home"));
        Assert.Equal(ProjectionResult.DeviceError, _shown.GetInfo("home", new Broken(new InvalidTimeZoneException())));
        Assert.IsType<InvalidTimeZoneException>(_troubles[^1]);
        Assert.Equal(ProjectionResult.Aborted, _shown.GetInfo("home", new Broken(new OperationCanceledException())));

        _view.Failure = new BackupException(BackupErrorId.VaultFull, "The test says no.", "Wait.");
        Assert.Equal(ProjectionResult.DeviceError, _shown.Find(@"home\b.txt"));
    }

    [Theory]
    [InlineData(@"home\b.txt", (int)ProjectionNotice.PreDelete, ProjectionResult.AccessDenied)]
    [InlineData(@"HOME\B.TXT", (int)ProjectionNotice.PreRename, ProjectionResult.AccessDenied)]
    [InlineData("large", (int)ProjectionNotice.PreConvertToFull, ProjectionResult.AccessDenied)]
    [InlineData("large", (int)ProjectionNotice.PreSetHardLink, ProjectionResult.AccessDenied)]
    [InlineData("", (int)ProjectionNotice.PreRename, ProjectionResult.AccessDenied)]
    [InlineData(@"home\mine.txt", (int)ProjectionNotice.PreDelete, ProjectionResult.Ok)]
    [InlineData(@"home\mine.txt", (int)ProjectionNotice.NewFileCreated, ProjectionResult.Ok)]
    public void What_the_point_has_is_not_changed_and_what_somebody_has_put_there_is_theirs(string path, int notice, int expected)
    {
        Assert.Equal(expected, _shown.Notify(path, (ProjectionNotice)notice));

        _shown.IsEmpty = true;
        Assert.Equal(ProjectionResult.Ok, _shown.Notify(path, (ProjectionNotice)notice));
    }

    [Fact]
    public void A_folder_that_is_being_cleared_shows_nothing()
    {
        _shown.IsEmpty = true;

        Assert.Empty(_windows.List(Root, ""));
        Assert.Equal(ProjectionResult.NotFound, _windows.OpenItem(Root, "home"));
        Assert.Equal(ProjectionResult.Unavailable, _shown.GetData("large", _session, 0, 1, Nowhere()));
    }

    [Fact]
    public async Task Folders_that_were_listed_are_kept_within_bounds()
    {
        using var many = new MemoryView();
        for (int i = 0; i < 20; i++)
        {
            many.File(many.Folder(1, $"folder {i}"), "file", [1]);
        }

        var tree = new ProjectedTree(new(many, false), Comparer<string>.Create(_windows.Compare), TimeProvider.System, _troubles.Add) { MostEntries = 40 };
        await AskAsync();
        int pages = many.Pages;
        await AskAsync();

        // The root, and the folders that were asked for last: the others are listed once more.
        Assert.InRange(many.Pages - pages, 1, 40);
        int before = many.Pages;
        Assert.NotNull(await tree.FindAsync(@"folder 19\FILE", TestContext.Current.CancellationToken));
        Assert.Equal(before, many.Pages);

        async Task AskAsync()
        {
            for (int i = 0; i < 20; i++)
            {
                Assert.NotNull(await tree.FindAsync($@"folder {i}\file", TestContext.Current.CancellationToken));
            }
        }
    }

    private IProjection Nowhere()
    {
        _windows.Marks["nowhere"] = _session;
        _windows.Start("nowhere", new EmptyProvider(), out IProjection? projection);
        return projection!;
    }

    private sealed class Broken(Exception bug) : IProjection
    {
        public Guid Instance => Guid.Empty;

        public int Alignment => 1;

        public int WriteInfo(string path, in ProjectedInfo info) => throw bug;

        public int WriteData(Guid stream, ReadOnlySpan<byte> content, long offset) => throw bug;

        public int Delete(string path) => throw bug;

        public void Dispose()
        {
        }
    }
}
