using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class LeafBlockTests
{
    private static readonly ChunkId _id = Manifests.Chunk(7);

    [Fact]
    public void Entries_of_every_kind_round_trip()
    {
        Prop.ForAll<int>(seed =>
        {
            List<ManifestEntry> entries = Manifests.RandomTree(seed, 300);
            Manifests.AssertSame(entries, Decode(Encode(entries)));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_test_vector_of_the_format_document_holds()
    {
        ManifestEntry[] entries =
        [
            new()
            {
                Path = EntryPath.Root, Kind = EntryKind.Directory,
                Metadata = new() { Mode = 0x1ed, UserId = 1000, GroupId = 1000, Modified = new(1000), Changed = new(1000), Created = new(900, 5), FileId = 2 },
            },
            new()
            {
                Path = Manifests.Path("a"), Kind = EntryKind.File, Size = 300,
                Metadata = new() { Mode = 0x1a4, UserId = 1000, GroupId = 1000, Modified = new(-2, 999_999_999), Changed = new(2100), FileId = 5 },
                Content = new([new(Chunk(), 0, 300)], []),
            },
            new()
            {
                Path = Manifests.Path("ab"), Kind = EntryKind.File, Size = 5096, Flags = EntryFlags.ChangedWhileRead,
                Metadata =
                    new() { Mode = 0x1a4, UserId = 1000, GroupId = 1000, Modified = new(2000), Changed = new(2000), FileId = 4, LinkCount = 2, DeviceId = 9 },
                Content = new([new(Chunk(), 300, 1000), new(null, 0, 4096)], []),
            },
            new()
            {
                Path = Manifests.Path("l"), Kind = EntryKind.SymbolicLink, LinkTarget = "ab"u8.ToArray(),
                Metadata = new() { Mode = 0x1ff, UserId = 1000, GroupId = 1000, Modified = new(2000), Changed = new(2000), FileId = 6 },
                Attributes = [new(AttributeTag.ExtendedAttribute, "user.x"u8.ToArray(), "1"u8.ToArray())],
            },
        ];

        byte[] block = Encode(entries);

        Assert.Equal(VaultFormat.FormatDocument.Raw("leaf", "block"), Convert.ToHexStringLower(block));
        Manifests.AssertSame(entries, Decode(block));

        static ChunkId Chunk() => new([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    }

    [Fact]
    public void What_a_later_version_wrote_is_listed_and_kept_and_the_entries_around_it_are_read()
    {
        byte[] block = VaultFormat.FormatDocument.Hex("later leaf", "block");

        List<ManifestEntry> entries = Decode(block);

        Assert.Equal(["", "a", "b", "c"], entries.Select(entry => entry.Path.ToString()));
        Assert.Equal((EntryKind)9, entries[1].Kind);
        Assert.Equal((EntryFlags)(1 << 7) | EntryFlags.Racy, entries[1].Flags);
        Assert.Equal([(14, "01"), (31, "0203")], entries[2].UnknownFields.Select(field => (field.Bit, Convert.ToHexString(field.Value.Span))));
        Assert.Equal([(40, "04")], entries[3].UnknownFields.Select(field => (field.Bit, Convert.ToHexString(field.Value.Span))));
        Assert.Equal([true, false, true, false], entries.Select(entry => entry.IsUnderstood));
        Assert.Equal([0, 0, 4, 4], entries.Select(entry => (int)entry.Size));

        // A writer that carries entries over loses nothing of them.
        Assert.Equal(Convert.ToHexString(block), Convert.ToHexString(Encode(entries)));
    }

    [Fact]
    public void A_small_file_of_a_bundle_costs_three_bytes_of_content()
    {
        ManifestEntry[] entries = [.. Enumerable.Range(0, 1000).Select(i =>
            Manifests.File($"f{i:d4}", new ContentSlice(Manifests.Chunk(1), i * 1000, 1000)))];
        ManifestEntry[] empty = [.. entries.Select(entry => entry with { Size = 0, Content = EntryContent.Empty })];

        int cost = Encode(entries).Length - Encode(empty).Length;

        Assert.InRange(cost, 0, (4 * 1000) + 32);
    }

    [Fact]
    public void A_mutated_block_decodes_to_legal_entries_or_names_itself()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            byte[] block = Encode(Manifests.RandomTree(seed, 60));
            for (int round = 0; round < 40; round++)
            {
                byte[] mutated = Mutate(random, block);
                try
                {
                    AssertLegal(Decode(mutated));
                }
                catch (BackupException fault)
                {
                    Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
                    Assert.Contains(_id.ToString(), fault.Message, StringComparison.Ordinal);
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("", "no bytes")]
    [InlineData("02", "version")]
    [InlineData("01 00 01 2e 01 00", "the name .")]
    [InlineData("01 00 02 2e2e 01 00", "the name ..")]
    [InlineData("01 00 02 2f61 01 00", "an absolute path")]
    [InlineData("01 00 02 612f 01 00", "a path that ends in /")]
    [InlineData("01 00 04 612f2f62 01 00", "an empty name")]
    [InlineData("01 00 01 00 01 00", "NUL")]
    [InlineData("01 00 01 62 01 00 00 01 61 01 00", "descending names")]
    [InlineData("01 00 01 61 01 00 01 00 01 00", "the same name twice")]
    [InlineData("01 00 01 61 01 00 00 01 61 01 00", "the same name twice, not shared")]
    [InlineData("01 00 02 6162 01 00 01 02 2f2e 01 00", "a descending path with . below")]
    [InlineData("01 00 01 61 01 00 01 03 2f2e2e 01 00", "the name .. below a folder")]
    [InlineData("01 01 01 61 01 00", "a shared part that is not there")]
    [InlineData("01 00 ffffffffff7f 61 01 00", "an absurd path length")]
    [InlineData("01 00 01 61 00 00", "kind 0")]
    [InlineData("01 00 01 61 01 808001", "an unknown field that is not there")]
    [InlineData("01 00 01 61 01 808001 05 00", "an unknown field that is longer than the block")]
    [InlineData("01 00 01 61 01 01 8020", "a mode beyond 12 bits")]
    [InlineData("01 00 01 61 01 8001 ffffffff1f", "an owner beyond 32 bits")]
    [InlineData("01 00 01 61 01 20 00", "no slices")]
    [InlineData("01 00 01 61 01 20 8204 00 01", "more slices than fit inline")]
    [InlineData("01 00 01 61 01 20 ffffffffffffffffff01 00 01", "absurdly many slice lists")]
    [InlineData("01 00 01 61 01 20 02 00 00", "an empty slice")]
    [InlineData("01 00 01 61 01 20 02 05 01", "a slice of a chunk that was not named")]
    [InlineData("01 00 01 61 01 20 04 00 ffffffffffffffff7f 00 01", "sizes that overflow")]
    [InlineData("01 00 01 61 02 20 02 00 01", "a folder with content")]
    [InlineData("01 00 01 61 01 8020 01 62", "a link target of a file")]
    [InlineData("01 00 01 61 03 8020 02 6200", "a link target with NUL")]
    [InlineData("01 00 01 61 01 40 ffffffff0f", "absurdly many attributes")]
    [InlineData("01 00 01 61 01 40 01 01 ffffffff07 61", "an absurdly long attribute")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 01 00", "a long stream without lists")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 00", "a long stream without a value")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 04 ffffffff", "a long stream with absurdly many lists")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 05 8180040000", "a long stream with more lists than there may be")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 22 01 0000000000000000000000000000000000000000000000000000000000000000 00", "a long stream with an empty list")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 21 01 0000000000000000000000000000000000000000000000000000000000000000", "a long stream whose list has no length")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 23 01 0000000000000000000000000000000000000000000000000000000000000000 01 00", "a long stream that goes on behind its lists")]
    [InlineData("01 00 01 61 02 40 01 09 00 22 01 0000000000000000000000000000000000000000000000000000000000000000 01", "a long stream without a name")]
    [InlineData("01 00 01 61 01 40 01 09 01 73 4b 02 0000000000000000000000000000000000000000000000000000000000000000 ffffffffffffffff7f 0000000000000000000000000000000000000000000000000000000000000000 01", "a long stream whose length overflows")]
    [InlineData("01 00 01 61 01 8040 05", "a size that does not fit the content")]
    [InlineData("01 00 01 61 01 8100", "a number that is not in its shortest form")]
    [InlineData("01 00 01 61 01 02 ffffffffffffffffffff01", "a number beyond 64 bits")]
    [InlineData("01 00 01 61 01 02 00 01", "a negative number of nanoseconds")]
    [InlineData("01 00 01 61 01 02 00 80a8d6b907", "a whole second of nanoseconds")]
    [InlineData("01 00 01 61 8080808080808001 00", "more flags than there can be")]
    [InlineData("01 00 01 61", "the end inside an entry")]
    public void What_no_writer_writes_is_refused(string hex, string because)
    {
        BackupException fault = Assert.Throws<BackupException>(() => Decode(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

        Assert.True(fault.Id == BackupErrorId.VaultDataCorrupt, because);
        Assert.Equal(_id.ToString(), fault.Target);
    }

    [Fact]
    public void A_block_that_is_too_large_is_not_looked_at()
    {
        byte[] block = new byte[ManifestFormat.MaxBlockBytes + 1];
        block[0] = ManifestFormat.Version;

        Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Throws<BackupException>(() => new LeafReader(_id, block)).Id);
    }

    [Fact]
    public void What_could_not_be_read_again_is_never_written()
    {
        ManifestEntry file = Manifests.File("a", new ContentSlice(Manifests.Chunk(1), 0, 10));
        ManifestEntry[] broken =
        [
            file with { Size = 11 },
            file with { Path = Manifests.Path("../a") },
            file with { Path = Manifests.Path("/a") },
            file with { Path = new EntryPath(new byte[70_000]) },
            file with { Kind = EntryKind.Directory },
            file with { Kind = 0 },
            file with { Kind = (EntryKind)32 },
            file with { UnknownFields = [new UnknownField(13, default)] },
            file with { UnknownFields = [new UnknownField(64, default)] },
            file with { UnknownFields = [new UnknownField(20, default), new UnknownField(20, default)] },
            file with { UnknownFields = [new UnknownField(14, new byte[ManifestFormat.MaxUnknownBytes + 1])] },
            file with { LinkTarget = "x"u8.ToArray() },
            file with { Metadata = file.Metadata with { Mode = 0x1000 } },
            file with { Content = new EntryContent([new ContentSlice(Manifests.Chunk(1), 0, 0)], []), Size = 0 },
            file with { Content = new EntryContent([new ContentSlice(Manifests.Chunk(1), int.MaxValue, 10)], []) },
            file with { Attributes = [new EntryAttribute(AttributeTag.LongStream, "s"u8.ToArray(), default)] },
            file with { Attributes = [new ItemContent(default, new EntryContent([], [new SliceListReference(Manifests.Chunk(1), 5)])).ToAttribute()] },
            file with { Attributes = [new ItemContent("s"u8.ToArray(), new EntryContent([], [new SliceListReference(Manifests.Chunk(1), 0)])).ToAttribute()] },
            file with { Attributes = [new EntryAttribute(AttributeTag.NamedStream, default, new byte[ManifestFormat.MaxAttributeBytes + 1])] },
        ];

        Assert.All(broken, entry => Assert.Throws<InvalidOperationException>(() => Encode([entry])));
    }

    [Fact]
    public void Large_attributes_fit_a_block()
    {
        ManifestEntry file = Manifests.File("a") with
        {
            Attributes = [new EntryAttribute(AttributeTag.ExtendedAttribute, "user.big"u8.ToArray(), new byte[1 << 20])],
        };

        Manifests.AssertSame([file], Decode(Encode([file])));
    }

    private static byte[] Encode(IEnumerable<ManifestEntry> entries)
    {
        var encoder = new LeafEncoder();
        foreach (ManifestEntry entry in entries)
        {
            encoder.Add(entry);
        }

        return encoder.Block.ToArray();
    }

    private static List<ManifestEntry> Decode(byte[] block)
    {
        var reader = new LeafReader(_id, block);
        var entries = new List<ManifestEntry>();
        while (reader.MoveNext())
        {
            entries.Add(reader.ToEntry());
        }

        return entries;
    }

    private static void AssertLegal(List<ManifestEntry> entries)
    {
        for (int i = 0; i < entries.Count; i++)
        {
            ManifestEntry entry = entries[i];
            Assert.True(EntryPath.IsValid(entry.Path.Bytes));
            Assert.True(i == 0 || entry.Path > entries[i - 1].Path);
            Assert.True(entry.Kind is > EntryKind.Unknown and < (EntryKind)32 && entry.Size >= 0);
        }

        // Whatever was accepted can be written again and reads the same.
        Manifests.AssertSame(entries, Decode(Encode(entries)));
    }

    private static byte[] Mutate(Random random, byte[] block)
    {
        byte[] mutated = [.. block];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(mutated.Length);
            switch (random.Next(4))
            {
                case 0:
                    mutated[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    mutated[at] = (byte)random.Next(256);
                    break;
                case 2:
                    mutated = [.. mutated[..at], .. mutated[Math.Min(mutated.Length, at + random.Next(1, 9))..], 0];
                    break;
                default:
                    mutated = [.. mutated[..at], (byte)random.Next(256), .. mutated[at..]];
                    break;
            }
        }

        return mutated;
    }
}
