using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

/// <summary>Entries and manifests for tests, made from a seed.</summary>
internal static class Manifests
{
    public static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static EntryPath Path(string text) => new(Encoding.UTF8.GetBytes(text));

    public static ManifestEntry Folder(string path) => new()
    {
        Path = Path(path),
        Kind = EntryKind.Directory,
        Metadata = new EntryMetadata { Mode = 0x1ed },
    };

    public static ManifestEntry File(string path, params ContentSlice[] slices) => new()
    {
        Path = Path(path),
        Kind = EntryKind.File,
        Metadata = new EntryMetadata { Mode = 0x1a4, Modified = new(0, 1_700_000_000_123_456_789), Changed = new(0, 1_700_000_001_000_000_000) },
        Size = slices.Sum(slice => slice.Length),
        Content = slices.Length == 0 ? EntryContent.Empty : new EntryContent(slices, []),
    };

    public static ChunkId Chunk(int number) => MemoryChunks.IdOf(ChunkKind.Content, BitConverter.GetBytes(number));

    /// <summary>A tree with awkward names, depths and everything an entry can have; sorted.</summary>
    public static List<ManifestEntry> RandomTree(int seed, int count)
    {
        var random = new Random(seed);
        var folders = new List<EntryPath> { EntryPath.Root };
        var paths = new SortedSet<EntryPath> { EntryPath.Root };
        while (paths.Count < count)
        {
            EntryPath parent = folders[random.Next(folders.Count)];
            EntryPath path = parent.Append(RandomName(random));
            if (!paths.Add(path))
            {
                continue;
            }

            if (random.Next(6) == 0 && path.Bytes.Length < 2000)
            {
                folders.Add(path);
            }
        }

        var isFolder = folders.ToHashSet();
        int bundle = 0;
        int offset = 0;
        return [.. paths.Select(path => RandomEntry(random, path, isFolder.Contains(path), ref bundle, ref offset))];
    }

    public static async Task<ManifestRoot> WriteAsync(MemoryChunks chunks, IEnumerable<ManifestEntry> entries)
    {
        var writer = new ManifestWriter(chunks, Key);
        foreach (ManifestEntry entry in entries)
        {
            await writer.AddAsync(entry, Cancel);
        }

        return await writer.CompleteAsync(Cancel);
    }

    public static void AssertSame(ManifestEntry expected, ManifestEntry actual)
    {
        Assert.Equal(expected.Path, actual.Path);
        Assert.Equal(expected.Kind, actual.Kind);
        Assert.Equal(expected.Flags, actual.Flags);
        Assert.Equal(expected.Metadata, actual.Metadata);
        Assert.Equal(expected.Size, actual.Size);
        Assert.Equal(expected.LinkTarget.ToArray(), actual.LinkTarget.ToArray());
        Assert.Equal(expected.Content.Slices, actual.Content.Slices);
        Assert.Equal(expected.Content.Lists, actual.Content.Lists);
        Assert.Equal(
            expected.Attributes.Select(a => (a.Tag, Convert.ToHexString(a.Name.Span), Convert.ToHexString(a.Value.Span))),
            actual.Attributes.Select(a => (a.Tag, Convert.ToHexString(a.Name.Span), Convert.ToHexString(a.Value.Span))));
        Assert.Equal(
            expected.UnknownFields.Select(field => (field.Bit, Convert.ToHexString(field.Value.Span))),
            actual.UnknownFields.Select(field => (field.Bit, Convert.ToHexString(field.Value.Span))));
    }

