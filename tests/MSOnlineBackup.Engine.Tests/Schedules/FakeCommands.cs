using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Engine.Tests.Schedules;

/// <summary>Programs of the system that answer as they are told, and what they were asked.</summary>
internal sealed class FakeCommands : ISystemCommands
{
    /// <summary>From a command line to what comes of it; null: it is not installed.</summary>
    public Func<string, CommandResult?> Answer { get; set; } = _ => new CommandResult(0, "", "");

    public List<string> Asked { get; } = [];

    public Task<CommandResult?> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        string line = string.Join(' ', [program, .. arguments]);
        Asked.Add(line);
        return Task.FromResult(Answer(line));
    }
}
