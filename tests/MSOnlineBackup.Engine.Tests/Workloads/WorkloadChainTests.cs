using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>What full backups and pieces of a log make up together.</summary>
public sealed class WorkloadChainTests
{
    private static readonly DateTimeOffset _start = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_full_backup_is_recovered_from_its_end_to_the_end_of_the_log()
    {
        WorkloadChain chain = Assert.Single(WorkloadChain.Find([Log(3, 2, "C", "D", 30), Full(1, null, "A", 5), Log(2, null, "A", "C", 15)]));

        Assert.Equal([2, 3], chain.Logs.Select(Number));
        Assert.Equal(new WorkloadWindow(At(5), At(30)), chain.Window);
        Assert.Equal(("D", Id(3)), (chain.Next, chain.Last!.Value));
    }

    [Fact]
    public void Without_the_log_after_it_a_full_backup_is_nothing_yet()
    {
        WorkloadChain chain = Assert.Single(WorkloadChain.Find([Full(1, null, "A", 5)]));

        Assert.Null(chain.Window);
        Assert.Equal(("A", (SessionId?)null), (chain.Next, chain.Last));
        Assert.Null(WorkloadChain.Choose([chain], At(5)));
        Assert.Null(WorkloadChain.Choose([chain], null));
    }

    [Fact]
    public void A_new_full_backup_ends_no_window()
    {
        IReadOnlyList<WorkloadChain> chains = WorkloadChain.Find([Full(1, null, "A", 5), Log(2, null, "A", "C", 15), Full(3, 2, "C", 25), Log(4, 2, "C", "E", 30)]);

        Assert.Equal([[2, 4], [4]], chains.Select(each => each.Logs.Select(Number)));
        Assert.Equal(new WorkloadWindow(At(5), At(30)), Assert.Single(WorkloadChain.WindowsOf(chains)));
        Assert.Equal((1, "2,4"), Way(chains, At(20)));
        Assert.Equal((1, "2"), Way(chains, At(15)));
        Assert.Equal((3, "4"), Way(chains, At(25)));
        Assert.Equal((3, "4"), Way(chains, null));
        Assert.Null(WorkloadChain.Choose(chains, At(4)));
        Assert.Null(WorkloadChain.Choose(chains, At(31)));
    }

    [Fact]
    public void A_new_stream_is_a_window_of_its_own()
    {
        IReadOnlyList<WorkloadChain> chains = WorkloadChain.Find(
            [Full(1, null, "A", 5), Log(2, null, "A", "C", 15), Full(3, null, "X", 45, stream: "t"), Log(4, null, "X", "Y", 60, stream: "t")]);

        Assert.Equal([new(At(5), At(15)), new(At(45), At(60))], WorkloadChain.WindowsOf(chains));
        Assert.Null(WorkloadChain.Choose(chains, At(30)));
    }

    [Theory]
    [InlineData("position")]
    [InlineData("system")]
    [InlineData("timeline")]
    [InlineData("layout")]
    [InlineData("missing")]
    [InlineData("earlier")]
    public void A_log_that_does_not_follow_is_not_counted_on(string what)
    {
        WorkloadLink third = Log(4, 3, "D", "E", 45);
        third = third with
        {
            Point = what switch
            {
                "position" => third.Point with { Start = "C" },
                "system" => third.Point with { System = "2" },
                "timeline" => third.Point with { Timeline = "2" },
                "layout" => third.Point with { Layout = "m" },
                "missing" => third.Point with { Previous = Id(9) },
                _ => third.Point with { Previous = Id(4) },
            },
        };

        WorkloadChain chain = Assert.Single(WorkloadChain.Find([Full(1, null, "A", 5), Log(2, null, "A", "C", 15), Log(3, 2, "C", "D", 30), third]));

        Assert.Equal([2, 3], chain.Logs.Select(Number));
    }

    [Fact]
    public void A_log_that_was_made_before_a_full_backup_was_through_does_not_make_it_whole() =>
        Assert.Null(Assert.Single(WorkloadChain.Find([Full(1, null, "A", 20), Log(2, null, "A", "C", 15)])).Window);

