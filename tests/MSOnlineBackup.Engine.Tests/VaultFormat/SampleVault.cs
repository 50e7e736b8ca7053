using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// A small vault with what the format can say: two points of one machine, each of a real folder, of items by script that a real file system has only for root
/// or not at all, of a single file and of a stream; bundles, files of several chunks, holes, slice lists, nodes above leaves, entries of every kind,
/// attributes, skipped items; key slots of both derivations, records of an owner, an ended session and a fence. The golden vault is made by it:
/// <see cref="GoldenVaultTests"/>.
/// </summary>
internal static class SampleVault
{
    /// <summary>Opens the slot by Argon2id.</summary>
    public const string Passphrase = "golden vault of format 1";

    /// <summary>Opens the slot by PBKDF2.</summary>
    public const string SecondPassphrase = "golden vault, second key";

    public const string MachineName = "Golden";

    /// <summary>The source by script.</summary>
    public const string Scripted = "/scripted";

    /// <summary>The source that is a stream.</summary>
    public const string StreamName = "a:b.sql";

    /// <summary>What the owner has set.</summary>
    public const int MachineLimit = 7;

    // Of 2024, so that it is older than the points.
    private const string FencedSession = "018cc251f400700080000000000000ab";

    private const int Run = 4096;

    // More than one slice list takes.
    private const int Runs = 1100;

    /// <summary>Paths and contents of the files of the folder that the first or the second point holds.</summary>
    public static IReadOnlyDictionary<string, byte[]> Files(int point)
    {
        var files = new Dictionary<string, byte[]>
        {
            ["empty"] = [],
            ["notes.txt"] = Encoding.UTF8.GetBytes(point == 1 ? "The first state.\n" : "The second state, which is longer.\n"),
            ["large"] = Records(20_480, point),
            ["random"] = Incompressible(40_000),
            ["folder/one"] = Repeat('1', 1000),
            ["folder/two"] = Repeat('2', 100_000),
            ["linked"] = Repeat('L', 300),
            ["link"] = Repeat('L', 300),
            ["sparse"] = [.. new byte[1 << 20], .. Repeat('B', 200 << 10), .. new byte[1 << 20]],
            ["only a hole"] = new byte[1 << 20],
            ["runs"] = Alternating(),
            ["before 1970"] = Repeat('O', 10),
            ["after 2262"] = Repeat('N', 10),
            [point == 1 ? "deleted later" : "added later"] = Repeat('D', 50),
        };
        for (int i = 0; i < 40; i++)
        {
            files.Add($"bundle/{i:d2}", Repeat((char)('a' + (i % 26)), 1 + (i * 37)));
        }

        for (int i = 0; i < 900; i++)
        {
            files.Add($"many/{i:d3} {new string('n', 200)}", []);
        }

        return files;
    }

    /// <summary>What the stream gives: cut by its content, however short it is.</summary>
    public static byte[] StreamContent(int point) => Records(1200, point);

    /// <summary>The content of the source that is a single file.</summary>
    public static byte[] SingleFile { get; } = "A source of its own.\n"u8.ToArray();

