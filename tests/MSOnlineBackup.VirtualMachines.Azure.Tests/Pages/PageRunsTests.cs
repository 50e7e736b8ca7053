using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.VirtualMachines.Azure.Pages;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests.Pages;

public sealed class PageRunsTests
{
    private const int End = 60;

    private static Gen<PageRuns> Some => Gen.Choose(0, End).Two().Select(pair => ((long)Math.Min(pair.Item1, pair.Item2), (long)Math.Max(pair.Item1, pair.Item2))).ArrayOf().Select(PageRuns.Of);

    [Fact]
    public void They_are_what_sets_of_bytes_are() => Prop.ForAll(Arb.From(Some.Two()), pair =>
    {
        (PageRuns one, PageRuns two) = pair;
        Assert.Equal(Set(one).Union(Set(two)).Order(), Set(one.With(two)));
        Assert.Equal(Set(one).Except(Set(two)).Order(), Set(one.Without(two)));
        Assert.Equal(Set(one).Intersect(Set(two)).Order(), Set(one.Within(two)));
        Assert.Equal(Set(one).Select(at => at / 8).Distinct().SelectMany(block => Enumerable.Range((int)block * 8, 8)).Where(at => at < End).Select(at => (long)at), Set(one.Widened(8, End)));
        Assert.Equal(Set(one).Length, one.Bytes);
        Assert.All(one.With(two).Runs.Zip(one.With(two).Runs.Skip(1)), both => Assert.True(both.First.End < both.Second.Start));
        for (long at = 0; at <= End; at++)
        {
            long[] rest = [.. Set(one).Where(each => each >= at)];
            (long Start, long End)? found = one.From(at);
            Assert.Equal(rest.Length == 0 ? null : rest[0], found?.Start);
            Assert.True(found is null || (rest.Contains(found.Value.End - 1) && !rest.Contains(found.Value.End)));
        }
    }).QuickCheckThrowOnFailure();

    private static long[] Set(PageRuns runs) => [.. runs.Runs.SelectMany(run => Enumerable.Range((int)run.Start, (int)(run.End - run.Start)).Select(at => (long)at))];
}
