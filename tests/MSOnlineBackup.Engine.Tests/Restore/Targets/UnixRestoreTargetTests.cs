using System.Text;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore.Targets;

public sealed class UnixRestoreTargetTests : IDisposable
{
    private readonly ScratchFolder _source = new();
    private readonly ScratchFolder _target = new();
    private readonly List<BackupException> _reported = [];

    public void Dispose()
    {
        _source.Dispose();
        _target.Dispose();
    }

    [Fact]
    public void A_tree_comes_back_with_all_it_was()
    {
        _source.File("file", "content");
        _source.File("folder/inner/file", "inner content");
        _source.File("folder/closed", "nobody reads this");
        _source.Mode("folder/closed", 0);
        _source.RawFile([0xFF, 0xFE, 0x0A]);
        _source.File(new string('n', 255), "the longest name");
        _source.File("run", "a program");
        _source.Owner("run", 12, 34);
        _source.Mode("run", 0xDED); // rws r-s r-x
        _source.Attribute("run", "security.capability", TestAcl.NetBindCapability);
        _source.File("shared", "x");
        _source.Attribute("shared", "system.posix_acl_access", TestAcl.ForUser(1000));
        _source.Attribute("shared", "user.note", "a note"u8);
        _source.Folder("sticky");
        _source.Mode("sticky", 0x3FF);
        _source.Attribute("sticky", "system.posix_acl_default", TestAcl.ForUser(1001));
        _source.Attribute("sticky", "user.folder", []);
        _source.SymbolicLink("link", "nowhere at all");
        _source.Owner("link", 56, 78);
        _source.Attribute("link", "trusted.link", "x"u8);
        _source.Modified("link", 1_000_000_000, 5);
        _source.Node("pipe", ScratchFolder.Fifo, 0x1A4);
        _source.Node("socket", ScratchFolder.Socket, 0x1C0);
        _source.Node("null", ScratchFolder.CharacterDevice, 0x1B6, 1, 3);
        _source.Node("loop", ScratchFolder.BlockDevice, 0x1B0, 7, 200);
        _source.File("linked", "one file, two names");
        _source.HardLink("linked", "linked2");
        _source.File("old", "x");
        _source.Modified("old", -2_000_000_000, 999_999_999);
        _source.File("new", "x");
        _source.Modified("new", 9_000_000_000, 1);
        _source.Modified("folder/inner", 1_234_567_890, 987_654_321);
        _source.DeepFolders(25, new string('d', 200));
        Sparse("sparse");

        RestoreAll();

        Assert.Empty(_reported);
        AssertSame();
        Assert.True(new FileInfo(_target.At("sparse")).Length == 10L << 30);
    }

    [Fact]
    public void Flags_come_back_and_those_that_forbid_changes_come_last()
    {
        _source.File("file", "content");
        _source.Folder("folder");
        Shell.RunChecked("chattr", "+adA", _source.At("file"));
        Shell.RunChecked("chattr", "+i", _source.At("folder"));
        try
        {
            RestoreAll();

            Assert.Empty(_reported);
            AssertSame();
        }
        finally
        {
            foreach (ScratchFolder scratch in new[] { _source, _target })
            {
                Shell.RunChecked("chattr", "-ai", scratch.At("file"), scratch.At("folder"));
            }
        }
    }

