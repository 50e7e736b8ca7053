using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Testing;

/// <summary>Random items and random edits for a <see cref="SourceTreeBuilder"/>, always the same for the same seed.</summary>
internal sealed class RandomTree(SourceTreeBuilder tree, int seed, int largestFile)
{
    // Around what a bundle, a chunk and a page end at.
    private static readonly int[] _sizeClasses = [0, 1, 100, 4095, 4096, 20_000, 131_071, 131_073, 262_144, 700_000, 1 << 20, 3 << 20, 9 << 20];

    private static readonly string[] _oddNames =
    [
        "-rf", "a b", "line\\x0abreak", "tab\\x09", "quote'\"", "back\\\\slash", "star*", "question?", "[set]", "...", "\\xff\\xfe", "caf\\xc3\\x28",
        "e\u0301", "é", "日本語", "😀", ".hidden", "CON", "trailing.", "trailing ", "%20", "$HOME", "~", "#", "\\x01", new string('n', 255),
    ];

    private readonly Random _random = new(seed);
    private int _names;

    public void Populate(int items)
    {
        for (int i = 0; i < items; i++)
        {
            AddItem();
        }

        // Times at last: what was added changed those of the folders above.
        foreach ((string path, UnixFileState state) in Items().Where(_ => _random.Next(4) == 0).ToList())
        {
            ChangeMetadata(path, state);
        }
    }

    public IReadOnlyList<string> Edit(int edits)
    {
        var done = new List<string>();
        for (int i = 0; i < edits; i++)
        {
            done.Add(EditOnce());
        }

        return done;
    }

    private string EditOnce()
    {
        List<(string Path, UnixFileState State)> items = Items();
        if (items.Count == 0 || _random.Next(5) == 0)
        {
            return "add " + AddItem();
        }

        (string path, UnixFileState state) = items[_random.Next(items.Count)];
        switch (_random.Next(4))
        {
            case 0:
                tree.Delete(path);
                return $"delete {path}";
            case 1:
                string renamed = NewPath(Folders().Where(folder => !IsAtOrBelow(folder, path)));
                UnixFile.Rename(tree.PathOf(path), tree.PathOf(renamed));
                return $"rename {path} to {renamed}";
            case 2 when state.Kind == UnixFileKind.File:
                return ChangeContent(path, state);
            default:
                ChangeMetadata(path, state);
                return $"change metadata of {path}";
        }
    }

    private string AddItem()
    {
        string path = NewPath(Folders());
        List<string> files = [.. Items().Where(item => item.State.Kind == UnixFileKind.File).Select(item => item.Path)];
        switch (_random.Next(12))
        {
            case 0 or 1:
                tree.Directory(path, Pick<uint>([0b111_101_101, 0b111_000_000, 0b111_111_111, 0x200 | 0b111_111_111]));
                break;
            case 2:
                tree.Link(path, Pick(["nowhere", ".", "..", "/etc/hostname", path[(path.LastIndexOf('/') + 1)..], "a/../b", "\\xff"]));
                break;
            case 3 when files.Count > 0:
                tree.HardLink(path, Pick(files));
                break;
            case 4:
                tree.Pipe(path);
                break;
            case 5:
                long size = _random.NextInt64(1 << 16, 1 << 24);
                tree.Sparse(path, size, (_random.NextInt64(size - 5000), 5000), (0, _random.Next(2) * 4096));
                break;
            default:
                tree.File(path, NewSize(), _random.Next());
                break;
        }

        return path;
    }

    private string ChangeContent(string path, UnixFileState state)
    {
        byte[] full = tree.PathOf(path);
        using FileStream file = UnixFile.Open(full, FileAccess.ReadWrite);
        byte[] fresh = new byte[_random.Next(1, 5000)];
        _random.NextBytes(fresh);
        switch (_random.Next(4))
        {
            case 0:
                file.Seek(0, SeekOrigin.End);
                file.Write(fresh);
                return $"append {fresh.Length} bytes to {path}";
            case 1:
                file.Position = _random.NextInt64(state.Size + 1);
                file.Write(fresh);
                return $"overwrite {fresh.Length} bytes of {path}";
            case 2:
                file.SetLength(_random.NextInt64(state.Size + 1));
                return $"truncate {path}";
            default:
                byte[] old = new byte[(int)Math.Min(state.Size, 16 << 20)];
                file.ReadExactly(old);
                file.Position = 0;
                file.Write(fresh);
                file.Write(old);
                return $"insert {fresh.Length} bytes before {path}";
        }
    }

    private void ChangeMetadata(string path, UnixFileState state)
    {
        if (state.Kind is UnixFileKind.File or UnixFileKind.Directory)
        {
            tree.Attribute(path, "user.note" + _random.Next(3), [.. Enumerable.Range(0, _random.Next(200)).Select(_ => (byte)_random.Next(256))]);
            tree.Mode(path, state.Kind == UnixFileKind.Directory ? 0b111_000_000u | (uint)_random.Next(64) : 0b110_000_000u | (uint)_random.Next(64));
        }

        // From before 1970 to the year 2100, to the nanosecond.
        tree.Modified(path, _random.NextInt64(-1_000_000_000, 4_100_000_000), _random.Next(1_000_000_000));
    }

    private string NewPath(IEnumerable<string> folders)
    {
        string folder = Pick([.. folders]);
        string name;
        string path;
        do
        {
            name = _random.Next(3) == 0 ? Pick(_oddNames) : $"item{_random.Next(1000)}-{_names++}";
            path = folder.Length == 0 ? name : $"{folder}/{name}";
        }
        while (UnixFile.Find(tree.PathOf(path)) is not null);

        return path;
    }

    private long NewSize()
    {
        int size = Math.Min(Pick(_sizeClasses), largestFile);
        return _random.Next(2) == 0 ? size : _random.Next(size + 1);
    }

    private IEnumerable<string> Folders() => Items().Where(item => item.State.Kind == UnixFileKind.Directory).Select(item => item.Path).Append("");

    private List<(string Path, UnixFileState State)> Items()
    {
        var items = new List<(string, UnixFileState)>();
        Collect("");
        return items;

        void Collect(string folder)
        {
            foreach (byte[] name in UnixFile.List(tree.PathOf(folder)))
            {
                string path = folder.Length == 0 ? EntryName.Escape(name) : $"{folder}/{EntryName.Escape(name)}";
                UnixFileState state = UnixFile.Stat(tree.PathOf(path));
                items.Add((path, state));
                if (state.Kind == UnixFileKind.Directory)
                {
                    Collect(path);
                }
            }
        }
    }

    private static bool IsAtOrBelow(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);

    private T Pick<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];
}
