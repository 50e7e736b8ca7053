using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Index;

public class IndexRunTests
{
    [Fact]
    public void The_lower_bound_is_what_a_linear_search_finds_however_ids_are_spread()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            int count = random.Next(400);
            var spread = (Spread)random.Next(Enum.GetValues<Spread>().Length);
            ChunkId[] ids = [.. Enumerable.Range(0, count).Select(_ => MakeId(random, spread)).Order()];
            IndexRun run = RunOf(ids);
            for (int i = 0; i < 50; i++)
            {
                ChunkId wanted = count > 0 && random.Next(2) == 0 ? ids[random.Next(count)] : MakeId(random, (Spread)random.Next(4));
                int expected = Array.FindIndex(ids, id => id >= wanted);

                Assert.Equal(expected < 0 ? count : expected, run.LowerBound(wanted));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Merged_runs_hold_all_records_in_order()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            ChunkId[] left = [.. Enumerable.Range(0, random.Next(50)).Select(_ => MakeId(random, Spread.FewValues)).Order()];
            ChunkId[] right = [.. Enumerable.Range(0, random.Next(50)).Select(_ => MakeId(random, Spread.FewValues)).Order()];

            var merged = MemoryRun.Merge(RunOf(left), RunOf(right));

            Assert.Equal(left.Concat(right).Order(), Enumerable.Range(0, merged.Count).Select(i => merged.Get(i, out _).Id));
        }).QuickCheckThrowOnFailure();
    }

    private enum Spread
    {
        Even,
        FewValues,
        OnePrefix,
        Edges,
    }

    private static ChunkId MakeId(Random random, Spread spread)
    {
        byte[] id = new byte[ChunkId.Length];
        switch (spread)
        {
            case Spread.Even:
                random.NextBytes(id);
                break;
            case Spread.FewValues:
                id[0] = (byte)(random.Next(4) * 85);
                break;
            case Spread.OnePrefix:
                Array.Fill(id, (byte)0x77, 0, 8);
                random.NextBytes(id.AsSpan(8));
                break;
            case Spread.Edges:
                Array.Fill(id, random.Next(2) == 0 ? (byte)0 : (byte)255);
                id[random.Next(ChunkId.Length)] = (byte)random.Next(256);
                break;
        }

        return new ChunkId(id);
    }

    private static MemoryRun RunOf(ChunkId[] ids)
    {
        byte[] records = new byte[ids.Length * IndexSegment.RecordLength];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i].CopyTo(records.AsSpan(i * IndexSegment.RecordLength));
        }

        return new MemoryRun(records);
    }
}
