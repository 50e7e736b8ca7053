using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.VirtualMachines.Changes;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Changes;

public sealed class ChangeRecordTests
{
    private const string Digits = "01908f3b7c5a7d1e8f00aabbccddeeff";

    [Fact]
    public void Its_name_has_the_session_the_size_and_a_mark_of_the_disk()
    {
        var record = new ChangeRecord(SessionId.Parse(Digits), 1L << 40, ChangeRecord.MarkOf("vda"));

        Assert.Equal($"obengine-{Digits}-1099511627776-{ChangeRecord.MarkOf("vda")}", record.Name);
        Assert.NotEqual(ChangeRecord.MarkOf("vda"), ChangeRecord.MarkOf("vdb"));
        Assert.Equal(record, ChangeRecord.Parse(record.Name));
    }

    [Theory]
    [InlineData("theirs")]
    [InlineData("obengine-new-0")]
    [InlineData("obengine-read-0")]
    [InlineData($"obengine-{Digits}")]
    [InlineData($"obengine-{Digits}-5")]
    [InlineData($"obengine-{Digits}-5-0123456789ABCDEF")]
    [InlineData($"obengine-{Digits}-")]
    [InlineData($"obengine-{Digits}--5")]
    [InlineData($"obengine-{Digits}-5-5")]
    [InlineData($"obengine-{Digits}-99999999999999999999-0123456789abcdef")]
    [InlineData($"other-{Digits}-5-0123456789abcdef")]
    public void Another_name_is_none_of_a_record(string name) => Assert.Null(ChangeRecord.Parse(name));

    [Theory]
    [InlineData(100, "10+5,90+10", "10+5,90+10")]
    [InlineData(120, "10+5,90+10", "10+5,90+30")]
    [InlineData(120, "10+5", "10+5,100+20")]
    [InlineData(120, "90+28", "90+30")]
    [InlineData(120, "100+20", "100+20")]
    [InlineData(100, "", "")]
    public void What_the_disk_has_grown_by_is_new(long length, string dirty, string changed)
    {
        DiskChanges changes = new ChangeRecord(SessionId.Parse(Digits), 100, ChangeRecord.MarkOf("vda")).ToChanges(Runs(dirty), length);

        Assert.Equal(Digits, changes.Since.ToString());
        Assert.Equal(Runs(changed), changes.Extents);
    }

    private static (long, long)[] Runs(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(run => run.Split('+')).Select(run => (long.Parse(run[0], null), long.Parse(run[1], null)))];
}
