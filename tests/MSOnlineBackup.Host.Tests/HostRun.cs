using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>Runs command lines in this process, with streams, variables and a clock of its own.</summary>
internal sealed class HostRun
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public Dictionary<string, string> Variables { get; } = [];

    public Queue<string> Answers { get; } = [];

    public List<string> Questions { get; } = [];

    public bool HasTerminal { get; init; }

    public FakeClock Clock { get; } = new();

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public HostEnvironment Environment => new()
    {
        Output = _output,
        Error = _error,
        ErrorIsTerminal = false,
        OpenInput = HasTerminal ? null : () => new MemoryStream(),
        AskHidden = HasTerminal ? AskAsync : null,
        Variable = name => Variables.GetValueOrDefault(name),
        Time = Clock,
        MachineName = "test-machine",
        TemporaryFolder = Path.GetTempPath(),
    };

    public Task<int> RunAsync(params string[] arguments) =>
        new Application(Environment, () => TestContext.Current.CancellationToken).RunAsync(arguments);

    private Task<string> AskAsync(string question, CancellationToken cancellationToken)
    {
        Questions.Add(question);
        return Task.FromResult(Answers.Dequeue());
    }
}
