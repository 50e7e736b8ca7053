using MSOnlineBackup.Engine.Sources.SystemState;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>Programs of the system that print what was recorded. What is not answered is a program that is not there.</summary>
internal sealed class ScriptedCommands : ISystemCommands
{
    private readonly Dictionary<string, Queue<CommandResult>> _answers = [];
    private readonly HashSet<string> _open = [];

    /// <summary>All that was asked, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Told of each line before it is answered, with what may stop it.</summary>
    public Action<string, CancellationToken>? OnAsked { get; set; }

    public void Answers(string line, string output, int exitCode = 0, string error = "")
    {
        _answers[line] = new Queue<CommandResult>([new CommandResult(exitCode, output, error)]);
        _open.Add(line);
    }

    /// <summary>Each time the next one; the last one stays.</summary>
    public void AnswersInTurn(string line, params string[] outputs)
    {
        _answers[line] = new Queue<CommandResult>(outputs.Select(output => new CommandResult(0, output, "")));
        _open.Add(line);
    }

    public Task<CommandResult?> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        string line = string.Join(' ', arguments.Prepend(program));
        Asked.Add(line);
        OnAsked?.Invoke(line, cancellationToken);
        _open.Remove(line);
        return Task.FromResult(!_answers.TryGetValue(line, out Queue<CommandResult>? answers) ? null : answers.Count > 1 ? answers.Dequeue() : answers.Peek());
    }

    public void AssertAllAsked() => Assert.Empty(_open);
}
