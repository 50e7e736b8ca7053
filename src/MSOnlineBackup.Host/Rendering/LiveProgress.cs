using MSOnlineBackup.Vaults.Progress;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>
/// Three lines at the bottom of a terminal, redrawn in place and gone at the end. The only user of Spectre.Console, which
/// is not even loaded where nothing is drawn. From any thread, and one at a time: its display locks itself and then the
/// console, and what is written locks the console and then the display.
/// </summary>
internal sealed class LiveProgress(TextWriter error, bool colour) : IProgressDisplay
{
    private const int BarWidth = 30;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IAnsiConsole? _console;
    private LiveDisplayContext? _context;
    private Task _display = Task.CompletedTask;
    private List<string>? _late;

    public TimeSpan Interval { get; } = TimeSpan.FromMilliseconds(125);

    public void Show(ProgressReading reading)
    {
        lock (_gate)
        {
            if (_context is null)
            {
                Begin();
            }

            _context!.UpdateTarget(Draw(reading, _console!.Profile.Width));
        }
    }

    public void WriteLine(string line)
    {
        lock (_gate)
        {
            if (_late is { } late)
            {
                late.Add(line);
            }
            else if (_console is { } console)
            {
                console.Write(new Note(line));
            }
            else
            {
                error.WriteLine(line);
            }
        }
    }

    /// <summary>Takes the display away. What others write meanwhile comes after it.</summary>
    public async ValueTask CloseAsync()
    {
        lock (_gate)
        {
            _late = [];
        }

        _closed.SetResult();
        await _display.ConfigureAwait(false);
        lock (_gate)
        {
            _late.ForEach(error.WriteLine);
            (_late, _console) = (null, null);
        }
    }

    private void Begin()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(error),
            Ansi = AnsiSupport.Yes,
            ColorSystem = colour ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
        });
        _display = console.Live(Text.Empty).AutoClear(true).StartAsync(context =>
        {
            _context = context;
            return _closed.Task;
        });
        _console = console;
    }

    internal static IRenderable Draw(ProgressReading reading, int width)
    {
        JobProgress counters = reading.Counters;
        var lines = new List<IRenderable>(3) { Bar(reading) };
        string amounts = $"{Quantity.Count(counters.Files, "file")}, new {Quantity.Size(counters.NewBytes)}, stored {Quantity.Size(counters.StoredBytes)}";
        lines.Add(counters.Skipped == 0
            ? new Text(amounts)
            : new Markup($"{amounts}, [yellow]{Quantity.Count(counters.Skipped)} skipped[/]"));

        // Room for the "^C" that a terminal shows: on a line of its own it would shift everything.
        lines.Add(counters.Wait is { } wait
            ? new Text(Cut($"waiting for the vault: {wait.Cause}", width - 3), new Style(Color.Yellow))
            : new Text(Shorten(counters.CurrentItem ?? "", width - 3), new Style(Color.Grey)));
        return new Rows(lines);
    }

    private static Markup Bar(ProgressReading reading)
    {
        string pace = $"{Quantity.Rate(reading.BytesPerSecond)}  {Quantity.Duration(reading.Elapsed)}";
        if (reading.Fraction is not { } fraction)
        {
            return new Markup($"[blue]{reading.Counters.Phase}[/]  {Quantity.Size(reading.Counters.Bytes)}  {pace}");
        }

        int done = (int)(fraction * BarWidth);
        string left = reading.Remaining is { } remaining ? $"  {Quantity.Duration(remaining)} left" : "";
        return new Markup(
            $"[blue]{reading.Counters.Phase}[/]  [green]{new string('━', done)}[/][grey]{new string('━', BarWidth - done)}[/]  {Quantity.Percent(fraction)}  "
            + $"{Quantity.Size(reading.Counters.Bytes)} of {Quantity.Size(reading.Counters.TotalBytes!.Value)}  {pace}{left}");
    }

    private static string Cut(string text, int width) => text.Length <= width ? text : width < 2 ? "" : $"{text[..(width - 1)]}…";

    // The end of a path tells more than its beginning.
    private static string Shorten(string path, int width) =>
        path.Length <= width ? path : width < 2 ? "" : $"…{path[^(width - 1)..]}";

    /// <summary>
    /// A line in place of the display, which is drawn again below it: what stood there is erased first, or its longer lines would look out behind.
    /// </summary>
    private sealed class Note(string text) : Renderable
    {
        private const string EraseBelow = "\e[0J";

        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            ((IRenderable)new Text(text + '\n')).Render(options, maxWidth).Prepend(Segment.Control(EraseBelow));
    }
}
