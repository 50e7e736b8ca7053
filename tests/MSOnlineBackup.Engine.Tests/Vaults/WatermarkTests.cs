using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class WatermarkTests
{
    [Fact]
    public void A_waiter_is_told_exactly_when_all_that_had_begun_before_it_has_ended()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var watermark = new Watermark();
            var open = new List<long>();
            var waiters = new List<(Task Reached, HashSet<long> Open)>();
            for (int step = 0; step < 100; step++)
            {
                switch (random.Next(3))
                {
                    case 0:
                        open.Add(watermark.Begin());
                        break;
                    case 1 when open.Count > 0:
                        long ticket = open[random.Next(open.Count)];
                        open.Remove(ticket);
                        watermark.End(ticket);
                        break;
                    default:
                        waiters.Add((watermark.WhenEndedAsync(), [.. open]));
                        break;
                }

                Assert.All(waiters, waiter => Assert.Equal(!waiter.Open.Overlaps(open), waiter.Reached.IsCompletedSuccessfully));
            }
        }).QuickCheckThrowOnFailure();
    }
}
