namespace MSOnlineBackup.Agent.Remote;

/// <summary>A command that runs on another machine, with its standard input and output. Disposing of it ends it, as a cut line does.</summary>
public abstract class RemoteCommand : IDisposable
{
    /// <summary>What it writes to standard output.</summary>
    public abstract Stream Incoming { get; }

    /// <summary>What it reads from standard input.</summary>
    public abstract Stream Outgoing { get; }

    /// <summary>Closes what it reads, and waits for a while for its end.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VaultHostUntrusted, AgentUnreachable, AgentAccessDenied, VaultProgramUnusable: it did not run, or the line was cut.</exception>
    public abstract Task<RemoteCommandEnd> EndAsync();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected abstract void Dispose(bool disposing);
}

/// <summary>How a command on another machine has ended.</summary>
/// <param name="ExitCode">Its exit code; null where it is still there.</param>
/// <param name="Error">The end of what it wrote to standard error.</param>
public sealed record RemoteCommandEnd(int? ExitCode, string Error);
