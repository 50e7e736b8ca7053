using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>Logs in to other machines and runs commands there: ssh, which only the composition knows.</summary>
public interface IRemoteShell
{
    /// <summary>Asks a host for its key. Nobody logs in.</summary>
    /// <exception cref="BackupException">AgentUnreachable, VaultProgramUnusable.</exception>
    Task<HostKey> FindHostKeyAsync(RemoteMachine machine, CancellationToken cancellationToken);

    /// <summary>Runs a command line on a host whose key is the known one.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="knownHosts">The file with its key, under the machine's name.</param>
    /// <param name="command">As the account's login shell takes it, whichever that is.</param>
    /// <param name="content">What the command reads; null for nothing. It may end before it has read all, and say why.</param>
    /// <param name="patience">How long the command may take once it was sent everything.</param>
    /// <param name="cancellationToken">Stops it; the command then ends as by a cut line.</param>
    /// <returns>The end of what it wrote to standard output, and to standard error.</returns>
    /// <exception cref="BackupException">VaultHostUntrusted, AgentUnreachable, AgentAccessDenied, VaultProgramUnusable: the command did not run, or the line was cut.</exception>
    Task<RemoteWords> RunAsync(
        RemoteMachine machine,
        string knownHosts,
        string command,
        IAsyncEnumerable<ReadOnlyMemory<byte>>? content,
        TimeSpan patience,
        CancellationToken cancellationToken);

    /// <summary>Starts a command line on a host whose key is the known one, to talk with what runs there.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="knownHosts">The file with its key, under the machine's name.</param>
    /// <param name="command">As the account's login shell takes it, whichever that is.</param>
    /// <param name="cancellationToken">Stops the starting.</param>
    /// <exception cref="BackupException">VaultProgramUnusable. Whatever else keeps the command from running is told at its end.</exception>
    Task<RemoteCommand> StartAsync(RemoteMachine machine, string knownHosts, string command, CancellationToken cancellationToken);
}

/// <summary>What a command on another machine has written.</summary>
/// <param name="Output">The end of its standard output.</param>
/// <param name="Error">The end of its standard error.</param>
public sealed record RemoteWords(string Output, string Error);
