using System.Text;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>Runs command lines in this process, with streams, variables and a clock of its own.</summary>
internal sealed class HostRun
{
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    public Dictionary<string, string> Variables { get; } = new() { ["MSONLINEBACKUP_SYSTEM_LOG"] = "None" };

    public Queue<string> Answers { get; } = [];

    public List<string> Questions { get; } = [];

    public bool HasTerminal { get; init; }

    public string ConfigurationFolder { get; init; } = "";

    public bool IsWindows { get; init; } = OperatingSystem.IsWindows();

    public FakeClock Clock { get; } = new();

    /// <summary>What was written as bytes.</summary>
    public MemoryStream Bytes { get; } = new();

    public Func<bool> OutputIsUnread { get; init; } = () => false;

    public Func<Exception?> OutputFault { get; init; } = () => null;

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public HostEnvironment Environment => new()
    {
        Output = new StringWriter(_output) { NewLine = "\n" },
        Error = new StringWriter(_error) { NewLine = "\n" },
        OutputBytes = Bytes,
        OutputIsUnread = OutputIsUnread,
        OutputFault = OutputFault,
        ErrorIsTerminal = false,
        OpenInput = HasTerminal ? null : () => new MemoryStream(),
        AskHidden = HasTerminal ? AskAsync : null,
        Variable = name => Variables.GetValueOrDefault(name),
        Time = Clock,
        MachineName = "test-machine",
        IsWindows = IsWindows,
        TemporaryFolder = Path.GetTempPath(),
        ConfigurationFolder = ConfigurationFolder,
    };

    public Task<int> RunAsync(params string[] arguments) =>
        new Application(Environment, () => TestContext.Current.CancellationToken).RunAsync(arguments);

    private Task<string> AskAsync(string question, CancellationToken cancellationToken)
    {
        Questions.Add(question);
        return Task.FromResult(Answers.Dequeue());
    }
}