    [Fact]
    public void Holes_stay_holes()
    {
        Sparse("sparse");
        RestoreAll();

        using ISourceTree tree = SourceTrees.Open(_target.Path, SourceSelection.Everything);
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken).Where(item => item.Entry.Kind == EntryKind.File))
        {
            using ISourceFile file = item.Open();
            Assert.True(file.TryGetDataRun(0, out long start, out long length));
            Assert.Equal((1 << 20, 4096), (start, length));
        }
    }

    [Fact]
    public void A_file_is_not_there_before_it_is_complete_and_leaves_nothing_when_it_never_is()
    {
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        using (IRestoreFile file = target.CreateFile(FileEntry("folder/file", 7)))
        {
            file.Write(0, "content"u8);
            Assert.Null(target.Find(Path("folder/file")));
            Assert.Empty(Directory.GetFiles(_target.At("folder")));
        }

        Assert.Empty(Directory.GetFiles(_target.At("folder")));
    }

    [Fact]
    public void What_a_killed_restore_left_is_overwritten()
    {
        using IRestoreTarget first = RestoreTargets.Open(_target.Path);
        using IRestoreTarget second = RestoreTargets.Open(_target.Path);
        using IRestoreFile killed = first.CreateFile(FileEntry("file", 9));
        killed.Write(0, "forgotten"u8);

        Restore(second, FileEntry("file", 3), "new");
        Assert.Equal("new", File.ReadAllText(_target.At("file")));
    }

    [Fact]
    public void Writing_in_any_order_and_from_many_threads_gives_the_file()
    {
        byte[] content = new byte[1 << 20];
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = (byte)(i * 7);
        }

        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        using (IRestoreFile file = target.CreateFile(FileEntry("file", content.Length)))
        {
            Parallel.For(0, 256, i =>
            {
                int piece = 255 - i;
                file.Write(piece * 4096, content.AsSpan(piece * 4096, 4096));
            });
            file.Complete(replace: false, freeze: true, _reported.Add);
        }

        Assert.Equal(content, File.ReadAllBytes(_target.At("file")));
        using Stream stream = target.OpenRead(Path("file"));
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        Assert.Equal(content, copy.ToArray());
    }

    [Fact]
    public void Many_threads_may_restore_into_many_folders()
    {
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        Parallel.For(0, 2000, i => Restore(target, FileEntry($"{i % 7}/{i % 211}/{i}", 1), "x"));

        Assert.Equal(2000, Directory.GetFiles(_target.Path, "*", SearchOption.AllDirectories).Length);
        Assert.Empty(_reported);
    }

    [Fact]
    public void An_existing_item_gives_way_only_when_it_may_be_replaced()
    {
        _target.File("file", "old");
        _target.File("link-target", "untouched");
        _target.SymbolicLink("link", "link-target");
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);

        foreach (string name in new[] { "file", "link" })
        {
            var failure = Assert.Throws<BackupException>(() => Restore(target, FileEntry(name, 3), "new"));
            Assert.Equal(BackupErrorId.RestoreItemExists, failure.Id);
            Assert.Equal(_target.At(name), failure.Target);
            Restore(target, FileEntry(name, 3), "new", replace: true);
            Assert.Equal("new", File.ReadAllText(_target.At(name)));
            Assert.Null(new FileInfo(_target.At(name)).LinkTarget);
        }

        Assert.Equal("untouched", File.ReadAllText(_target.At("link-target")));
        Assert.Equal(3, Directory.GetFileSystemEntries(_target.Path).Length);
    }

    [Fact]
    public void A_folder_never_gives_way()
    {
        _target.File("folder/inside", "x");
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);

        var failure = Assert.Throws<BackupException>(() => Restore(target, FileEntry("folder", 3), "new", replace: true));
        Assert.Equal(BackupErrorId.RestoreItemExists, failure.Id);
        Assert.Contains("folder", failure.Message, StringComparison.Ordinal);
        failure = Assert.Throws<BackupException>(() => target.CreateSpecial(LinkEntry("folder", "x"), replace: true, _reported.Add));
        Assert.Equal(BackupErrorId.RestoreItemExists, failure.Id);
        Assert.True(File.Exists(_target.At("folder/inside")));
        Assert.Single(Directory.GetFileSystemEntries(_target.Path));
    }

    [Fact]
    public void A_file_where_a_folder_is_needed_is_told()
    {
        _target.File("file", "x");
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);

        Assert.Equal(
            BackupErrorId.RestoreItemExists,
            Assert.Throws<BackupException>(() => target.OpenDirectory(Path("file/folder"), unlock: false)).Id);
        Assert.Null(target.Find(Path("file/folder")));
    }

    [Fact]
    public void A_planted_link_is_never_followed()
    {
        using var outside = new ScratchFolder();
        outside.File("victim", "untouched");
        _target.SymbolicLink("planted", outside.Path);
        _target.Folder("folder");
        _target.SymbolicLink("folder/planted", outside.Path);
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);

        foreach (string link in new[] { "planted", "folder/planted" })
        {
            foreach (Action attempt in new Action[]
            {
                () => target.OpenDirectory(Path(link + "/new"), unlock: false),
                () => target.CreateFile(FileEntry(link + "/file", 1)).Dispose(),
                () => target.CreateSpecial(LinkEntry(link + "/link", "x"), replace: true, _reported.Add),
                () => target.Find(Path(link + "/victim")),
                () => target.OpenRead(Path(link + "/victim")).Dispose(),
                () => target.SetMetadata(DirectoryEntry(link, 0x1FF), freeze: true, _reported.Add),
                () => target.TryCreateHardLink(Path("stolen"), Path(link + "/victim"), replace: false),
            })
            {
                var failure = Assert.Throws<BackupException>(attempt);
                Assert.Equal(BackupErrorId.RestoreTargetInvalid, failure.Id);
                Assert.Equal(_target.At(link), failure.Target);
            }
        }

        Assert.Single(Directory.GetFileSystemEntries(outside.Path));
    }

    [Theory]
    [InlineData("../escaped")]
    [InlineData("a/../../escaped")]
    [InlineData("/etc/escaped")]
    [InlineData("a//b")]
    public void A_forged_path_is_refused(string path)
    {
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        var forged = new EntryPath(Encoding.UTF8.GetBytes(path));

        Assert.Equal(BackupErrorId.RestoreItemFailed, Assert.Throws<BackupException>(() => target.OpenDirectory(forged, unlock: false)).Id);
        Assert.Equal(
            BackupErrorId.RestoreItemFailed,
            Assert.Throws<BackupException>(() => target.CreateFile(FileEntry("x", 1) with { Path = forged })).Id);
        Assert.Empty(Directory.GetFileSystemEntries(_target.Path));
    }

    [Fact]
    public void Hard_links_are_made_and_replace_only_when_they_may()
    {
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        Restore(target, FileEntry("a/one", 1), "x");
        _target.File("b/taken", "old");

        target.TryCreateHardLink(Path("b/two"), Path("a/one"), replace: false);
        Assert.Equal(
            BackupErrorId.RestoreItemExists,
            Assert.Throws<BackupException>(() => target.TryCreateHardLink(Path("b/taken"), Path("a/one"), replace: false)).Id);
        target.TryCreateHardLink(Path("b/taken"), Path("a/one"), replace: true);
        target.TryCreateHardLink(Path("b/two"), Path("a/one"), replace: true);

        Assert.Equal(3u, target.Find(Path("a/one"))!.Metadata.LinkCount);
        Assert.Equal(target.Find(Path("a/one"))!.Metadata.FileId, target.Find(Path("b/taken"))!.Metadata.FileId);
        Assert.Equal(2, Directory.GetFileSystemEntries(_target.At("b")).Length);
    }

    [Fact]
    public void Find_tells_what_is_there_and_does_not_follow_links()
    {
        _target.File("folder/file", "1234");
        _target.SymbolicLink("link", "folder");
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);

        Assert.Equal((EntryKind.File, 4L), (target.Find(Path("folder/file"))!.Kind, target.Find(Path("folder/file"))!.Size));
        Assert.Equal(EntryKind.SymbolicLink, target.Find(Path("link"))!.Kind);
        Assert.Equal(EntryKind.Directory, target.Find(EntryPath.Root)!.Kind);
        Assert.Null(target.Find(Path("missing")));
        Assert.Null(target.Find(Path("missing/further")));
    }

    [Fact]
    public void A_target_is_created_and_a_file_is_none()
    {
        RestoreTargets.Open(_target.At("a/b/c")).Dispose();
        Assert.True(Directory.Exists(_target.At("a/b/c")));

        _target.File("file");
        Assert.Equal(
            BackupErrorId.RestoreTargetInvalid, Assert.Throws<BackupException>(() => RestoreTargets.Open(_target.At("file"))).Id);
        Assert.Equal(
            BackupErrorId.RestoreTargetUnwritable,
            Assert.Throws<BackupException>(() => RestoreTargets.Open(_target.At("file/below"))).Id);
    }

    [Fact]
    public void A_full_target_is_told_as_such_and_keeps_no_piece()
    {
        _target.Folder("small");
        Shell.RunChecked("mount", "-t", "tmpfs", "-o", "size=1m", "test", _target.At("small"));
        try
        {
            using IRestoreTarget target = RestoreTargets.Open(_target.At("small"));
            var failure = Assert.Throws<BackupException>(() => Restore(target, FileEntry("file", 4 << 20), new string('x', 4 << 20)));
            Assert.Equal(BackupErrorId.RestoreTargetFull, failure.Id);
            Assert.Empty(Directory.GetFileSystemEntries(_target.At("small")));

            Shell.RunChecked("mount", "-o", "remount,ro", _target.At("small"));
            failure = Assert.Throws<BackupException>(() => Restore(target, FileEntry("file", 1), "x"));
            Assert.Equal(BackupErrorId.RestoreTargetUnwritable, failure.Id);
        }
        finally
        {
            Shell.RunChecked("umount", "-l", _target.At("small"));
        }
    }

    [Fact]
    public void Another_account_restores_what_it_may_and_says_once_that_owners_are_not_its_to_set()
    {
        _target.Owner("", 65534, 65534);
        ManifestEntry folder = DirectoryEntry("folder", 0x140); // r-x for its owner alone
        ScratchFolder.As(65534, () =>
        {
            using IRestoreTarget target = RestoreTargets.Open(_target.Path);
            target.OpenDirectory(folder.Path, unlock: false);
            for (int i = 0; i < 3; i++)
            {
                ManifestEntry entry = FileEntry($"folder/{i}", 1);
                Restore(target, entry with { Metadata = entry.Metadata with { UserId = 0, GroupId = 0, Mode = 0xDED } }, "x");
            }

            ManifestEntry own = FileEntry("folder/own", 1);
            Restore(target, own with { Metadata = own.Metadata with { UserId = 65534, GroupId = 65534, Mode = 0x124 } }, "x");
            target.SetMetadata(folder with { Metadata = folder.Metadata with { UserId = 65534, GroupId = 65534 } }, freeze: true, _reported.Add);
            return 0;
        });

        BackupException failure = Assert.Single(_reported);
        Assert.Equal(BackupErrorId.RestoreMetadataFailed, failure.Id);
        Assert.Equal(_target.At("folder/0"), failure.Target);
        Assert.Equal("x", File.ReadAllText(_target.At("folder/2")));

        using IRestoreTarget result = RestoreTargets.Open(_target.Path);
        Assert.Equal(0x140u, result.Find(folder.Path)!.Metadata.Mode);
        Assert.Equal(0x1EDu, result.Find(Path("folder/0"))!.Metadata.Mode); // no set-id for another owner
        Assert.Equal(0x124u, result.Find(Path("folder/own"))!.Metadata.Mode);
    }

    [Fact]
    public void A_second_restore_writes_into_a_folder_that_the_first_has_closed()
    {
        _target.Owner("", 65534, 65534);
        ManifestEntry folder = DirectoryEntry("folder", 0x140);
        folder = folder with { Metadata = folder.Metadata with { UserId = 65534, GroupId = 65534 } };
        ScratchFolder.As(65534, () =>
        {
            using IRestoreTarget target = RestoreTargets.Open(_target.Path);
            foreach (string name in (ReadOnlySpan<string>)["folder/a", "folder/b"])
            {
                target.OpenDirectory(folder.Path, unlock: false);
                ManifestEntry entry = FileEntry(name, 1);
                Restore(target, entry with { Metadata = entry.Metadata with { UserId = 65534, GroupId = 65534 } }, "x");
                target.SetMetadata(folder, freeze: true, _reported.Add);
            }

            return 0;
        });

        Assert.Empty(_reported);
        Assert.True(File.Exists(_target.At("folder/b")));
    }

    [Fact]
    public void A_folder_that_may_not_be_written_is_told()
    {
        _target.Mode("", 0x1ED);
        BackupException failure = ScratchFolder.As(65534, () =>
        {
            using IRestoreTarget target = RestoreTargets.Open(_target.Path);
            return Assert.Throws<BackupException>(() => target.CreateFile(FileEntry("file", 1)));
        });
        Assert.Equal(BackupErrorId.RestoreTargetUnwritable, failure.Id);
    }

    [Fact]
    public void An_access_list_that_the_target_hands_on_does_not_open_what_was_closed()
    {
        _target.Attribute("", "system.posix_acl_default", TestAcl.ForUser(1000));
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        ManifestEntry file = FileEntry("folder/file", 1);
        target.OpenDirectory(Path("folder"), unlock: false);
        Restore(target, file with { Metadata = file.Metadata with { Mode = 0x180 } }, "x");
        target.SetMetadata(DirectoryEntry("folder", 0x1C0), freeze: true, _reported.Add);

        Assert.Empty(_reported);
        Assert.Null(_target.Attribute("folder/file", "system.posix_acl_access"));
        Assert.Null(_target.Attribute("folder", "system.posix_acl_access"));
        Assert.Null(_target.Attribute("folder", "system.posix_acl_default"));
        Assert.Equal(0x180u, target.Find(Path("folder/file"))!.Metadata.Mode);
        Assert.Equal(0x1C0u, target.Find(Path("folder"))!.Metadata.Mode);
    }

    [Fact]
    public void Attributes_that_the_file_system_cannot_keep_are_reported_once_and_the_files_are_restored()
    {
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        for (int i = 0; i < 2; i++)
        {
            ManifestEntry entry = FileEntry($"{i}", 1) with
            {
                Attributes = [new EntryAttribute(AttributeTag.ExtendedAttribute, "unheard.of"u8.ToArray(), "x"u8.ToArray())],
            };
            Restore(target, entry, "x");
        }

        Assert.Equal(BackupErrorId.RestoreMetadataFailed, Assert.Single(_reported).Id);
        Assert.Contains("unheard.of", _reported[0].Message, StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(_target.At("1")));
    }

    [Fact]
    public void What_comes_from_Windows_gets_the_owner_and_mode_of_a_new_file()
    {
        ManifestEntry entry = FileEntry("file", 1);
        entry = entry with
        {
            Metadata = new EntryMetadata { Modified = new(0, 1_000_000_000) },
            Attributes = [new EntryAttribute(AttributeTag.WindowsAttributes, default, "\x20\0\0\0"u8.ToArray())],
        };
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        Restore(target, entry, "x");

        ManifestEntry found = target.Find(Path("file"))!;
        Assert.Equal(0x180u, found.Metadata.Mode & 0x180);
        Assert.Equal(new ItemTime(1), found.Metadata.Modified);
    }

    [Fact]
    public void More_folders_than_are_kept_open_can_be_used_at_once()
    {
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        var files = new List<IRestoreFile>();
        for (int i = 0; i < 300; i++)
        {
            files.Add(target.CreateFile(FileEntry($"{i}/file", 1)));
        }

        foreach (IRestoreFile file in files)
        {
            file.Write(0, "x"u8);
            file.Complete(replace: false, freeze: true, _reported.Add);
            file.Dispose();
        }

        Assert.Equal(300, Directory.GetFiles(_target.Path, "file", SearchOption.AllDirectories).Length);
        int handles = OpenHandles.Below(_target.Path);
        Restore(target, FileEntry("one more/file", 1), "x");
        Assert.True(OpenHandles.Below(_target.Path) < handles, "Handles of folders that are not used any more are closed.");
    }

    private static EntryPath Path(string path) => EntryPath.Parse(path);

    private static ManifestEntry FileEntry(string path, long size) => new()
    {
        Path = Path(path),
        Kind = EntryKind.File,
        Size = size,
        Metadata = new EntryMetadata { Mode = 0x1A4, Modified = new(0, 1_600_000_000_000_000_001) },
    };

    private static ManifestEntry DirectoryEntry(string path, uint mode) => new()
    {
        Path = Path(path),
        Kind = EntryKind.Directory,
        Metadata = new EntryMetadata { Mode = mode, Modified = new(0, 1_600_000_000_000_000_001) },
    };

    private static ManifestEntry LinkEntry(string path, string target) => new()
    {
        Path = Path(path),
        Kind = EntryKind.SymbolicLink,
        LinkTarget = Encoding.UTF8.GetBytes(target),
        Metadata = new EntryMetadata { Mode = 0x1FF },
    };

    private void Restore(IRestoreTarget target, ManifestEntry entry, string content, bool replace = false)
    {
        using IRestoreFile file = target.CreateFile(entry);
        file.Write(0, Encoding.UTF8.GetBytes(content));
        file.Complete(replace, freeze: true, failure =>
        {
            lock (_reported)
            {
                _reported.Add(failure);
            }
        });
    }

    private void Sparse(string name)
    {
        using FileStream stream = File.Create(_source.At(name));
        stream.SetLength(10L << 30);
        stream.Position = 1 << 20;
        stream.Write(Enumerable.Repeat((byte)7, 4096).ToArray());
    }

    // What a backup and a restore do, without a vault between them.
    private void RestoreAll()
    {
        using ISourceTree tree = SourceTrees.Open(_source.Path, SourceSelection.Everything);
        using IRestoreTarget target = RestoreTargets.Open(_target.Path);
        var folders = new Stack<ManifestEntry>();
        var links = new Dictionary<(ulong, ulong), EntryPath>();
        byte[] buffer = new byte[1 << 16];
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            Assert.Null(item.Failure);
            ManifestEntry entry = item.ReadDetails();
            if (entry.Kind == EntryKind.Directory)
            {
                target.OpenDirectory(entry.Path, unlock: false);
                folders.Push(entry);
            }
            else if (entry.Metadata.LinkCount > 1 && !links.TryAdd((entry.Metadata.DeviceId, entry.Metadata.FileId), entry.Path))
            {
                target.TryCreateHardLink(entry.Path, links[(entry.Metadata.DeviceId, entry.Metadata.FileId)], replace: false);
            }
            else if (entry.Kind == EntryKind.File)
            {
                using ISourceFile source = item.Open();
                using IRestoreFile file = target.CreateFile(entry);
                for (long offset = 0; source.TryGetDataRun(offset, out offset, out long length); offset += length)
                {
                    for (long done = 0; done < length;)
                    {
                        int count = source.Read(offset + done, buffer.AsSpan(0, (int)Math.Min(length - done, buffer.Length)));
                        file.Write(offset + done, buffer.AsSpan(0, count));
                        done += count;
                    }
                }

                file.Complete(replace: false, freeze: true, _reported.Add);
            }
            else
            {
                target.CreateSpecial(entry, replace: false, _reported.Add);
            }
        }

        foreach (ManifestEntry folder in folders)
        {
            target.SetMetadata(folder, freeze: true, _reported.Add);
        }
    }

    private void AssertSame()
    {
        List<string> expected = Describe(_source);
        Assert.Equal(expected, Describe(_target));
        Assert.NotEmpty(expected);
    }

    private static List<string> Describe(ScratchFolder folder)
    {
        using ISourceTree tree = SourceTrees.Open(folder.Path, SourceSelection.Everything);
        var lines = new List<string>();
        byte[] buffer = new byte[1 << 16];
        foreach (SourceItem item in tree.Walk(TestContext.Current.CancellationToken))
        {
            ManifestEntry entry = item.ReadDetails();
            EntryMetadata m = entry.Metadata;
            string attributes = string.Join(
                ',',
                entry.Attributes.Select(a => $"{a.Tag} {EntryName.Escape(a.Name.Span)}={Convert.ToHexString(a.Value.Span)}"));
            string content = "";
            if (entry.Kind == EntryKind.File)
            {
                using ISourceFile file = item.Open();
                for (long offset = 0; file.TryGetDataRun(offset, out offset, out long length); offset += length)
                {
                    int count = file.Read(offset, buffer.AsSpan(0, (int)Math.Min(length, buffer.Length)));
                    content += $"{offset}:{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(buffer.AsSpan(0, count)))};";
                }
            }

            lines.Add(
                $"{entry.Path} {entry.Kind} {entry.Size} {m.Mode:x} {m.UserId}:{m.GroupId} {m.Modified} {m.LinkCount} {m.DeviceNumber:x} "
                + $"[{attributes}] -> {EntryName.Escape(entry.LinkTarget.Span)} {content}");
        }

        return lines;
    }
}
