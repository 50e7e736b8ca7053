using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Retention;

public sealed class RetentionTagTests
{
    [Fact]
    public void A_tag_reads_as_documented()
    {
        var tag = new RetentionTag(PolicyKind.Files, RetentionKind.Weekly, new DateTimeOffset(2027, 2, 20, 22, 0, 0, TimeSpan.FromHours(1)));
        Assert.Equal("retain:files:weekly:2027-02-20T21:00:00Z", tag.ToString());
    }

    [Fact]
    public void Every_tag_is_read_as_it_was_written()
    {
        Gen<RetentionTag> tags =
            from policy in Gen.Elements(Enum.GetValues<PolicyKind>())
            from kind in Gen.Elements(Enum.GetValues<RetentionKind>())
            from day in Gen.Choose(0, 3_652_058)
            from second in Gen.Choose(0, 86_399)
            select new RetentionTag(policy, kind, DateTimeOffset.MinValue.AddDays(day).AddSeconds(second));

        Prop.ForAll(tags.ToArbitrary(), tag => RetentionTag.TryParse(tag.ToString(), out RetentionTag? read) && read == tag).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("before-upgrade", false)]
    [InlineData("Retain:files:daily:2027-02-20T21:00:00Z", false)]
    [InlineData("retain:", true)]
    [InlineData("retain:files:hourly:2027-02-20T21:00:00Z", true)]
    [InlineData("retain:disks:daily:2027-02-20T21:00:00Z", true)]
    [InlineData("retain:files:daily:2027-02-29T21:00:00Z", true)]
    [InlineData("retain:files:daily:2027-02-20T21:00:00+01:00", true)]
    [InlineData("retain:files:daily:2027-02-20", true)]
    [InlineData("retain:files:daily:2027-02-20T21:00:00Z:x", true)]
    public void What_is_no_legible_tag_is_not_read(string text, bool claims)
    {
        Assert.False(RetentionTag.TryParse(text, out _));
        Assert.Equal(claims, RetentionTag.Claims(text));
    }
}