    /// <summary>Makes the vault in a folder, by two backups of another folder.</summary>
    public static async Task MakeAsync(string vault, string source, TimeProvider clock, CancellationToken cancel)
    {
        FakeSourceTree? script = null;
        var options = new VaultOptions
        {
            TimeProvider = clock,
            Workers = 2,
            PassphraseKdf = PassphraseKdf.Argon2id,
        };
        FolderVaultStore store = FolderVaultStore.Create(vault);
        var owner = new KeptOwner();
        await Vault.CreateAsync(store, Passphrase, options, cancel, owner.Keep);
        await TestVault.ChangeSettingsAsync(store, owner.Key, settings => settings with { MachineLimit = MachineLimit }, cancel);

        // Needed for nothing: it stops nobody, whichever features there will be.
        await VaultRecords.AppendAsync(
            (await Vault.OpenAsync(store, options, cancel)).Known, owner.Key, new VaultRecord { Kind = VaultRecord.Feature, Name = "example", NeededTo = [] }, cancel);
        UnlockedVault second = await TestVault.UnlockAsync(store, Passphrase, options with { PassphraseKdf = PassphraseKdf.Pbkdf2 }, cancel);
        await second.AddKeyAsync(SecondPassphrase, "second", cancel);
        UnlockedVault engine = await TestVault.UnlockAsync(store, Passphrase, options, cancel);
        for (int point = 1; point <= 2; point++)
        {
            Build(source, point);
            script = Script(point);
            (clock as FakeClock)?.Advance(TimeSpan.FromHours(1));
            using var stream = new MemoryStream(StreamContent(point));
            var request = new BackupRequest
            {
                MachineName = MachineName,
                Sources =
                [
                    new BackupSource.Tree(source, new SourceSelection { Exclude = ["left out"], ExcludeFiles = ["*.tmp"] }),
                    new BackupSource.Tree(Scripted, SourceSelection.Everything),
                    new BackupSource.Tree(source + ".single", SourceSelection.Everything),
                    new BackupSource.Input(StreamName, stream),
                ],
                Tags = [$"point {point}"],
                OpenSource = asked => asked switch
                {
                    BackupSource.Input input => new StreamSource(input.Name, input.Content, clock),
                    BackupSource.Tree { Path: Scripted } => script!,
                    BackupSource.Tree tree => SourceTrees.Open(tree.Path, tree.Selection),
                    _ => throw new InvalidOperationException(),
                },
            };
            await engine.BackUpAsync(request, new JobMonitor(), cancel);
        }

        // What readers pass over: a session that ended without a point, and a fence.
        await engine.RebuildIndexAsync(new JobMonitor(), cancel);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancel);
        string fence = VaultLayout.Point(engine.Key.StoreId, header.MachineId(MachineName), SessionId.Parse(FencedSession));
        StoreKeys keys = TestVault.StoreOf(store, header, engine.Key.StoreId, engine.Key.MasterKey).Keys;
        await store.TryCreateAsync(fence, SealedObject.Seal(keys, SealedObjectKind.Fence, fence, []), cancel);
    }

    private static void Build(string source, int point)
    {
        var tree = new SourceTreeBuilder(source);
        IReadOnlyDictionary<string, byte[]> files = Files(point);
        foreach ((string path, byte[] content) in files.Where(file => point == 1 || file.Key is "notes.txt" or "large" or "added later"))
        {
            switch (path)
            {
                case "link":
                    tree.HardLink(path, "linked");
                    break;
                case "sparse":
                    WriteRuns(Path.Combine(source, path), content, 1 << 20, 200 << 10);
                    break;
                case "only a hole":
                    WriteRuns(Path.Combine(source, path), content);
                    break;
                case "runs":
                    WriteRuns(Path.Combine(source, path), content, [.. Enumerable.Range(0, Runs).SelectMany(i => (int[])[i == 0 ? 0 : Run, Run])]);
                    break;
                default:
                    tree.File(path, content);
                    break;
            }
        }

        if (point == 1)
        {
            tree.File(@"not UTF-8 \xff\xfe", "raw"u8).Link("symbolic", "folder/one").Attribute("folder/one", "user.note", "kept"u8.ToArray()).Mode("folder/one", 0b110_000_000);
            tree.Pipe("pipe").Directory("empty folder", 0b001_111_000_000).Modified("before 1970", -2, 999_999_999).Modified("after 2262", 10_000_000_000, 1);
            tree.File("left out/file", "not in the vault"u8).File("folder/left out.tmp", "not in the vault"u8).File("becomes a folder", "a file"u8);
            File.WriteAllBytes(source + ".single", SingleFile);
        }
        else
        {
            tree.Delete("deleted later").Delete("becomes a folder").File("becomes a folder/below", "a folder now"u8);
        }
    }

    // What needs root, another system, or trouble.
    private static FakeSourceTree Script(int point)
    {
        var tree = new FakeSourceTree(Scripted);
        EntryMetadata plain = new() { Mode = 0b110_100_100, UserId = 1000, GroupId = 1000, Modified = new(1_000_000_000, 123_456_789), Changed = new(1_100_000_000, 1), Created = new(900_000_000, 999_999_999) };
        EntryMetadata folder = plain with { Mode = 0b111_101_101, Created = null };
        ulong number = 0;
        void Add(string path, EntryKind kind, EntryMetadata metadata, byte[]? content = null, string target = "", params EntryAttribute[] attributes)
        {
            tree.Put(path, kind, metadata with { FileId = ++number }, content ?? [], EntryName.Unescape(target));
            tree[path].Attributes = attributes;
        }

        Add("", EntryKind.Directory, folder);
        Add("devices", EntryKind.Directory, folder);
        Add("devices/block", EntryKind.BlockDevice, plain with { DeviceNumber = (7UL << 32) | 1 });
        Add("devices/character", EntryKind.CharacterDevice, plain with { DeviceNumber = (1UL << 32) | 3 });
        Add("devices/largest", EntryKind.CharacterDevice, plain with { DeviceNumber = (4095UL << 32) | 1_048_575 });
        Add("link", EntryKind.SymbolicLink, plain with { Mode = 0b111_111_111 }, target: @"nowhere/\xff");
        Add("pipe", EntryKind.Fifo, plain);
        Add("socket", EntryKind.Socket, plain);

        foreach (string name in (string[])[@"a\x0ab", @"back\\slash", @"\xc3", "ä", "日本語", "a:b", "trailing dot.", " ", new string('x', 255)])
        {
            Add($"names/{name}", EntryKind.File, plain, Encoding.UTF8.GetBytes(name));
        }

        Add("names", EntryKind.Directory, folder);
        Add("owned", EntryKind.File, plain with { Mode = 0b110_111_101_101, UserId = 4_294_967_294, GroupId = 65_534 }, "owned"u8.ToArray());
        Add("times", EntryKind.Directory, folder);
        Add(
            "times/first",
            EntryKind.File,
            plain with { Modified = new(long.MinValue, 0), Changed = new(long.MinValue, 1), Created = new(long.MaxValue, 0) },
            "1"u8.ToArray());
        Add(
            "times/last",
            EntryKind.File,
            plain with { Modified = new(long.MaxValue, 999_999_999), Changed = new(long.MaxValue, 0), Created = new(long.MinValue, 0) },
            "2"u8.ToArray());
        Add("times/year 1", EntryKind.File, plain with { Modified = new(-62_135_596_800, 0) }, "3"u8.ToArray());
        Add("times/year 10000", EntryKind.File, plain with { Modified = new(253_402_300_800, 0) }, "4"u8.ToArray());

        Add(
            "attributes",
            EntryKind.File,
            plain,
            "attributes"u8.ToArray(),
            "",
            Attribute(AttributeTag.ExtendedAttribute, "user.empty", []),
            Attribute(AttributeTag.ExtendedAttribute, "user.long", Repeat('v', 3000)),
            Attribute(AttributeTag.InodeFlags, "", [0x40, 0, 0, 0]),
            Attribute((AttributeTag)99, "later", [1, 2, 3]));
        Add(
            "from Windows",
            EntryKind.File,
            plain with { Mode = 0, UserId = 0, GroupId = 0 },
            "windows"u8.ToArray(),
            "",
            Attribute(AttributeTag.WindowsAttributes, "", [0x21, 0, 0, 0]),
            Attribute(AttributeTag.WindowsSecurityDescriptor, "", [1, 0, 0, 0x80, .. new byte[16]]),
            Attribute(AttributeTag.NamedStream, "Zone.Identifier", "[ZoneTransfer]\r\nZoneId=3\r\n"u8.ToArray()));
        Add("mounted", EntryKind.Directory, folder);
        tree["mounted"].IsMount = true;
        Add("half read", EntryKind.File, plain, "attributes missing"u8.ToArray(), "", Attribute(AttributeTag.Unread, "user.secret", []));
        tree["half read"].Faults.Add(FakeSourceTree.Unreadable(Scripted + "/half read"));

        // Of the file that is kept only the first point could be read.
        Add("kept", EntryKind.File, plain with { Changed = new(point, 0) }, "of the first point"u8.ToArray());
        tree["kept"].RefusesOpen = point == 1 ? null : FakeSourceTree.Unreadable(Scripted + "/kept");
        Add("locked", EntryKind.File, plain, "never read"u8.ToArray());
        tree["locked"].RefusesOpen = FakeSourceTree.Unreadable(Scripted + "/locked");
        Add("closed", EntryKind.Directory, folder);
        tree["closed"].Refuses = FakeSourceTree.Unreadable(Scripted + "/closed");
        Add("restless", EntryKind.File, plain, "before"u8.ToArray());
        tree["restless"].ContentWhenOpened = "while it was read"u8.ToArray();
        return tree;
    }

    private static EntryAttribute Attribute(AttributeTag tag, string name, byte[] value) => new(tag, Encoding.UTF8.GetBytes(name), value);

    // Pairs of a distance that is left as a hole and a length that is written.
    private static void WriteRuns(string path, byte[] content, params int[] runs)
    {
        using var file = new FileStream(path, FileMode.CreateNew);
        file.SetLength(content.Length);
        for (int i = 0; i < runs.Length; i += 2)
        {
            file.Position += runs[i];
            file.Write(content, (int)file.Position, runs[i + 1]);
        }
    }

    // A run of data, a hole, and so on. Seven contents, so that slices name chunks again that were named long before.
    private static byte[] Alternating()
    {
        byte[] content = new byte[2 * Run * Runs];
        for (int i = 0; i < Runs; i++)
        {
            content.AsSpan(2 * Run * i, Run).Fill((byte)('C' + (i % 7)));
        }

        return content;
    }

    // Compresses well, and is cut by its content all the same. In the second state one record in the middle is another one.
    private static byte[] Records(int count, int state)
    {
        var text = new StringBuilder(count * 256);
        for (int i = 0; i < count; i++)
        {
            text.Append($"{(state == 2 && i == count / 2 ? "replaced" : i.ToString("d8", System.Globalization.CultureInfo.InvariantCulture))} is the number of this record".PadRight(255, '.')).Append('\n');
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    // The same bytes on every machine.
    private static byte[] Incompressible(int count) =>
        [.. Enumerable.Range(0, (count / 32) + 1).SelectMany(i => System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i))).Take(count)];

    private static byte[] Repeat(char letter, int count) => [.. Enumerable.Repeat((byte)letter, count)];
}
