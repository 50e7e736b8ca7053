using System.IO.Pipes;
using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Host.Producers;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests.Producers;

public sealed class ProducerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_program_prints_is_the_source()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses programs of Unix.");
        using Producer producer = Producer.Start(["printf", "%s", "a b"], Stop);

        Assert.Equal("a b", await ReadAsync(producer.ToSource("x")));
    }

    [Fact]
    public async Task A_program_reads_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses programs of Unix.");
        using Producer producer = Producer.Start(["cat"], Stop);

        Assert.Equal("", await ReadAsync(producer.ToSource("x")));
    }

    [Fact]
    public async Task A_status_other_than_0_fails_with_the_program_and_the_status()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses programs of Unix.");
        using Producer producer = Producer.Start(["sh", "-c", "echo half; exit 7"], Stop);

        var error = await Assert.ThrowsAsync<BackupException>(() => ReadAsync(producer.ToSource("x")));

        Assert.Equal(BackupErrorId.CommandFailed, error.Id);
        Assert.Equal("sh", error.Target);
        Assert.Contains("status 7", error.Message);
    }

    [Fact]
    public void A_program_that_is_not_there_fails_with_its_name()
    {
        var error = Assert.Throws<BackupException>(() => Producer.Start(["no-such-program-anywhere"], Stop));

        Assert.Equal(BackupErrorId.CommandFailed, error.Id);
        Assert.Equal("no-such-program-anywhere", error.Target);
    }

    [Fact]
    public async Task A_stopped_job_ends_its_program()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses programs of Unix.");
        using var stop = new CancellationTokenSource();
        using Producer producer = Producer.Start(["sleep", "1000"], stop.Token);
        BackupSource.Input source = producer.ToSource("x");
        Task<int> read = Task.Run(() => source.Content.ReadByte(), Stop);

        await stop.CancelAsync();

        Assert.Equal(-1, await read);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => source.Finish!(stop.Token));
    }

    [Fact]
    public void Input_is_passed_on_as_it_is()
    {
        byte[] content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200_000)));
        using var input = new StoppableInput(new MemoryStream(content), Stop);
        using var copy = new MemoryStream();

        input.CopyTo(copy);

        Assert.Equal(content, copy.ToArray());
        Assert.Equal(0, input.Read(new byte[1]));
    }

    [Fact]
    public async Task Input_is_passed_on_as_it_is_to_who_does_not_block_for_it()
    {
        byte[] content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200_000)));
        await using var input = new StoppableInput(new MemoryStream(content), Stop);
        using var copy = new MemoryStream();

        await input.CopyToAsync(copy, 1000, Stop);

        Assert.Equal(content, copy.ToArray());
        Assert.Equal(0, await input.ReadAsync(new byte[1], Stop));
    }

    [Fact]
    public async Task A_read_that_was_given_up_takes_nothing_from_the_next()
    {
        await using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        await using var client = new AnonymousPipeClientStream(PipeDirection.Out, pipe.ClientSafePipeHandle);
        await using var input = new StoppableInput(pipe, Stop);
        using var given = new CancellationTokenSource();
        Task<int> read = input.ReadAsync(new byte[10], given.Token).AsTask();
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        byte[] all = new byte[3];

        await client.WriteAsync(new byte[] { 1, 2, 3 }, Stop);
        await input.ReadExactlyAsync(all, Stop);

        Assert.Equal([1, 2, 3], all);
    }

    [Fact]
    public async Task A_read_of_silent_input_ends_when_the_job_is_stopped()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        using var stop = new CancellationTokenSource();
        using var input = new StoppableInput(pipe, stop.Token);
        Task<int> read = Task.Run(() => input.Read(new byte[1]), Stop);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);

        // Lets the thread that still waits in the pipe go.
        pipe.DisposeLocalCopyOfClientHandle();
    }

    [Fact]
    public void Input_that_breaks_off_is_an_error_not_an_end()
    {
        using var input = new StoppableInput(new BrokenStream(), Stop);

        Assert.Throws<IOException>(() => input.Read(new byte[1]));
        Assert.Throws<IOException>(() => input.Read(new byte[1]));
    }

    private static async Task<string> ReadAsync(BackupSource.Input source)
    {
        using var reader = new StreamReader(source.Content);
        string text = await reader.ReadToEndAsync(Stop);
        await source.Finish!(Stop);
        return text;
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("broken");

        public override int Read(Span<byte> buffer) => throw new IOException("broken");
    }
}
