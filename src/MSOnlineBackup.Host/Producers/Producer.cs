using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Producers;

/// <summary>
/// A program whose output is backed up. It runs without a shell, reads nothing, may write to standard error, and its exit
/// status counts: a dump that failed half way leaves no recovery point.
/// </summary>
internal sealed class Producer : IDisposable
{
    private readonly Process _process;
    private readonly string _name;

    private readonly CancellationTokenRegistration _killWhenStopped;

    private Producer(Process process, string name, CancellationToken stop)
    {
        (_process, _name) = (process, name);

        // A read of a silent pipe cannot be cancelled; the end of its writer ends it.
        _killWhenStopped = stop.Register(Kill);
    }

    /// <summary>Starts the program.</summary>
    /// <param name="commandLine">The program and its arguments.</param>
    /// <param name="stop">Kills it.</param>
    /// <exception cref="BackupException">CommandFailed: it cannot be started.</exception>
    public static Producer Start(IReadOnlyList<string> commandLine, CancellationToken stop)
    {
        try
        {
            Process process = Process.Start(new ProcessStartInfo(commandLine[0], commandLine.Skip(1))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            process.StandardInput.Close();
            return new Producer(process, commandLine[0], stop);
        }
        catch (Win32Exception e)
        {
            throw new BackupException(
                BackupErrorId.CommandFailed,
                $"'{commandLine[0]}' cannot be started: {e.Message}.",
                "Check the name of the program after --command --, and that the program is installed.",
                commandLine[0],
                innerException: e);
        }
    }

    /// <summary>Its output as a source of a backup.</summary>
    /// <param name="name">The name of the file in the recovery point.</param>
    public BackupSource.Input ToSource(string name) => new(name, _process.StandardOutput.BaseStream, FinishAsync);

    /// <summary>Ends the program where it still runs.</summary>
    public void Dispose()
    {
        _killWhenStopped.Dispose();
        Kill();
        _process.Dispose();
    }

    // Nothing happens where it has already ended.
    private void Kill() => _process.Kill(entireProcessTree: true);

    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (_process.ExitCode != 0)
        {
            throw new BackupException(
                BackupErrorId.CommandFailed,
                $"'{_name}' ended with status {_process.ExitCode}; what it wrote may be incomplete, so no recovery point was made.",
                "See what the program wrote to standard error, fix the problem, then run the backup again.",
                _name);
        }
    }
}
