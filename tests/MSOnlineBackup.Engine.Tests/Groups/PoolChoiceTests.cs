using MSOnlineBackup.Agent.Groups;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Groups;

public sealed class PoolChoiceTests
{
    // Each place: free of 100, '?' where nobody can say; then 'p' and a digit for its newest point, '!' where it was full, '-' where it is away.
    [Theory]
    [InlineData("50 50", 0, PoolReason.First)]
    [InlineData("4 50", 1, PoolReason.First)]
    [InlineData("5 50", 0, PoolReason.First)]
    [InlineData("50 50p1", 1, PoolReason.Home)]
    [InlineData("50p2 50p1", 0, PoolReason.Home)]
    [InlineData("50p1 50p2", 1, PoolReason.Home)]
    [InlineData("4p1 50", 1, PoolReason.Overflow)]
    [InlineData("50 4p1", 0, PoolReason.Overflow)]
    [InlineData("50 4p1 50", 2, PoolReason.Overflow)]
    [InlineData("50p1! 50", 1, PoolReason.Overflow)]
    [InlineData("50p1! 50! 50", 2, PoolReason.Overflow)]
    [InlineData("50p1! 50!", null, PoolReason.None)]
    [InlineData("4p1 4", 0, PoolReason.AllLow)]
    [InlineData("4 4p1", 1, PoolReason.AllLow)]
    [InlineData("4p1! 4", 1, PoolReason.AllLow)]
    [InlineData("4 4", 0, PoolReason.AllLow)]
    [InlineData("?p1 50", 0, PoolReason.Home)]
    [InlineData("- 50", 1, PoolReason.First)]
    [InlineData("-p1 50", 1, PoolReason.First)]
    [InlineData("50p1 -p2", 0, PoolReason.Home)]
    [InlineData("- -", null, PoolReason.None)]
    [InlineData("0", 0, PoolReason.AllLow)]
    public void A_machine_stays_where_its_points_are_while_there_is_room_and_else_goes_on(string pool, int? index, PoolReason reason)
    {
        PoolDecision decision = PoolChoice.Decide([.. pool.Split(' ').Select((text, number) => Place(text, number))]);

        Assert.Equal((index, reason), (decision.Index, decision.Reason));
    }

    [Fact]
    public void Of_a_disk_that_cannot_be_asked_nobody_knows_better()
    {
        Assert.True(PoolChoice.HasRoom(null, null));
        Assert.True(PoolChoice.HasRoom(1, null));
        Assert.True(PoolChoice.HasRoom(0, 0));
        Assert.False(PoolChoice.HasRoom(long.MaxValue / 100, long.MaxValue));
    }

    private static PoolPlace Place(string text, int number)
    {
        string size = new([.. text.TakeWhile(char.IsAsciiDigit)]);
        int point = text.IndexOf('p', StringComparison.Ordinal);
        return new PoolPlace($"/pool/{number}", size.Length > 0 ? long.Parse(size, null) : null, size.Length > 0 ? 100 : null, point < 0 ? null : text[point + 1].ToString(), text.StartsWith('-'), text.EndsWith('!'));
    }
}
