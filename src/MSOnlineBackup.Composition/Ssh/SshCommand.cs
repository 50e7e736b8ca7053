using System.Diagnostics;
using MSOnlineBackup.Agent.Remote;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>A command on another machine that the ssh program runs, and that is talked with.</summary>
internal sealed class SshCommand : RemoteCommand
{
    // ssh has nothing left to wait for, or the network has gone, which it finds by itself, later.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _patienceForWords = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly RemoteMachine _machine;
    private readonly StreamWriter _input;
    private readonly SshWords _words;
    private int _isClosed;

    /// <param name="process">ssh, whose three streams are pipes.</param>
    /// <param name="machine">Where to.</param>
    public SshCommand(Process process, RemoteMachine machine)
    {
        (_process, _machine, _input) = (process, machine, process.StandardInput);
        (Incoming, Outgoing) = (process.StandardOutput.BaseStream, _input.BaseStream);
        _words = new SshWords(process.StandardError);
    }

    /// <inheritdoc/>
    public override Stream Incoming { get; }

    /// <inheritdoc/>
    public override Stream Outgoing { get; }

    /// <inheritdoc/>
    public override async Task<RemoteCommandEnd> EndAsync()
    {
        CloseInput();
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new RemoteCommandEnd(null, _words.SoFar);
        }

        await Task.WhenAny(_words.All, Task.Delay(_patienceForWords, CancellationToken.None)).ConfigureAwait(false);
        return _process.ExitCode == SshShell.OwnFailure
            ? throw SshShellEnds.Explain(_machine, _process.ExitCode, _words.SoFar, wasSent: true)
            : new RemoteCommandEnd(_process.ExitCode, _words.SoFar);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
        {
            return;
        }

        CloseInput();
        SshShell.Kill(_process);
        _process.Dispose();
    }

    // To the agent it is the end of its work.
    private void CloseInput()
    {
        try
        {
            _input.Close();
        }
        catch (IOException)
        {
            // It has gone before it took all.
        }
    }
}
