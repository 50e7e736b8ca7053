using System.Text;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>The tests create what only root can create; they run where the build runs as root.</summary>
public sealed class UnixSourceTreeTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_tree_is_walked_depth_first_in_the_order_of_raw_bytes()
    {
        _folder.File("a/z");
        _folder.File("a.b");
        _folder.File("a/b/c");
        _folder.File("B");
        _folder.File("é");
        _folder.RawFile([0xFF, 0x41]);

        Assert.Equal(["", "B", "a", "a/b", "a/b/c", "a/z", "a.b", "é", @"\xffA"], Paths());
    }

    [Fact]
    public void The_walk_yields_entries_in_the_order_of_entry_paths()
    {
        foreach (string name in new[] { "x/1", "x/2", "x-1", "x.1/a/b", "x0", "y", "longer-than-eight-1", "longer-than-eight-0", "longer-t" })
        {
            _folder.File(name);
        }

        List<EntryPath> paths = Walk().ConvertAll(item => item.Entry.Path);
        Assert.Equal(paths.Order(), paths);
        Assert.Equal(13, paths.Count);
    }

    [Fact]
    public void A_stat_tells_kind_size_owner_mode_and_times_to_the_nanosecond()
    {
        _folder.File("file", "12345");
        _folder.Owner("file", 12, 34);
        _folder.Mode("file", 0xDA4); // rws r-s r-T: set-user-id, set-group-id and all
        _folder.Modified("file", 1_700_000_000, 123_456_789);

        ManifestEntry entry = Entry("file");
        Assert.Equal(EntryKind.File, entry.Kind);
        Assert.Equal(5, entry.Size);
        Assert.Equal((12u, 34u, 0xDA4u), (entry.Metadata.UserId, entry.Metadata.GroupId, entry.Metadata.Mode));
        Assert.Equal(new ItemTime(1_700_000_000, 123_456_789), entry.Metadata.Modified);
        Assert.NotEqual(0UL, entry.Metadata.FileId);
        Assert.Equal((0UL, 1u), (entry.Metadata.DeviceId, entry.Metadata.LinkCount));
    }

    [Theory]
    [InlineData(-86_400L, 1)]
    [InlineData(-1L, 999_999_999)]
    [InlineData(15_032_385_534L, 7)] // the year 2446, the last of ext4
    [InlineData(0L, 0)]
    public void Times_before_1970_and_after_2262_are_exact(long seconds, int nanoseconds)
    {
        _folder.File("file");
        _folder.Modified("file", seconds, nanoseconds);

        Assert.Equal(new ItemTime(seconds, nanoseconds), Entry("file").Metadata.Modified);
    }

    [Fact]
    public void Folders_have_one_link_and_no_size()
    {
        _folder.Folder("folder/inner");

        ManifestEntry entry = Entry("folder");
        Assert.Equal((EntryKind.Directory, 0L, 1u, 0UL), (entry.Kind, entry.Size, entry.Metadata.LinkCount, entry.Metadata.DeviceId));
    }

    [Fact]
    public void Hard_links_share_file_and_device()
    {
        _folder.File("one", "x");
        _folder.HardLink("one", "two");

        ManifestEntry one = Entry("one");
        ManifestEntry two = Entry("two");
        Assert.Equal(2u, one.Metadata.LinkCount);
        Assert.NotEqual(0UL, one.Metadata.DeviceId);
        Assert.Equal((one.Metadata.FileId, one.Metadata.DeviceId), (two.Metadata.FileId, two.Metadata.DeviceId));
    }

    [Fact]
    public void Pipes_sockets_and_devices_are_told_apart_and_never_opened()
    {
        _folder.Node("pipe", ScratchFolder.Fifo, 0x180);
        _folder.Node("socket", ScratchFolder.Socket, 0x180);
        _folder.Node("null", ScratchFolder.CharacterDevice, 0x180, 1, 3);
        _folder.Node("loop", ScratchFolder.BlockDevice, 0x180, 7, 200);

        Assert.Equal(EntryKind.Fifo, Entry("pipe").Kind);
        Assert.Equal(EntryKind.Socket, Entry("socket").Kind);
        Assert.Equal((EntryKind.CharacterDevice, (1UL << 32) | 3), (Entry("null").Kind, Entry("null").Metadata.DeviceNumber));
        Assert.Equal((EntryKind.BlockDevice, (7UL << 32) | 200), (Entry("loop").Kind, Entry("loop").Metadata.DeviceNumber));
        Assert.Equal(0UL, Entry("pipe").Metadata.DeviceNumber);
        ManifestEntry details = At("pipe", item => item.ReadDetails());
        Assert.Equal(EntryKind.Fifo, details.Kind);
    }

    [Fact]
    public void Links_are_read_and_not_followed_dangling_looping_or_not_text()
    {
        _folder.Folder("target");
        _folder.File("target/file");
        _folder.SymbolicLink("dangling", "nowhere/at/all");
        _folder.SymbolicLink("loop", "loop");
        _folder.SymbolicLink("folder", "target");

        Assert.Equal(["", "dangling", "folder", "loop", "target", "target/file"], Paths());
        Assert.Equal("nowhere/at/all", Text(At("dangling", item => item.ReadDetails()).LinkTarget));
        Assert.Equal("loop", Text(At("loop", item => item.ReadDetails()).LinkTarget));
        Assert.Equal(EntryKind.SymbolicLink, Entry("folder").Kind);
    }

    [Fact]
    public void Extended_attributes_come_sorted_by_name_from_files_folders_links_and_pipes()
    {
        _folder.File("file");
        _folder.Folder("folder");
        _folder.SymbolicLink("link", "nowhere");
        _folder.Node("pipe", ScratchFolder.Fifo, 0x180);
        _folder.Attribute("file", "user.b", "2"u8);
        _folder.Attribute("file", "user.a", "1"u8);
        _folder.Attribute("file", "user.empty", []);
        _folder.Attribute("file", "trusted.t", "3"u8);
        _folder.Attribute("folder", "user.f", "4"u8);
        _folder.Attribute("link", "trusted.l", "5"u8);
        _folder.Attribute("pipe", "trusted.p", "6"u8);

        Assert.Equal(["trusted.t=3", "user.a=1", "user.b=2", "user.empty="], Attributes("file"));
        Assert.Equal(["user.f=4"], Attributes("folder"));
        Assert.Equal(["trusted.l=5"], Attributes("link"));
        Assert.Equal(["trusted.p=6"], Attributes("pipe"));
    }

    [Fact]
    public void Access_lists_and_file_capabilities_are_extended_attributes()
    {
        _folder.File("file");
        byte[] accessList = TestAcl.ForUser(1000);
        _folder.Attribute("file", "system.posix_acl_access", accessList);
        _folder.Attribute("file", "security.capability", TestAcl.NetBindCapability);

        List<EntryAttribute> attributes = [.. At("file", item => item.ReadDetails()).Attributes.Where(a => a.Tag == AttributeTag.ExtendedAttribute)];
        Assert.Equal(["security.capability", "system.posix_acl_access"], attributes.Select(a => Text(a.Name)));
        Assert.Equal(TestAcl.NetBindCapability, attributes[0].Value.ToArray());
        Assert.Equal(accessList, attributes[1].Value.ToArray());
    }

    [Fact]
    public void Flags_are_kept_only_where_there_are_any()
    {
        _folder.File("plain");
        _folder.File("quiet");
        Shell.RunChecked("chattr", "+dA", _folder.At("quiet"));

        Assert.DoesNotContain(At("plain", item => item.ReadDetails()).Attributes, a => a.Tag == AttributeTag.InodeFlags);
        EntryAttribute flags = Assert.Single(At("quiet", item => item.ReadDetails()).Attributes, a => a.Tag == AttributeTag.InodeFlags);
        Assert.Equal([0xC0, 0, 0, 0], flags.Value.ToArray());
    }

    [Fact]
    public void Names_of_255_bytes_are_read()
    {
        string longest = new('n', 255);
        _folder.File(longest, "content");

        Assert.Equal("content", At(longest, ReadAll));
    }

    [Theory]
    [InlineData(20, 250)]
    [InlineData(300, 100)]
    public void Paths_longer_than_the_system_takes_are_walked_and_read(int depth, int nameLength)
    {
        string name = new('d', nameLength);
        _folder.DeepFolders(depth, name);
        _folder.File(name + "/zz", "after");
        _folder.File("zz", "last");

        string bottom = string.Concat(Enumerable.Repeat(name + "/", depth)) + "bottom";
        Assert.Equal("deep", At(bottom, ReadAll));
        Assert.Equal("after", At(name + "/zz", ReadAll));
        Assert.Equal("last", At("zz", ReadAll));
        Assert.Equal(depth + 4, Walk().Count);
        Assert.All(Walk(), item => Assert.Null(item.Failure));
    }

    [Fact]
    public void A_deep_tree_holds_a_bounded_number_of_handles()
    {
        _folder.DeepFolders(400, "d");
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);
        int most = 0;
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            most = item.Entry.Path.Bytes.Length > 780 ? Math.Max(most, OpenHandles.Below(_folder.Path)) : most;
        }

        Assert.InRange(most, 1, 80);
        Assert.InRange(OpenHandles.Below(_folder.Path), 0, 1);
    }

    [Fact]
    public void A_sparse_file_tells_where_its_data_are()
    {
        const long TenGiB = 10L << 30;
        using (FileStream stream = File.Create(_folder.At("sparse")))
        {
            stream.SetLength(TenGiB);
            stream.Position = 1 << 20;
            stream.Write(new byte[4096]);
            stream.Position = TenGiB - 4096;
            stream.Write("end of the file"u8);
        }

        At("sparse", item =>
        {
            using ISourceFile file = item.Open();
            Assert.Equal(TenGiB, file.Stat().Size);
            Assert.True(file.TryGetDataRun(0, out long start, out long length));
            Assert.Equal((1 << 20, 4096), (start, length));
            Assert.True(file.TryGetDataRun(start + length, out start, out length));
            Assert.Equal((TenGiB - 4096, 4096), (start, length));
            Assert.False(file.TryGetDataRun(start + length, out _, out _));
            byte[] end = new byte[100];
            Assert.Equal(100, file.Read(start, end));
            Assert.Equal("end of the file", Encoding.UTF8.GetString(end, 0, 15));
            return 0;
        });
    }

    [Fact]
    public void A_plain_file_is_one_run_and_an_empty_one_none()
    {
        _folder.File("plain", "123456");
        _folder.File("empty");

        At("plain", item =>
        {
            using ISourceFile file = item.Open();
            Assert.True(file.TryGetDataRun(2, out long start, out long length));
            Assert.Equal((2, 4), (start, length));
            Assert.Equal(0, file.Read(6, new byte[10]));
            return 0;
        });
        At("empty", item =>
        {
            using ISourceFile file = item.Open();
            Assert.False(file.TryGetDataRun(0, out _, out _));
            return 0;
        });
    }

    [Fact]
    public void A_file_that_is_only_a_hole_has_no_data()
    {
        using (FileStream stream = File.Create(_folder.At("hole")))
        {
            stream.SetLength(1 << 20);
        }

        Assert.False(At("hole", item =>
        {
            using ISourceFile file = item.Open();
            return file.TryGetDataRun(0, out _, out _);
        }));
    }

    [Fact]
    public void Reading_leaves_the_access_time()
    {
        string path = _folder.File("file", "content");
        var longAgo = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastAccessTimeUtc(path, longAgo);

        At("file", ReadAll);
        Assert.Equal(longAgo, File.GetLastAccessTimeUtc(path));
    }

    [Fact]
    public void A_single_file_is_a_tree_of_its_own()
    {
        string path = _folder.File("file", "content");
        using ISourceTree tree = SourceTrees.Open(path, SourceSelection.Everything);

        Assert.Equal(path, Text(tree.RootPath));
        Assert.False(tree.IsMountPoint);
        SourceItem item = Assert.Single(tree.Walk(TestContext.Current.CancellationToken));
        Assert.True(item.Entry.Path.IsRoot);
        Assert.Equal((EntryKind.File, 7L), (item.Entry.Kind, item.Entry.Size));
    }

    [Fact]
    public void The_content_of_a_single_file_is_read_by_its_root_entry()
    {
        using ISourceTree tree = SourceTrees.Open(_folder.File("file", "content"), SourceSelection.Everything);
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            Assert.Equal("content", ReadAll(item));
            Assert.Equal(7, item.ReadDetails().Size);
        }
    }

    [Fact]
    public void A_link_to_a_folder_or_file_as_root_is_followed()
    {
        _folder.File("real/file", "content");
        _folder.SymbolicLink("link", "real");
        _folder.SymbolicLink("link2", _folder.At("link"));
        _folder.SymbolicLink("filelink", "real/file");

        Assert.Equal(["", "file"], Paths(root: _folder.At("link2")));
        Assert.Equal([""], Paths(root: _folder.At("filelink")));
    }

    [Fact]
    public void A_root_that_is_not_there_is_not_found()
    {
        _folder.SymbolicLink("dangling", "nowhere");
        _folder.SymbolicLink("loop", "loop");
        _folder.File("file");

        Assert.Equal(BackupErrorId.SourceNotFound, Fails(_folder.At("missing")));
        Assert.Equal(BackupErrorId.SourceNotFound, Fails(_folder.At("missing/further")));
        Assert.Equal(BackupErrorId.SourceNotFound, Fails(_folder.At("file/below")));
        Assert.Equal(BackupErrorId.SourceNotFound, Fails(_folder.At("dangling")));
        Assert.Equal(BackupErrorId.SourceUnreadable, Fails(_folder.At("loop")));
        Assert.Equal(BackupErrorId.SourceMissing, Fails(""));

        static BackupErrorId Fails(string root) =>
            Assert.Throws<BackupException>(() => SourceTrees.Open(root, SourceSelection.Everything)).Id;
    }

    [Fact]
    public void A_root_whose_name_is_no_text_is_named_by_its_escapes()
    {
        _folder.RawFile([0x66, 0xFF]);

        using ISourceTree tree = SourceTrees.Open(_folder.At(@"f\xff"), SourceSelection.Everything);
        Assert.Equal(0xFF, tree.RootPath.Span[^1]);
        Assert.Single(tree.Walk(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_file_system_and_mount_points_are_known()
    {
        using ISourceTree root = SourceTrees.Open("/", SourceSelection.Everything);
        using ISourceTree folder = SourceTrees.Open(_folder.Path, SourceSelection.Everything);

        Assert.True(root.IsMountPoint);
        Assert.False(folder.IsMountPoint);
        Assert.False(string.IsNullOrEmpty(folder.FileSystem));
    }

    [Fact]
    public void Pseudo_file_systems_are_refused_as_a_source()
    {
        var failure = Assert.Throws<BackupException>(() => SourceTrees.Open("/proc", SourceSelection.Everything));
        Assert.Equal(BackupErrorId.SourceUnreadable, failure.Id);
        Assert.Contains("proc", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_still_described_and_says_so_when_it_is_opened()
    {
        _folder.File("secret", "x");
        _folder.Mode("secret", 0x180);
        _folder.Mode("", 0x1ED);

        BackupException failure = ScratchFolder.As(65534, () => At("secret", item =>
        {
            Assert.Null(item.Failure);
            Assert.Equal(1, item.ReadDetails().Size);
            return Assert.Throws<BackupException>(item.Open);
        }));
        Assert.Equal(BackupErrorId.SourceItemUnreadable, failure.Id);
        Assert.Equal(_folder.At("secret"), failure.Target);
    }

    [Fact]
    public void A_folder_that_may_not_be_listed_is_yielded_with_its_failure_and_its_neighbours_are_read()
    {
        _folder.File("closed/inside");
        _folder.File("open/inside");
        _folder.Mode("closed", 0x1C0);
        _folder.Mode("", 0x1ED);

        List<(string Path, EntryKind Kind, BackupErrorId? Failure)> items = ScratchFolder.As(65534, () =>
            Walk().ConvertAll(item => (item.Entry.Path.ToString(), item.Entry.Kind, item.Failure?.Id)));
        Assert.Equal(
            [
                ("", EntryKind.Directory, null),
                ("closed", EntryKind.Directory, BackupErrorId.SourceItemUnreadable),
                ("open", EntryKind.Directory, null),
                ("open/inside", EntryKind.File, null),
            ],
            items);
    }

    [Fact]
    public void What_may_be_listed_but_not_statted_is_yielded_with_its_failure()
    {
        _folder.File("folder/inside");
        _folder.Mode("folder", 0x1E4); // others may list, not search
        _folder.Mode("", 0x1ED);

        (string Path, BackupErrorId? Failure) last = ScratchFolder.As(65534, () =>
            Walk().ConvertAll(item => (item.Entry.Path.ToString(), item.Failure?.Id)))[^1];
        Assert.Equal(("folder/inside", BackupErrorId.SourceItemUnreadable), last);
    }

    [Fact]
    public void A_root_that_may_not_be_listed_is_unreadable()
    {
        _folder.Mode("", 0x1C0);

        Assert.Equal(
            BackupErrorId.SourceUnreadable,
            ScratchFolder.As(65534, () => Assert.Throws<BackupException>(() => Walk()).Id));
    }

    [Fact]
    public void A_folder_replaced_by_a_link_in_mid_walk_is_not_followed()
    {
        _folder.File("a");
        _folder.File("b/inside");
        _folder.File("elsewhere/secret");
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);
        var seen = new List<string>();
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            seen.Add(item.Entry.Path.ToString());
            if (item.Entry.Path.ToString() == "a")
            {
                Directory.Delete(_folder.At("b"), recursive: true);
                _folder.SymbolicLink("b", "elsewhere");
            }
        }

        Assert.Equal(["", "a", "b", "elsewhere", "elsewhere/secret"], seen);
    }

    [Fact]
    public void A_file_replaced_by_a_link_or_pipe_before_it_is_opened_has_changed_and_a_deleted_one_vanished()
    {
        foreach (string name in new[] { "link", "pipe", "gone" })
        {
            _folder.File(name);
        }

        foreach ((string name, Action replace, BackupErrorId id) in new (string, Action, BackupErrorId)[]
        {
            ("link", () => _folder.SymbolicLink("link", "/etc/passwd"), BackupErrorId.SourceItemChanged),
            ("pipe", () => _folder.Node("pipe", ScratchFolder.Fifo, 0x180), BackupErrorId.SourceItemChanged),
            ("gone", () => { }, BackupErrorId.SourceItemVanished),
        })
        {
            BackupException failure = At(name, item =>
            {
                File.Delete(_folder.At(name));
                replace();
                return Assert.Throws<BackupException>(item.Open);
            });
            Assert.Equal(id, failure.Id);
        }
    }

    [Fact]
    public void A_file_deleted_after_its_folder_was_listed_is_yielded_as_vanished()
    {
        _folder.File("a");
        _folder.File("b");
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);
        var seen = new List<(string, BackupErrorId?)>();
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            seen.Add((item.Entry.Path.ToString(), item.Failure?.Id));
            File.Delete(_folder.At("b"));
        }

        Assert.Equal([("", null), ("a", null), ("b", BackupErrorId.SourceItemVanished)], seen);
    }

    [Fact]
    public void Folders_moved_away_while_a_walk_is_deep_below_them_are_reported()
    {
        _folder.DeepFolders(100, "d");
        _folder.File("d/zz");
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);
        var failures = new List<(string, BackupErrorId)>();
        bool read = false;
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            if (item.Failure is BackupException failure)
            {
                failures.Add((item.Entry.Path.ToString(), failure.Id));
            }

            if (item.Entry.Path.Name.SequenceEqual("bottom"u8))
            {
                read = ReadAll(item) == "deep";
                Directory.Move(_folder.At("d"), _folder.At("moved"));
                _folder.Folder("d");
            }
        }

        Assert.True(read);
        Assert.Equal([("d/zz", BackupErrorId.SourceItemVanished)], failures);
    }

    [Fact]
    public void A_cancelled_walk_stops()
    {
        _folder.File("a");
        using var cancellation = new CancellationTokenSource();
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);

        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (SourceItem item in tree.Walk(cancellation.Token))
            {
                Assert.True(item.Entry.Path.IsRoot);
                cancellation.Cancel();
            }
        });
    }

    [Fact]
    public void A_tree_can_be_walked_again()
    {
        _folder.File("a/b");
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);

        Assert.Equal(3, tree.Walk(TestContext.Current.CancellationToken).Count());
        Assert.Equal(3, tree.Walk(TestContext.Current.CancellationToken).Count());
    }

    [Fact]
    public void A_folder_of_many_names_is_listed_as_a_whole()
    {
        for (int i = 0; i < 5000; i++)
        {
            _folder.File($"a-name-that-is-long-enough-to-need-several-buffers-{i:D6}");
        }

        List<string> paths = Paths();
        Assert.Equal(5001, paths.Count);
        Assert.Equal(paths.Order(StringComparer.Ordinal), paths);
    }

    private static string ReadAll(SourceItem item)
    {
        using ISourceFile file = item.Open();
        byte[] content = new byte[1000];
        int count = file.Read(0, content);
        return Encoding.UTF8.GetString(content, 0, count);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private List<string> Paths(SourceSelection? selection = null, string? root = null) =>
        Walk(selection, root).ConvertAll(item => item.Entry.Path.ToString());

    private List<(ManifestEntry Entry, BackupException? Failure)> Walk(SourceSelection? selection = null, string? root = null)
    {
        using ISourceTree tree = SourceTrees.Open(root ?? _folder.Path, selection ?? SourceSelection.Everything);
        return [.. tree.Walk(TestContext.Current.CancellationToken).Select(item => (item.Entry, item.Failure))];
    }

    private ManifestEntry Entry(string path) => Walk().Single(item => item.Entry.Path == EntryPath.Parse(path)).Entry;

    private IEnumerable<string> Attributes(string path) =>
        At(path, item => item.ReadDetails()).Attributes
            .Where(attribute => attribute.Tag == AttributeTag.ExtendedAttribute)
            .Select(attribute => Text(attribute.Name) + "=" + Text(attribute.Value));

    private T At<T>(string path, Func<SourceItem, T> action)
    {
        using ISourceTree tree = SourceTrees.Open(_folder.Path, SourceSelection.Everything);
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            if (item.Entry.Path == EntryPath.Parse(path))
            {
                return action(item);
            }
        }

        throw new InvalidOperationException(path + " was not walked.");
    }
}
