using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class EntryContentTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(2049)]
    [InlineData(9000)]
    public async Task Slices_round_trip_inline_or_in_lists(int count)
    {
        var chunks = new MemoryChunks();
        List<ContentSlice> slices = Slices(count);

        EntryContent content = await WriteAsync(chunks, slices);

        Assert.Equal(slices, await new EntryContentReader(chunks).ReadAsync(content, Cancel).ToListAsync(Cancel));
        Assert.Equal(count > EntryContent.MaxInlineSlices, content.Lists.Count > 0);
        Assert.Equal(slices.Sum(s => s.Length), content.Slices.Sum(s => s.Length) + content.Lists.Sum(l => l.Length));
    }

    [Fact]
    public async Task An_edit_in_a_huge_file_keeps_the_lists_before_and_after_it()
    {
        List<ContentSlice> slices = Slices(30_000);
        EntryContent before = await WriteAsync(new MemoryChunks(), slices);
        slices.Insert(15_000, new ContentSlice(Chunk(-1), 0, 7));

        EntryContent after = await WriteAsync(new MemoryChunks(), slices);

        Assert.InRange(after.Lists.Except(before.Lists).Count(), 1, 3);
    }

    [Fact]
    public async Task A_hole_after_a_hole_is_one_hole()
    {
        EntryContent content = await WriteAsync(new MemoryChunks(), [new(null, 0, 10), new(null, 0, 20)]);

        Assert.Equal([new ContentSlice(null, 0, 30)], content.Slices);
    }

    [Theory]
    [InlineData("", "no bytes")]
    [InlineData("02 00 0a", "version")]
    [InlineData("01 00 09", "a byte less than the file has")]
    [InlineData("01 00 0b", "a byte more than the file has")]
    [InlineData("01 00 0a 00 00", "an empty slice")]
    [InlineData("01 07 0a", "an unknown chunk")]
    [InlineData("01 00", "no length")]
    public void A_list_that_does_not_fit_its_file_is_refused(string hex, string because)
    {
        byte[] block = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

        BackupException fault = Assert.Throws<BackupException>(() => SliceListCodec.Decode(block, new SliceListReference(Chunk(1), 10)));

        Assert.True(fault.Id == BackupErrorId.VaultDataCorrupt, because);
    }

    [Fact]
    public void A_mutated_list_decodes_to_what_its_file_has_or_names_itself()
    {
        List<ContentSlice> slices = Slices(40);
        byte[] block = SliceListCodec.Encode(slices).ToArray();
        var reference = new SliceListReference(Chunk(1), slices.Sum(slice => slice.Length));
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            byte[] mutated = [.. block];
            mutated[random.Next(mutated.Length)] ^= (byte)random.Next(1, 256);
            try
            {
                IReadOnlyList<ContentSlice> decoded = SliceListCodec.Decode(mutated, reference);
                Assert.Equal(reference.Length, decoded.Sum(slice => slice.Length));
                Assert.All(decoded, slice => Assert.True(slice is { Length: > 0, Offset: >= 0 }));
            }
            catch (BackupException fault)
            {
                Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Lists_that_are_named_again_are_those_that_their_slices_would_give()
    {
        Prop.ForAll<int>(async seed =>
        {
            var random = new Random(seed);
            var chunks = new MemoryChunks();
            List<ContentSlice> before = Slices(random.Next(300, 9000), random);
            EntryContent known = await WriteAsync(chunks, before);
            var expected = new EntryContentWriter(new MemoryChunks());
            var writer = new EntryContentWriter(chunks);
            if (random.Next(2) == 0)
            {
                await AddAsync(new ContentSlice(random.Next(2) == 0 ? null : Chunk(-1), 0, 5));
            }

            foreach (SliceListReference list in known.Lists)
            {
                IReadOnlyList<ContentSlice> slices = await new EntryContentReader(chunks).ReadListAsync(list, Cancel);
                switch (random.Next(4))
                {
                    case 0:
                        foreach (ContentSlice slice in slices.Skip(random.Next(3)))
                        {
                            await AddAsync(slice);
                        }

                        break;
                    default:
                        await writer.AddListAsync(list, slices, Cancel);
                        foreach (ContentSlice slice in slices)
                        {
                            await expected.AddAsync(slice, Cancel);
                        }

                        break;
                }

                if (random.Next(3) == 0)
                {
                    Assert.Equal((await expected.ToContentAsync(Cancel)).Lists, (await writer.ToContentAsync(Cancel)).Lists);
                }
            }

            EntryContent one = await expected.ToContentAsync(Cancel);
            EntryContent other = await writer.ToContentAsync(Cancel);
            Assert.Equal(one.Lists, other.Lists);
            Assert.Equal(one.Slices, other.Slices);

            async Task AddAsync(ContentSlice slice)
            {
                await expected.AddAsync(slice, Cancel);
                await writer.AddAsync(slice, Cancel);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    private static List<ContentSlice> Slices(int count, Random random) =>
        [.. Enumerable.Range(0, count).Select(i => i % 7 == 3 ? new ContentSlice(null, 0, i + 1) : new ContentSlice(Chunk(random.Next()), 0, 1_000_000 + i))];

    private static List<ContentSlice> Slices(int count) =>
        [.. Enumerable.Range(0, count).Select(i => i % 7 == 3 ? new ContentSlice(null, 0, i + 1) : new ContentSlice(Chunk(i), 0, 1_000_000 + i))];

    private static async Task<EntryContent> WriteAsync(MemoryChunks chunks, List<ContentSlice> slices)
    {
        var writer = new EntryContentWriter(chunks);
        foreach (ContentSlice slice in slices)
        {
            await writer.AddAsync(slice, Cancel);
        }

        return await writer.ToContentAsync(Cancel);
    }
}
