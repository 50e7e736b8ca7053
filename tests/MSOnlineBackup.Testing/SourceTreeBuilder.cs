using System.Globalization;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Testing;

/// <summary>
/// Builds a real tree of files below a folder: item by item, from a description, or at random from a seed.
/// Paths are relative to the root and written as <see cref="EntryName"/> does: <c>\xff</c> is a raw byte.
/// Missing parents are made. Contents depend on path and seed only.
/// </summary>
public sealed class SourceTreeBuilder
{
    private readonly byte[] _root;

    /// <summary>Builds below a folder, which is made where it is missing.</summary>
    public SourceTreeBuilder(string root)
    {
        System.IO.Directory.CreateDirectory(root);
        _root = UnixFile.Raw(root);
    }

    /// <summary>
    /// Builds what the lines say; sizes are numbers with K, M, G (times 1024):
    /// <code>
    /// d folder [mode]
    /// f file size [mode]
    /// s sparse-file size [length@offset ...]
    /// l link -> target
    /// h hard-link = existing
    /// p pipe
    /// </code>
    /// Paths hold no spaces; <c>\x20</c> does.
    /// </summary>
    public SourceTreeBuilder Describe(string lines)
    {
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            _ = words switch
            {
                ["d", string path] => Directory(path),
                ["d", string path, string mode] => Directory(path, Octal(mode)),
                ["f", string path, string size] => File(path, Size(size)),
                ["f", string path, string size, string mode] => File(path, Size(size)).Mode(path, Octal(mode)),
                ["s", string path, string size, .. string[] runs] => Sparse(path, Size(size), [.. runs.Select(Run)]),
                ["l", string path, "->", string target] => Link(path, target),
                ["h", string path, "=", string existing] => HardLink(path, existing),
                ["p", string path] => Pipe(path),
                _ => throw new ArgumentException($"'{line}' describes no item."),
            };
        }

        return this;

        static (long Offset, long Length) Run(string text) => (Size(text[(text.IndexOf('@') + 1)..]), Size(text[..text.IndexOf('@')]));
    }

    /// <summary>The raw absolute path of an item.</summary>
    public byte[] PathOf(string path) => UnixFile.Join(_root, EntryName.Unescape(path));

    public SourceTreeBuilder Directory(string path, uint mode = 0b111_101_101)
    {
        byte[] full = PathOf(path);
        EnsureDirectory(full);
        UnixFile.SetMode(full, mode);
        return this;
    }

    /// <summary>A file of incompressible bytes, replaced where it exists.</summary>
    public SourceTreeBuilder File(string path, long size, int seed = 0)
    {
        using FileStream file = Create(path);
        Fill(file, size, RandomFor(path, seed));
        return this;
    }

    /// <summary>A file of given bytes, replaced where it exists.</summary>
    public SourceTreeBuilder File(string path, ReadOnlySpan<byte> content)
    {
        using FileStream file = Create(path);
        file.Write(content);
        return this;
    }

    /// <summary>A file of holes but for some runs of data.</summary>
    public SourceTreeBuilder Sparse(string path, long size, params (long Offset, long Length)[] runs)
    {
        using FileStream file = Create(path);
        file.SetLength(size);
        foreach ((long offset, long length) in runs)
        {
            file.Position = offset;
            Fill(file, length, RandomFor(path, (int)(offset % int.MaxValue)));
        }

        return this;
    }

    public SourceTreeBuilder Link(string path, string target)
    {
        UnixFile.MakeSymbolicLink(Prepare(path), EntryName.Unescape(target));
        return this;
    }

    public SourceTreeBuilder HardLink(string path, string existing)
    {
        UnixFile.MakeHardLink(Prepare(path), PathOf(existing));
        return this;
    }

    public SourceTreeBuilder Pipe(string path)
    {
        UnixFile.MakeNode(Prepare(path), UnixFileKind.Fifo);
        return this;
    }

    /// <summary>A device node; needs root.</summary>
    public SourceTreeBuilder Device(string path, UnixFileKind kind, int major, int minor)
    {
        UnixFile.MakeNode(Prepare(path), kind, major, minor);
        return this;
    }

    public SourceTreeBuilder Mode(string path, uint mode)
    {
        UnixFile.SetMode(PathOf(path), mode);
        return this;
    }

    /// <summary>Another owner; needs root.</summary>
    public SourceTreeBuilder Owner(string path, uint userId, uint groupId)
    {
        UnixFile.SetOwner(PathOf(path), userId, groupId);
        return this;
    }

    /// <summary>Another time of modification: seconds since 1970, and nanoseconds.</summary>
    public SourceTreeBuilder Modified(string path, long seconds, int nanoseconds = 0)
    {
        UnixFile.SetModified(PathOf(path), new ItemTime(seconds, nanoseconds));
        return this;
    }

    /// <summary>An extended attribute, for example <c>user.note</c>; left out where the file system has none.</summary>
    public SourceTreeBuilder Attribute(string path, string name, byte[] value)
    {
        UnixFile.TrySetAttribute(PathOf(path), name, value);
        return this;
    }

    public SourceTreeBuilder Delete(string path)
    {
        UnixFile.Delete(PathOf(path));
        return this;
    }

    /// <summary>
    /// A random tree: folders in folders, files of every size class up to <paramref name="largestFile"/>, odd names,
    /// links of both kinds, pipes, holes, modes, times, attributes. The same seed gives the same tree.
    /// </summary>
    public SourceTreeBuilder Populate(int seed, int items = 60, int largestFile = 3 << 20)
    {
        new RandomTree(this, seed, largestFile).Populate(items);
        return this;
    }

    /// <summary>Random edits of what is there: contents, names, kinds, metadata, new items, deletions. Returns what was done, for messages.</summary>
    public IReadOnlyList<string> Edit(int seed, int edits = 10, int largestFile = 3 << 20) => new RandomTree(this, seed, largestFile).Edit(edits);

    private static uint Octal(string text) => Convert.ToUInt32(text, 8);

    private static long Size(string text)
    {
        int shift = text[^1] switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            _ => 0,
        };
        return long.Parse(shift == 0 ? text : text[..^1], CultureInfo.InvariantCulture) << shift;
    }

    private static Random RandomFor(string path, int seed) =>
        new(path.Aggregate(seed, static (hash, letter) => unchecked((hash * 31) + letter)));

    private static void Fill(FileStream file, long size, Random random)
    {
        byte[] buffer = new byte[(int)Math.Min(size, 1 << 20)];
        for (long left = size; left > 0; left -= buffer.Length)
        {
            random.NextBytes(buffer);
            file.Write(buffer, 0, (int)Math.Min(left, buffer.Length));
        }
    }

    private FileStream Create(string path)
    {
        FileStream file = UnixFile.Open(Prepare(path), FileAccess.ReadWrite);
        file.SetLength(0);
        return file;
    }

    private byte[] Prepare(string path)
    {
        byte[] full = PathOf(path);
        EnsureDirectory(full[..Array.LastIndexOf(full, (byte)'/')]);
        return full;
    }

    // From the top: a long path is reached through the folders above it.
    private void EnsureDirectory(byte[] full)
    {
        for (int end = _root.Length; end < full.Length;)
        {
            int slash = Array.IndexOf(full, (byte)'/', end + 1);
            end = slash < 0 ? full.Length : slash;
            if (UnixFile.Find(full.AsSpan(0, end)) is null)
            {
                UnixFile.MakeDirectory(full.AsSpan(0, end));
            }
        }
    }
}
