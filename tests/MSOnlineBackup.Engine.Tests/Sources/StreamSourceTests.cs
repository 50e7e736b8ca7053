using System.Text;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

public sealed class StreamSourceTests
{
    [Fact]
    public void A_stream_is_a_tree_of_one_file_whose_size_is_known_at_its_end()
    {
        using var stream = new MemoryStream("the dump"u8.ToArray());
        using var source = new StreamSource("dump.sql", stream, new FixedTime());

        Assert.Equal("dump.sql", Encoding.UTF8.GetString(source.RootPath.Span));
        SourceItem item = Assert.Single(source.Walk(TestContext.Current.CancellationToken));
        Assert.True(item.Entry.Path.IsRoot);
        Assert.Equal((EntryKind.File, 0L, 0x180u), (item.Entry.Kind, item.Entry.Size, item.Entry.Metadata.Mode));
        Assert.Equal(new ItemTime(1_500_000_000), item.Entry.Metadata.Modified);

        using ISourceFile file = item.Open();
        Assert.True(file.TryGetDataRun(0, out long start, out long length));
        Assert.Equal((0, long.MaxValue), (start, length));
        byte[] buffer = new byte[5];
        Assert.Equal(5, file.Read(0, buffer));
        Assert.Equal(3, file.Read(5, buffer));
        Assert.Equal(0, file.Read(8, buffer));
        Assert.Equal(8, file.Stat().Size);
    }

    [Fact]
    public void An_input_that_breaks_off_fails_the_source()
    {
        using var stream = new BrokenStream();
        using var source = new StreamSource("dump", stream, new FixedTime());
        using ISourceFile file = Assert.Single(source.Walk(TestContext.Current.CancellationToken)).Open();

        var failure = Assert.Throws<BackupException>(() => file.Read(0, new byte[1]));
        Assert.Equal(BackupErrorId.SourceUnreadable, failure.Id);
        Assert.Contains("dump", failure.Message, StringComparison.Ordinal);
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeSeconds(1_500_000_000);
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw new IOException("The pipe broke.");
    }
}
