using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Testing;

/// <summary>What a comparison of trees looks at.</summary>
[Flags]
public enum TreeAspects
{
    /// <summary>Names, kinds, contents and link targets only.</summary>
    None = 0,
    Mode = 1,
    Owner = 2,
    Times = 4,
    HardLinks = 8,
    Attributes = 16,
    Holes = 32,
    All = Mode | Owner | Times | HardLinks | Attributes | Holes,
}

/// <summary>Compares two real trees, byte for byte and fact for fact.</summary>
/// <remarks>
/// By calls of its own, and on purpose not by the comparison of the drill (<c>TreeComparison</c>), which sees both trees as a backup sees its source: what a
/// backup overlooks, that would overlook too.
/// </remarks>
public sealed class TreeComparer
{
    // What a file system may allocate beyond the data: whole blocks at the edges of holes, and blocks of its own.
    private const long HoleAllowance = 1 << 20;

    private readonly byte[] _expectedRoot;
    private readonly byte[] _actualRoot;
    private readonly TreeAspects _aspects;
    private readonly List<string> _differences = [];
    private readonly Dictionary<(ulong, ulong), string> _expectedLinks = [];
    private readonly Dictionary<(ulong, ulong), string> _actualLinks = [];

    private TreeComparer(string expectedRoot, string actualRoot, TreeAspects aspects)
    {
        _expectedRoot = UnixFile.Raw(expectedRoot);
        _actualRoot = UnixFile.Raw(actualRoot);
        _aspects = aspects;
    }

    /// <summary>The differences, one line each, paths as <see cref="EntryName.Escape"/> writes them; empty when the trees are the same.</summary>
    public static IReadOnlyList<string> Compare(string expectedRoot, string actualRoot, TreeAspects aspects = TreeAspects.All)
    {
        var comparer = new TreeComparer(expectedRoot, actualRoot, aspects);
        comparer.CompareItem([]);
        return comparer._differences;
    }

    private void CompareItem(byte[] path)
    {
        byte[] expectedPath = UnixFile.Join(_expectedRoot, path);
        byte[] actualPath = UnixFile.Join(_actualRoot, path);
        if (UnixFile.Find(expectedPath) is not UnixFileState expected)
        {
            Report(path, "is there, but should not be");
            return;
        }

        if (UnixFile.Find(actualPath) is not UnixFileState actual)
        {
            Report(path, "is missing");
            return;
        }

        if (expected.Kind != actual.Kind)
        {
            Report(path, $"is a {actual.Kind} instead of a {expected.Kind}");
            return;
        }

        CompareFacts(path, expected, actual);
        if (_aspects.HasFlag(TreeAspects.Attributes))
        {
            CompareAttributes(path, UnixFile.ListAttributes(expectedPath), UnixFile.ListAttributes(actualPath));
        }

        switch (expected.Kind)
        {
            case UnixFileKind.Directory:
                CompareFolders(path, UnixFile.List(expectedPath), UnixFile.List(actualPath));
                break;
            case UnixFileKind.File:
                CompareContents(path, expectedPath, actualPath);
                break;
            case UnixFileKind.SymbolicLink:
                Check(path, "link target", EntryName.Escape(UnixFile.ReadLink(expectedPath)), EntryName.Escape(UnixFile.ReadLink(actualPath)));
                break;
            case UnixFileKind.CharacterDevice or UnixFileKind.BlockDevice:
                Check(path, "device number", expected.DeviceNumber, actual.DeviceNumber);
                break;
        }
    }

    private void CompareFacts(byte[] path, UnixFileState expected, UnixFileState actual)
    {
        if (_aspects.HasFlag(TreeAspects.Mode) && expected.Kind != UnixFileKind.SymbolicLink)
        {
            Check(path, "mode", Convert.ToString(expected.Mode, 8), Convert.ToString(actual.Mode, 8));
        }

        if (_aspects.HasFlag(TreeAspects.Owner))
        {
            Check(path, "owner", (expected.UserId, expected.GroupId), (actual.UserId, actual.GroupId));
        }

        if (_aspects.HasFlag(TreeAspects.Times))
        {
            Check(path, "modification time", expected.Modified, actual.Modified);
        }

        if (_aspects.HasFlag(TreeAspects.HardLinks) && expected.Kind != UnixFileKind.Directory)
        {
            // Both walks go the same way: the groups are the same when each file's first name is.
            string name = EntryName.Escape(path);
            Check(path, "hard link of", FirstName(_expectedLinks, expected, name), FirstName(_actualLinks, actual, name));
        }

        bool sparse = expected.Kind == UnixFileKind.File && expected.AllocatedBytes < expected.Size;
        if (_aspects.HasFlag(TreeAspects.Holes) && sparse && actual.AllocatedBytes > expected.AllocatedBytes + HoleAllowance)
        {
            Report(path, $"occupies {actual.AllocatedBytes} bytes instead of {expected.AllocatedBytes}: its holes were filled");
        }
    }

    private void CompareAttributes(byte[] path, SortedDictionary<string, byte[]> expected, SortedDictionary<string, byte[]> actual)
    {
        foreach (string name in expected.Keys.Union(actual.Keys))
        {
            string Text(SortedDictionary<string, byte[]> from) => from.TryGetValue(name, out byte[]? value) ? Convert.ToHexStringLower(value) : "absent";
            Check(path, $"attribute {name}", Text(expected), Text(actual));
        }
    }

    private void CompareFolders(byte[] path, List<byte[]> expected, List<byte[]> actual)
    {
        var order = Comparer<byte[]>.Create(static (left, right) => left.AsSpan().SequenceCompareTo(right));
        foreach (byte[] name in new SortedSet<byte[]>(expected.Concat(actual), order))
        {
            CompareItem(path.Length == 0 ? name : UnixFile.Join(path, name));
        }
    }

    private void CompareContents(byte[] path, byte[] expectedPath, byte[] actualPath)
    {
        using FileStream expected = UnixFile.Open(expectedPath, FileAccess.Read);
        using FileStream actual = UnixFile.Open(actualPath, FileAccess.Read);
        if (expected.Length != actual.Length)
        {
            Report(path, $"has {actual.Length} bytes instead of {expected.Length}");
            return;
        }

        byte[] expectedBytes = new byte[1 << 18];
        byte[] actualBytes = new byte[1 << 18];
        for (long offset = 0; offset < expected.Length;)
        {
            // Where both have holes, both are zero.
            offset = Math.Min(UnixFile.FindData(expected, offset), UnixFile.FindData(actual, offset));
            expected.Position = actual.Position = offset;
            int count = (int)Math.Min(expectedBytes.Length, expected.Length - offset);
            expected.ReadExactly(expectedBytes, 0, count);
            actual.ReadExactly(actualBytes, 0, count);
            int same = expectedBytes.AsSpan(0, count).CommonPrefixLength(actualBytes.AsSpan(0, count));
            if (same < count)
            {
                Report(path, $"has different content from byte {offset + same} onward");
                return;
            }

            offset += count;
        }
    }

    private static string FirstName(Dictionary<(ulong Device, ulong FileId), string> names, UnixFileState state, string name)
    {
        names.TryAdd((state.Device, state.FileId), name);
        return names[(state.Device, state.FileId)];
    }

    private void Check<T>(byte[] path, string what, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            Report(path, $"{what}: {actual} instead of {expected}");
        }
    }

    private void Report(byte[] path, string difference) => _differences.Add($"/{EntryName.Escape(path)}: {difference}");
}
