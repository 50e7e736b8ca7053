using System.Buffers;
using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>The samples of sections 15.6 to 15.9 mean what the document says, to the engine and to whoever has the document alone.</summary>
public sealed class ManifestVectorTests
{
    private static readonly byte[] _first = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] _second = [.. Enumerable.Range(32, 32).Select(i => (byte)i)];

    [Fact]
    public void The_leaf_is_read_by_the_document_alone()
    {
        List<IndependentEntry> entries = IndependentReader.DecodeLeaf(FormatDocument.Hex("leaf", "block"), static _ => throw new InvalidOperationException());

        Assert.Equal(["", "a", "ab", "l"], entries.Select(entry => Encoding.UTF8.GetString(entry.Path)));
        Assert.Equal([2, 1, 1, 3], entries.Select(entry => entry.Kind));
        Assert.Equal([(1000L, 0L), (-2L, 999_999_999L), (2000L, 0L), (2000L, 0L)], entries.Select(entry => entry.Modified));
        Assert.Equal([(900L, 5L), null, null, null], entries.Select(entry => entry.Created));
        Assert.Equal([0u, 0u, 1u, 0u], entries.Select(entry => entry.Flags));
        Assert.Equal((300, 1000L), (entries[2].Slices[0].Offset, entries[2].Slices[0].Length));
        Assert.Null(entries[2].Slices[1].Chunk);
        Assert.Equal("ab"u8.ToArray(), entries[3].LinkTarget);
        Assert.Equal("user.x"u8.ToArray(), Assert.Single(entries[3].Attributes).Name);
        Assert.All(entries, entry => Assert.True(entry.IsRestorable));
    }

    [Fact]
    public void What_a_later_version_wrote_is_read_by_the_document_alone()
    {
        List<IndependentEntry> entries =
            IndependentReader.DecodeLeaf(FormatDocument.Hex("later leaf", "block"), static _ => throw new InvalidOperationException());

        Assert.Equal([true, false, true, false], entries.Select(entry => entry.IsRestorable));
        Assert.Equal((9, 136u), (entries[1].Kind, entries[1].Flags));
        Assert.Equal([14, 31], entries[2].Unknown.Select(field => field.Bit));
        Assert.Equal((4, 4L), (entries[3].Slices[0].Offset, entries[3].Slices[0].Length));
    }

    [Fact]
    public void Long_streams_follow_from_the_rules()
    {
        ManifestEntry[] entries =
        [
            new()
            {
                Path = EntryPath.Root,
                Kind = EntryKind.Directory,
                Metadata = new(),
                Attributes = [Stream("big", new(new ChunkId(_first), 1_052_746), new(new ChunkId(_second), 5))],
            },
            new()
            {
                Path = EntryPath.Parse("a"),
                Kind = EntryKind.File,
                Metadata = new(),
                Attributes = [new(AttributeTag.NamedStream, "s"u8.ToArray(), "1"u8.ToArray()), Stream("t", new SliceListReference(new ChunkId(_second), 1L << 40))],
            },
        ];
        var encoder = new LeafEncoder();
        Array.ForEach(entries, encoder.Add);

        Assert.Equal(FormatDocument.Raw("long streams", "block"), Convert.ToHexStringLower(encoder.Block.Span));
        byte[] vector = FormatDocument.Hex("long streams", "block");
        var leaf = new LeafReader(default, vector);
        Assert.True(leaf.MoveNext());
        Assert.Equal(["big"], leaf.Contents.Select(part => Encoding.UTF8.GetString(part.Name.Span)));
        Assert.Equal(1_052_751, leaf.Contents[0].Length);
        Assert.True(leaf.MoveNext());
        Assert.Equal([new SliceListReference(new ChunkId(_second), 1L << 40)], Assert.Single(leaf.Contents).Content.Lists);
        Assert.Equal(0, leaf.Size);
        List<IndependentEntry> read = IndependentReader.DecodeLeaf(vector, static _ => throw new InvalidOperationException());
        Assert.Equal([(Convert.ToHexString(_first), 1_052_746L), (Convert.ToHexString(_second), 5L)], Lists(read[0].Attributes[0].Value));
        Assert.Equal([(5, "s"), (9, "t")], read[1].Attributes.Select(attribute => ((int)attribute.Tag, Encoding.UTF8.GetString(attribute.Name))));
        Assert.Equal([(Convert.ToHexString(_second), 1L << 40)], Lists(read[1].Attributes[1].Value));

        static IEnumerable<(string Id, long Length)> Lists(byte[] value) =>
            IndependentReader.DecodeLongStream(value).Select(list => (Convert.ToHexString(list.Id), list.Length));

        static EntryAttribute Stream(string name, params SliceListReference[] lists) =>
            new ItemContent(Encoding.UTF8.GetBytes(name), new EntryContent([], lists)).ToAttribute();
    }

    [Fact]
    public void The_node_follows_from_the_rules()
    {
        ManifestBlock[] children =
        [
            new(EntryPath.Root, new ChunkId(_first), new ManifestTotals(2, 1, 1, 300)),
            new(EntryPath.Parse("ab"), new ChunkId(_second), new ManifestTotals(2, 1, 0, 5096)),
        ];
        var block = new BlockWriter();
        NodeBlock.Write(block, 1, children);

        byte[] vector = FormatDocument.Hex("node", "block");
        Assert.Equal(Convert.ToHexStringLower(vector), Convert.ToHexStringLower(block.Written.Span));
        Assert.Equal(children, NodeBlock.Read(vector, default, 1, new ManifestTotals(4, 2, 1, 5396)));
        List<(byte[] Path, byte[] Id, ulong[] Totals)> read = IndependentReader.DecodeNode(vector, 1);
        Assert.Equal(["", "ab"], read.Select(child => Encoding.UTF8.GetString(child.Path)));
        Assert.Equal(_second, read[1].Id);
        Assert.Equal([2UL, 1UL, 0UL, 5096UL], read[1].Totals);
    }

    [Fact]
    public void The_slice_list_follows_from_the_rules()
    {
        ContentSlice[] slices =
        [
            new(new ChunkId(_first), 0, 1 << 20),
            new(null, 0, 4096),
            new(new ChunkId(_first), 100, 50),
            new(new ChunkId(_second), 0, 7),
            new(new ChunkId(_first), 150, 8),
            new(new ChunkId(_second), 7, 9),
        ];
        byte[] vector = FormatDocument.Hex("slice list", "block");
        long length = long.Parse(FormatDocument.Raw("slice list", "length"), null);

        Assert.Equal(Convert.ToHexStringLower(vector), Convert.ToHexStringLower(SliceListCodec.Encode(slices).Span));
        Assert.Equal(slices, SliceListCodec.Decode(vector, new SliceListReference(default, length)));
        Assert.Equal(
            slices.Select(slice => (slice.Chunk?.ToString(), slice.Offset, slice.Length)),
            IndependentReader.DecodeSliceList(vector, length).Select(
                slice => (slice.Chunk is null ? null : Convert.ToHexStringLower(slice.Chunk), slice.Offset, slice.Length)));
    }

    [Fact]
    public void The_point_means_what_the_document_says()
    {
        RecoveryPoint point = RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(FormatDocument.Raw("point", "json")), "p");

        Assert.Equal((RecoveryPointStatus.CompletedWithWarnings, "db.example", 1L), (point.Status, point.MachineName, point.SkippedCount));
        Assert.Equal("2026-11-21T04:05:06.1234567Z", point.Started.UtcDateTime.ToString("O", null));
        Assert.Equal(["nightly"], point.Tags);
        Assert.Equal("srv/a\nb"u8.ToArray(), SourcePath.ToTarget(point.Sources[0]).Bytes.ToArray());
        Assert.Equal("a:b.sql", SourcePath.ToTarget(point.Sources[1]).ToString());
        Assert.Equal(new ManifestRoot(new ChunkId(_first), 1, 4, 2, 1, 5396), point.Sources[0].Manifest);
        Assert.Equal((true, "ext4"), (point.Sources[0].IsMountPoint, point.Sources[0].FileSystem));
        Assert.Equal([new ChunkId(_first)], point.SkippedItems);
        Assert.Equivalent(point, RecoveryPointCodec.Decode(RecoveryPointCodec.Encode(point), "p"), strict: true);
    }

    [Fact]
    public void Skipped_items_are_lines_of_JSON()
    {
        var item = new SkippedItem("/srv/a/locked", BackupErrorId.SourceItemUnreadable, "Permission denied.");
        var lines = new ArrayBufferWriter<byte>();
        SkippedItemsCodec.Write(lines, item);

        Assert.Equal(FormatDocument.Raw("skipped items", "line") + "\n", Encoding.UTF8.GetString(lines.WrittenSpan));
        Assert.Equal([item], SkippedItemsCodec.Read(default, lines.WrittenSpan));
    }
}
