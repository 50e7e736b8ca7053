using System.Text;
using MSOnlineBackup.Drives;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Module.Tests.Drives;

/// <summary>What paths of a drive lead to, by names and by links.</summary>
public sealed class RecoveryVolumeTests
{
    private static readonly SessionId _point = SessionId.Parse("01a22b33f8a57ccf82ac2da00176f7e9");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("home/a/file", "home/a/file")]
    [InlineData("home/none", null)]
    [InlineData("home/a/file/below", null)]
    [InlineData("home/link/file", "home/a/file")]
    [InlineData("home/absolute/file", "home/a/file")]
    [InlineData("home/above/home", null)]
    [InlineData("home/chain/file", "home/a/file")]
    [InlineData("home/deep", "home/a/file")]
    [InlineData("home/self", null)]
    [InlineData("home/one", null)]
    [InlineData("home/broken", null)]
    [InlineData("home/a/up/a", null)]
    [InlineData("HOME", null)]
    public async Task Links_are_followed_within_the_point_and_never_in_circles(string path, string? leadsTo) => Assert.Equal(leadsTo, await FindAsync(Posix(), path, followsLast: true));

    [Fact]
    public async Task A_link_that_is_asked_for_itself_is_there_wherever_it_leads()
    {
        foreach (string link in (string[])["home/link", "home/self", "home/broken", "home/a/up"])
        {
            Assert.Equal(link, await FindAsync(Posix(), link, followsLast: false));
        }
    }

    [Theory]
    [InlineData("c/users/FILE.txt", "C/Users/File.txt")]
    [InlineData("C/Users/same", "C/Users/same")]
    [InlineData("C/Users/SAME", "C/Users/SAME")]
    [InlineData("C/Users/none", null)]
    public async Task Capital_and_small_letters_are_the_same_in_points_of_Windows(string path, string? leadsTo)
    {
        var view = new TestView(PathForm.Windows);
        ulong users = view.Folder(view.Folder(1, "C"), "Users");
        view.File(users, "File.txt");
        view.File(users, "same");
        view.File(users, "SAME");

        Assert.Equal(leadsTo, await FindAsync(view, path, followsLast: true));
    }

    private static TestView Posix()
    {
        var view = new TestView(PathForm.Posix);
        ulong home = view.Folder(1, "home");
        ulong a = view.Folder(home, "a");
        view.File(a, "file");
        view.Link(home, "link", "a");
        view.Link(home, "absolute", "/home/a");
        view.Link(home, "above", "../..");
        view.Link(home, "chain", "link");
        view.Link(home, "deep", "./chain/../a/file");
        view.Link(home, "self", "self");
        view.Link(home, "one", "two/x");
        view.Link(home, "two", "one/x");
        view.Link(home, "broken", "none");
        view.Link(a, "up", "..");
        return view;
    }

    private static async Task<string?> FindAsync(TestView view, string path, bool followsLast)
    {
        using var volume = new RecoveryVolume(new VaultLoan(new OpenVault(), () => { }), view);
        DrivePlace? place = await volume.FindAsync(DrivePath.Split(path), followsLast, Cancel);
        if (place is null)
        {
            return null;
        }

        string found = place.Name;
        for (DrivePlace? folder = place.Folder; folder?.Folder is not null; folder = folder.Folder)
        {
            found = $"{folder.Name}/{found}";
        }

        return found;
    }

    /// <summary>A view of what a test puts into it; the root is 1.</summary>
    private sealed class TestView : IItemView
    {
        private readonly PathForm _form;
        private readonly List<(ulong Folder, ViewItem Item)> _items = [];

        public TestView(PathForm form)
        {
            _form = form;
            Add(0, "", EntryKind.Directory);
        }

        public ViewItem Root => _items[0].Item;

        public ulong Folder(ulong folder, string name) => Add(folder, name, EntryKind.Directory);

        public void File(ulong folder, string name) => Add(folder, name, EntryKind.File);

        public void Link(ulong folder, string name, string target) => Add(folder, name, EntryKind.SymbolicLink, target);

        public ValueTask<ViewItem> GetAsync(ulong id, CancellationToken cancellationToken) => new(_items[(int)id - 1].Item);

        public ValueTask<ViewItem?> FindAsync(ulong folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken) =>
            new(_items.FirstOrDefault(each => each.Folder == folder && each.Item.Name.Span.SequenceEqual(name.Span)).Item);

        // Two at a time, so that there are pages.
        public ValueTask<ViewPage> ListAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken)
        {
            ViewItem[] rest = [.. _items.Where(each => each.Folder == folder && each.Item.Id > after).Select(each => each.Item)];
            return new(new ViewPage([.. rest.Take(2)], null, IsLast: rest.Length <= 2));
        }

        public ValueTask<int> ReadAsync(ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<long?> SeekAsync(ulong id, long offset, bool isHole, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ViewExtent> MeasureAsync(ulong id, long offset, long most, CancellationToken cancellationToken) => throw new NotSupportedException();

        public TimeSpan Lasts(ulong folder) => TimeSpan.MaxValue;

        public void Dispose()
        {
        }

        private ulong Add(ulong folder, string name, EntryKind kind, string target = "")
        {
            ulong id = (ulong)_items.Count + 1;
            var entry = new ManifestEntry { Path = EntryPath.Root, Kind = kind, Metadata = new EntryMetadata(), LinkTarget = Encoding.UTF8.GetBytes(target) };
            _items.Add((folder, new ViewItem(id, Encoding.UTF8.GetBytes(name), entry, _form, id) { PointId = _point }));
            return id;
        }
    }
}