    [Fact]
    public void What_is_kept_needs_the_full_backup_before_it_and_all_log_between()
    {
        WorkloadLink[] all =
        [
            Full(1, null, "A", 5), Log(2, null, "A", "B", 15), Log(3, 2, "B", "C", 30), Log(4, 3, "C", "D", 45),
            Full(5, 4, "D", 50), Log(6, 4, "D", "E", 60), Log(7, 6, "E", "F", 75),
        ];

        Assert.Equal([1, 2], Needed(all, 3));
        Assert.Equal([5, 6], Needed(all, 7));
        Assert.Equal([6], Needed(all, 5));
        Assert.Equal([1, 2, 5, 6], Needed(all, 3, 7));
        Assert.Equal([2], Needed(all, 1));

        // The first piece after the second full backup is recovered from that one.
        Assert.Equal([5], Needed(all, 6));
        Assert.Empty(Needed(all));
    }

    [Fact]
    public void Whatever_is_kept_can_be_recovered_from()
    {
        var random = new Random(20261130);
        for (int round = 0; round < 200; round++)
        {
            List<WorkloadLink> all = [Full(1, null, "0", 1)];
            int? last = null;
            int position = 0;
            for (int number = 2; number < 30; number++)
            {
                if (random.Next(6) == 0)
                {
                    all.Add(Full(number, last, $"{position}", number));
                    continue;
                }

                all.Add(Log(number, last, $"{position}", $"{++position}", number));
                last = number;
            }

            HashSet<SessionId> kept = [.. all.Where(_ => random.Next(4) == 0).Select(link => link.Id)];
            HashSet<SessionId> stay = [.. kept, .. WorkloadChain.NeededBy(all, kept)];
            IReadOnlyList<WorkloadChain> whole = WorkloadChain.Find(all);
            IReadOnlyList<WorkloadChain> left = WorkloadChain.Find(all.Where(link => stay.Contains(link.Id)));
            foreach (WorkloadLink log in all.Where(link => kept.Contains(link.Id) && !link.Point.IsFull && WorkloadChain.Choose(whole, link.Point.To) is not null))
            {
                Assert.NotNull(WorkloadChain.Choose(left, log.Point.To));
            }
        }
    }

    private static (int Full, string Logs) Way(IReadOnlyList<WorkloadChain> chains, DateTimeOffset? moment)
    {
        WorkloadChain way = WorkloadChain.Choose(chains, moment)!;
        return (Number(way.Full), string.Join(',', way.Logs.Select(Number)));
    }

    private static IEnumerable<int> Needed(WorkloadLink[] all, params int[] kept) =>
        WorkloadChain.NeededBy(all, kept.Select(Id).ToHashSet()).Select(id => Convert.ToInt32(id.ToString()[^4..], 16)).Order();

    private static int Number(WorkloadLink link) => Convert.ToInt32(link.Id.ToString()[^4..], 16);

    private static SessionId Id(int number) => SessionId.Parse($"{number:x32}");

    private static DateTimeOffset At(int minute) => _start.AddMinutes(minute);

    internal static WorkloadLink Full(int number, int? previous, string start, int minute, string stream = "s") => new(Id(number), new WorkloadPoint
    {
        Name = "pg1", Kind = WorkloadKind.PostgreSql, IsFull = true, Stream = stream, System = "1", Timeline = "1", Layout = "l",
        Start = start, End = start, LogStart = start, From = At(minute - 1), To = At(minute), Previous = previous is { } id ? Id(id) : null,
    });

    internal static WorkloadLink Log(int number, int? previous, string start, string end, int minute, string stream = "s") => new(Id(number), new WorkloadPoint
    {
        Name = "pg1", Kind = WorkloadKind.PostgreSql, Stream = stream, System = "1", Timeline = "1", Layout = "l",
        Start = start, End = end, From = At(minute - 1), To = At(minute), Previous = previous is { } id ? Id(id) : null,
    });
}
