using System.Runtime.InteropServices;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>
/// Ctrl+C, a closed terminal and a polite kill: the first asks the job to end in order, the second ends the process
/// at once, which the vault survives like any crash.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    // Shows the cursor again, which the live display hides.
    private const string ShowCursor = "\e[?25h";

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _signals) == 1)
        {
            // Off the signal thread: what is cancelled may run for a while, and a second signal must get through.
            _ = _stop.CancelAsync();
            return;
        }

        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write(ShowCursor);
        }

        Environment.Exit((int)ExitCode.Stopped);
    }
}
