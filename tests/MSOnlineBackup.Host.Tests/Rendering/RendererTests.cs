using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Tests.Rendering;

public sealed class RendererTests : IDisposable
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly FakeClock _clock = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void Text_puts_results_on_one_stream_and_everything_else_on_the_other()
    {
        TextRenderer renderer = Text();

        renderer.Note("note");
        renderer.Item(new NoteLine("x"), line => $"item {line.Message}");
        renderer.Finish(new ListSummary("ls", 1), "summary");

        Assert.Equal("item x\nsummary\n", _output.ToString());
        Assert.Equal("note\n", _error.ToString());
    }

    [Fact]
    public void Quiet_text_keeps_listings_and_errors()
    {
        TextRenderer renderer = Text(quiet: true);

        renderer.Note("note");
        renderer.Item(new NoteLine("x"), line => $"item {line.Message}");
        renderer.Finish(new ListSummary("ls", 1), "summary");
        renderer.Fail(_failure);

        Assert.Equal("item x\n", _output.ToString());
        Assert.StartsWith("obengine: Full.\n", _error.ToString());
    }

    [Fact]
    public void A_failure_is_three_lines_and_no_stack_trace()
    {
        Text().Fail(_failure);

        Assert.Equal("obengine: Full.\n  What to do: Make room.\n  Error id: VaultFull\n", _error.ToString());
    }

    [Fact]
    public void Debug_shows_where_a_failure_came_from()
    {
        Text(debug: true).Fail(_failure);

        Assert.Contains(nameof(BackupException), _error.ToString());
    }

    [Fact]
    public async Task Skipped_items_are_named_as_they_happen_up_to_a_bound()
    {
        TextRenderer renderer = Text();

        await renderer.FollowAsync(monitor =>
        {
            for (int i = 1; i <= TextRenderer.MaxSkippedLines + 100; i++)
            {
                monitor.ItemSkipped!(new SkippedItem($"/f{i}", BackupErrorId.SourceItemUnreadable, "no"));
            }

            return Task.FromResult(0);
        });

        string[] lines = _error.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal("skipped: /f1: no (SourceItemUnreadable)", lines[0]);
        Assert.Equal(TextRenderer.MaxSkippedLines + 1, lines.Length);
        Assert.Contains("and more", lines[^1]);
    }

    [Fact]
    public async Task JSON_writes_progress_at_most_once_a_second()
    {
        JsonRenderer renderer = Json();
        var end = new TaskCompletionSource<int>();
        Task<int> following = renderer.FollowAsync(_ => end.Task);

        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Empty(_output.ToString());
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        while (_output.ToString().Length == 0)
        {
            await Task.Yield();
        }

        end.SetResult(0);
        await following;
        Assert.StartsWith("""{"type":"progress","phase":"Initializing","elapsedSeconds":1,""", _output.ToString());
        Assert.Single(_output.ToString().TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task JSON_lines_of_many_threads_do_not_mix()
    {
        JsonRenderer renderer = Json();

        await renderer.FollowAsync(async monitor =>
        {
            await Parallel.ForAsync(0, 1000, (i, _) =>
            {
                monitor.ItemSkipped!(new SkippedItem($"/f{i}", BackupErrorId.SourceItemChanged, new string('r', 100)));
                return ValueTask.CompletedTask;
            });
            return 0;
        });
        renderer.Fail(_failure);

        string[] lines = _output.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(1001, lines.Length);
        Assert.All(lines, line => System.Text.Json.JsonDocument.Parse(line).Dispose());
        Assert.Equal("""{"type":"error","id":"VaultFull","message":"Full.","action":"Make room.","target":"/v","exitCode":1,"debug":null}""", lines[^1]);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public void Tables_line_up()
    {
        var table = new TextTable<(string Name, int Count)>(
            new Column<(string Name, int Count)>("NAME", row => row.Name),
            new Column<(string Name, int Count)>("COUNT", row => row.Count.ToString(), AlignRight: true));

        table.Write(_output, [("a", 1), ("longer", 100000)]);

        Assert.Equal("NAME     COUNT\na            1\nlonger  100000\n", _output.ToString());
    }

    [Fact]
    public void A_table_without_rows_is_nothing()
    {
        new TextTable<int>(new Column<int>("N", row => row.ToString())).Write(_output, []);

        Assert.Empty(_output.ToString());
    }

    private static readonly Failure _failure = Failure.From(new BackupException(BackupErrorId.VaultFull, "Full.", "Make room.", "/v"), stopping: false);

    private TextRenderer Text(bool quiet = false, bool debug = false) =>
        new(_output, _error, _clock, () => new PlainProgress(_error), quiet, debug);

    private JsonRenderer Json() => new(TextWriter.Synchronized(_output), _clock, quiet: false, debug: false);
}
