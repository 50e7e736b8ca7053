using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>The two directions of a way to a server, for example the standard input and output of a program that was started for it.</summary>
public abstract class VaultPipe : IDisposable
{
    /// <summary>What the server sends.</summary>
    public abstract Stream Incoming { get; }

    /// <summary>What it is sent.</summary>
    public abstract Stream Outgoing { get; }

    /// <summary>
    /// What the end of the pipe means to the user, where the way itself knows more than that it ended. Called once, after the end, unless the server said by
    /// itself why it ends. Where it fails or takes long, what is known so far is told.
    /// </summary>
    /// <param name="known">What is known so far.</param>
    /// <param name="wasOpen">Whether the server had the vault.</param>
    public virtual Task<BackupException> ExplainAsync(BackupException known, bool wasOpen) => Task.FromResult(known);

    /// <summary>Ends the way, in both directions; reads and writes that are under way end, too.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected abstract void Dispose(bool disposing);
}
