using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Progress;
using Spectre.Console;

namespace MSOnlineBackup.Host.Tests.Rendering;

public sealed class ProgressTests
{
    private const long Mib = 1L << 20;

    private readonly FakeClock _clock = new();

    [Fact]
    public void The_rate_is_that_of_the_last_half_minute()
    {
        var estimate = new ProgressEstimate(_clock);
        for (int second = 1; second <= 60; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            estimate.Read(At(second * Mib));
        }

        for (int second = 1; second <= 40; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            estimate.Read(At((60 + (second * 3)) * Mib));
        }

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3 * Mib, estimate.Read(At((60 + (41 * 3)) * Mib)).BytesPerSecond, 1);
    }

    [Fact]
    public void No_remaining_time_before_five_seconds()
    {
        var estimate = new ProgressEstimate(_clock);

        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(estimate.Read(At(40 * Mib, total: 100 * Mib)).Remaining);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(5), estimate.Read(At(50 * Mib, total: 100 * Mib)).Remaining);
    }

    [Fact]
    public void No_remaining_time_before_one_percent()
    {
        var estimate = new ProgressEstimate(_clock);

        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(estimate.Read(At(9, total: 1000)).Remaining);
        Assert.NotNull(estimate.Read(At(10, total: 1000)).Remaining);
    }

    [Fact]
    public void Without_a_total_or_beyond_it_there_is_no_fraction()
    {
        var estimate = new ProgressEstimate(_clock);
        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Null(estimate.Read(At(10)).Fraction);
        Assert.Null(estimate.Read(At(11, total: 10)).Fraction);
        Assert.Null(estimate.Read(At(0, total: 0)).Fraction);
    }

    [Fact]
    public void A_standstill_has_no_remaining_time()
    {
        var estimate = new ProgressEstimate(_clock);
        _clock.Advance(TimeSpan.FromSeconds(10));
        estimate.Read(At(50, total: 100));
        for (int second = 0; second < 40; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            estimate.Read(At(50, total: 100));
        }

        ProgressReading reading = estimate.Read(At(50, total: 100));
        Assert.Equal(0, reading.BytesPerSecond);
        Assert.Null(reading.Remaining);
    }

    [Fact]
    public void A_plain_line_tells_everything()
    {
        var reading = new ProgressReading(
            At(250 * Mib, total: 1000 * Mib) with { Files = 1234, NewBytes = 20 * Mib, StoredBytes = 10 * Mib, Skipped = 3 },
            TimeSpan.FromSeconds(60),
            5 * Mib,
            0.25,
            TimeSpan.FromSeconds(150));

        Assert.Equal(
            "Transferring, 1 min 00 s: 250 MiB of 0.98 GiB (25 %), 1,234 files, 5.00 MiB/s, new 20.0 MiB, stored 10.0 MiB, 3 skipped, 2 min 30 s left",
            PlainProgress.Describe(reading));
    }

    [Fact]
    public void The_live_display_shows_amounts_pace_and_the_end_of_a_long_path()
    {
        var reading = new ProgressReading(
            At(250 * Mib, total: 1000 * Mib) with { Files = 1234, NewBytes = 20 * Mib, StoredBytes = 10 * Mib, Skipped = 3, CurrentItem = "/" + new string('d', 200) + "/[name].txt" },
            TimeSpan.FromSeconds(60),
            5 * Mib,
            0.25,
            TimeSpan.FromSeconds(150));

        string[] lines = Draw(reading, width: 120);

        Assert.Equal(3, lines.Length);
        Assert.Contains("25 %  250 MiB of 0.98 GiB  5.00 MiB/s  1 min 00 s  2 min 30 s left", lines[0]);
        Assert.Equal("1,234 files, new 20.0 MiB, stored 10.0 MiB, 3 skipped", lines[1]);
        Assert.StartsWith("…ddd", lines[2]);
        Assert.EndsWith("/[name].txt", lines[2]);
        Assert.True(lines[2].Length < 120);
    }

    [Fact]
    public void A_job_that_waits_for_its_vault_says_what_is_wrong_in_place_of_its_item()
    {
        var wait = new JobWait($"The vault is away: {new string('x', 200)}", DateTimeOffset.UnixEpoch);
        var reading = new ProgressReading(At(1) with { CurrentItem = "/item", Wait = wait }, TimeSpan.FromSeconds(60), 0, null, null);

        string[] lines = Draw(reading, width: 80);

        Assert.Equal(3, lines.Length);
        Assert.StartsWith("waiting for the vault: The vault is away: xxx", lines[2]);
        Assert.True(lines[2].Length < 80);
        Assert.EndsWith($"waiting for the vault: {wait.Cause}", PlainProgress.Describe(reading));
    }

    [Fact]
    public async Task A_display_is_told_at_its_pace_and_closed_at_the_end()
    {
        var display = new RecordingDisplay();
        var end = new TaskCompletionSource<int>();
        Task<int> following = ProgressPump.FollowAsync(() => At(1), display, _clock, () => end.Task);

        for (int tick = 1; tick <= 3; tick++)
        {
            _clock.Advance(RecordingDisplay.Pace);
            await display.Shown.WaitAsync(TestContext.Current.CancellationToken);
        }

        Assert.False(display.IsClosed);
        end.SetResult(42);
        Assert.Equal(42, await following);
        Assert.True(display.IsClosed);
        Assert.Equal(3, display.Readings.Count);
        Assert.Equal(RecordingDisplay.Pace * 3, display.Readings[^1].Elapsed);
    }

    [Fact]
    public async Task The_failure_of_a_job_is_its_own_after_the_display_is_closed()
    {
        var display = new RecordingDisplay();

        await Assert.ThrowsAsync<InvalidDataException>(() =>
            ProgressPump.FollowAsync<int>(() => At(1), display, _clock, () => Task.FromException<int>(new InvalidDataException())));

        Assert.True(display.IsClosed);
    }

    [Fact]
    public async Task Lines_that_come_while_the_display_is_drawn_and_closed_are_all_written()
    {
        await using var written = new StringWriter();
        var display = new LiveProgress(TextWriter.Synchronized(written), colour: false);
        var reading = new ProgressReading(At(1, total: 1000), TimeSpan.FromSeconds(1), 1, null, null);
        display.Show(reading);

        Task drawing = Task.Run(() => Repeat(2000, _ => display.Show(reading)), TestContext.Current.CancellationToken);
        Task writing = Task.Run(() => Repeat(2000, number => display.WriteLine($"<{number}>")), TestContext.Current.CancellationToken);
        await Task.WhenAll(drawing, writing).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Task late = Task.Run(() => Repeat(2000, number => display.WriteLine($"<{2000 + number}>")), TestContext.Current.CancellationToken);
        await display.CloseAsync();
        await late.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        string all = written.ToString();
        Repeat(4000, number => Assert.Contains($"<{number}>", all, StringComparison.Ordinal));
    }

    private static void Repeat(int count, Action<int> act)
    {
        for (int i = 0; i < count; i++)
        {
            act(i);
        }
    }

    private static JobProgress At(long bytes, long? total = null) =>
        new(JobPhase.Transferring, 1, 1, bytes, 0, 0, 0, 0, null, total, null);

    private static string[] Draw(ProgressReading reading, int width)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer), Ansi = AnsiSupport.No });
        console.Profile.Width = width;
        console.Write(LiveProgress.Draw(reading, width));
        return writer.ToString().TrimEnd('\n').Split('\n');
    }

    private sealed class RecordingDisplay : IProgressDisplay
    {
        public static readonly TimeSpan Pace = TimeSpan.FromSeconds(2);

        public TimeSpan Interval => Pace;

        public SemaphoreSlim Shown { get; } = new(0);

        public List<ProgressReading> Readings { get; } = [];

        public bool IsClosed { get; private set; }

        public void Show(ProgressReading reading)
        {
            Readings.Add(reading);
            Shown.Release();
        }

        public void WriteLine(string line) => Assert.Fail(line);

        public ValueTask CloseAsync()
        {
            Assert.False(IsClosed);
            IsClosed = true;
            return ValueTask.CompletedTask;
        }
    }
}
