using System.Text;
using System.Text.Json;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Tests.GuestAgent;

/// <summary>
/// Speaks as the agent of a guest does, at the socket of its serial line: freezing this machine would be bad. The line has one client at a time and no connections: what it said and nobody read is read by the next.
/// </summary>
internal sealed class GuestAgentDouble : IAsyncDisposable
{
    private readonly SocketServer _server;
    private readonly Lock _lock = new();
    private readonly List<string> _commands = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GuestAgentDouble() => _server = new SocketServer(ServeAsync);

    public string Socket => _server.Path;

    /// <summary>What the guest is, as the agent says it; null: the agent is too old to say.</summary>
    public string? System { get; init; } = "debian";

    /// <summary>How many file systems it can hold still.</summary>
    public int FileSystems { get; init; } = 2;

    /// <summary>What an earlier client has left on the line.</summary>
    public string Stale { get; set; } = "";

    /// <summary>Commands that it refuses, and what it says; a command is refused as often as it is there.</summary>
    public List<(string Command, string Why)> Refusals { get; } = [];

    /// <summary>A command that is answered only once this is over.</summary>
    public (string Command, Task Until)? Delay { get; set; }

    /// <summary>Whether it lets go by itself right away, as Windows does after a while.</summary>
    public bool LetsGo { get; init; }

    /// <summary>Whether nobody is behind the line.</summary>
    public bool IsSilent { get; init; }

    public bool IsFrozen { get; private set; }

    /// <summary>What it was asked, in order, but for how to begin.</summary>
    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (_lock)
            {
                return [.. _commands];
            }
        }
    }

    /// <summary>Waits until something is so.</summary>
    public async Task WaitAsync(Func<GuestAgentDouble, bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (condition(this))
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(Stale), stop);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            if (IsSilent)
            {
                continue;
            }

            using JsonDocument asked = JsonDocument.Parse(line.TrimStart('\u00ff'));
            string command = asked.RootElement.Text("execute")!;
            if (Delay is { } delay && delay.Command == command)
            {
                await delay.Until.WaitAsync(stop);
            }

            string answer = command == "guest-sync-delimited"
                ? $"\u00ff{{\"return\": {asked.RootElement.Member("arguments")!.Value.Number("id")}}}"
                : Answer(command);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer + "\n"), stop);
        }
    }

    private string Answer(string command)
    {
        lock (_lock)
        {
            _commands.Add(command);
            string answer = Carry(command);
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return answer;
        }
    }

    private string Carry(string command)
    {
        if (Refusals.Find(one => one.Command == command) is { Command: not null } refusal)
        {
            Refusals.Remove(refusal);
            return $$$"""{"error": {"class": "GenericError", "desc": "{{{refusal.Why}}}"}}""";
        }

        switch (command)
        {
            case "guest-get-osinfo":
                return System is null ? """{"error": {"class": "CommandNotFound", "desc": "The command guest-get-osinfo has not been found"}}""" : $$$"""{"return": {"id": "{{{System}}}"}}""";
            case "guest-fsfreeze-freeze":
                IsFrozen = !LetsGo && FileSystems > 0;
                return $$"""{"return": {{FileSystems}}}""";
            case "guest-fsfreeze-thaw":
                int thawed = IsFrozen ? FileSystems : 0;
                IsFrozen = false;
                return $$"""{"return": {{thawed}}}""";
            case "guest-fsfreeze-status":
                return $$$"""{"return": "{{{(IsFrozen ? "frozen" : "thawed")}}}"}""";
            default:
                return """{"return": {}}""";
        }
    }
}