    public static void AssertSame(IReadOnlyList<ManifestEntry> expected, IReadOnlyList<ManifestEntry> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            AssertSame(expected[i], actual[i]);
        }
    }

    private static byte[] RandomName(Random random)
    {
        if (random.Next(4) == 0)
        {
            byte[] raw = new byte[random.Next(1, 30)];
            for (int i = 0; i < raw.Length; i++)
            {
                do
                {
                    raw[i] = (byte)random.Next(1, 256);
                }
                while (raw[i] == '/');
            }

            return raw.AsSpan().SequenceEqual("."u8) || raw.AsSpan().SequenceEqual(".."u8) ? "..."u8.ToArray() : raw;
        }

        return Encoding.UTF8.GetBytes($"file-{random.Next(100_000)}.{"txt,c,h,dat"[(random.Next(3) * 2)..].Split(',')[0]}x");
    }

    private static ManifestEntry RandomEntry(Random random, EntryPath path, bool isFolder, ref int bundle, ref int offset)
    {
        EntryKind kind = isFolder ? EntryKind.Directory : random.Next(20) == 0 ? (EntryKind)random.Next(3, 8) : EntryKind.File;
        var flags = (EntryFlags)(random.Next(10) == 0 ? random.Next(32) : 0);
        EntryContent content = EntryContent.Empty;
        if (kind == EntryKind.File)
        {
            content = RandomContent(random, ref bundle, ref offset);
        }

        long size = content.Slices.Sum(s => s.Length) + content.Lists.Sum(l => l.Length);
        bool mayDiffer = kind == EntryKind.File && (flags & (EntryFlags.Partial | EntryFlags.Unreadable)) != 0;
        ItemTime modified = random.Next(50) == 0 ? AnyTime(random) : new(1_700_000_000, random.NextInt64(1L << 50));
        bool linked = random.Next(30) == 0;
        return new ManifestEntry
        {
            Path = path,
            Kind = kind,
            Flags = flags,
            Metadata = new EntryMetadata
            {
                Mode = (uint)(random.Next(10) == 0 ? random.Next(0x1000) : 0x1a4),
                UserId = random.Next(20) == 0 ? uint.MaxValue : 1000,
                GroupId = random.Next(20) == 0 ? (uint)random.Next() : 1000,
                Modified = modified,
                Changed = random.Next(2) == 0 ? modified : AnyTime(random),
                Created = random.Next(3) == 0 ? null : AnyTime(random),
                FileId = random.Next(50) == 0 ? ulong.MaxValue : (ulong)random.Next(1 << 20),
                DeviceId = linked ? (ulong)random.Next(1, 5) : 0,
                LinkCount = linked ? (uint)random.Next(2, 9) : 1,
                DeviceNumber = kind is EntryKind.BlockDevice or EntryKind.CharacterDevice ? (8UL << 32) | (uint)random.Next(16) : 0,
            },
            Size = mayDiffer ? random.NextInt64(long.MaxValue) : size,
            Content = content,
            LinkTarget = kind == EntryKind.SymbolicLink ? RandomName(random) : default,
            Attributes = random.Next(15) == 0 ? RandomAttributes(random) : [],
            UnknownFields = random.Next(40) == 0
                ? [new UnknownField(random.Next(14, 40), RandomName(random)), new UnknownField(random.Next(40, 64), RandomName(random))]
                : [],
        };
    }

    private static ItemTime AnyTime(Random random) => new(random.NextInt64(long.MinValue, long.MaxValue), random.Next(1_000_000_000));

    private static EntryContent RandomContent(Random random, ref int bundle, ref int offset)
    {
        switch (random.Next(12))
        {
            case 0:
                return EntryContent.Empty;
            case 1:
                int first = random.Next();
                return new EntryContent(
                    [.. Enumerable.Range(0, random.Next(1, 20)).Select(i => random.Next(4) == 0
                        ? new ContentSlice(null, 0, random.NextInt64(1, 1L << 40))
                        : new ContentSlice(Chunk(first + i), random.Next(3) == 0 ? random.Next(1 << 20) : 0, random.Next(1, 4 << 20)))],
                    []);
            case 2 when random.Next(10) == 0:
                return new EntryContent(
                    [], [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => new SliceListReference(Chunk(random.Next()), random.NextInt64(1, 1L << 40)))]);
            default:
                int length = random.Next(1, 20_000);
                if (offset + length > 1 << 20)
                {
                    bundle = random.Next();
                    offset = 0;
                }

                var slice = new ContentSlice(Chunk(bundle), offset, length);
                offset += length;
                return new EntryContent([slice], []);
        }
    }

    private static EntryAttribute[] RandomAttributes(Random random) =>
        [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
        {
            byte[] value = new byte[random.Next(200)];
            random.NextBytes(value);
            var tag = (AttributeTag)random.Next(256);
            return tag == AttributeTag.LongStream || random.Next(4) == 0 ? RandomStream(random) : new EntryAttribute(tag, RandomName(random), value);
        })];

    private static EntryAttribute RandomStream(Random random) => new ItemContent(
        RandomName(random),
        new EntryContent([], [.. Enumerable.Range(0, random.Next(1, 5)).Select(i => new SliceListReference(Chunk(i), random.NextInt64(1, 1L << 50)))])).ToAttribute();
}
