using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>
/// Runs scripts. What a script leaves running may go on writing to its output until this is disposed of: whoever held a database still in a session that stays
/// open would otherwise be ended by it.
/// </summary>
/// <param name="clock">The clock.</param>
/// <param name="begun">Told of each process that was begun, and of 0 when it has ended.</param>
internal sealed class ScriptRunner(TimeProvider clock, Action<int> begun) : IDisposable
{
    // The shell waits until whoever has to wait for the script's end knows of it, and runs nothing where this process is killed by then. The script is not to
    // be ended by the Ctrl+C that is meant for the backup, nor by a terminal that goes; and a shell also runs what names no interpreter.
    private const string Wait = "read -r go || exit; trap '' HUP INT; exec \"$@\" </dev/null";

    // For what was written right before the end, where something else holds the output open.
    private static readonly TimeSpan _last = TimeSpan.FromMilliseconds(250);

    private readonly List<Process> _processes = [];

    /// <summary>Runs a script, and again where it fails and may be tried again.</summary>
    /// <returns>Why it failed the last time; null where it did not.</returns>
    /// <exception cref="OperationCanceledException">It was stopped: it and what it had begun were killed.</exception>
    public async Task<BackupException?> RunAsync(ScriptCommand script, TimeSpan limit, CancellationToken stop)
    {
        for (int tried = 0; ; tried++)
        {
            BackupException? failure = await RunOnceAsync(script, limit, stop).ConfigureAwait(false);
            if (failure is null or { Id: BackupErrorId.ScriptTimedOut } || tried >= script.Retries)
            {
                return failure;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _processes.ForEach(process => process.Dispose());

    private async Task<BackupException?> RunOnceAsync(ScriptCommand script, TimeSpan limit, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Process process;
        try
        {
            process = Process.Start(Start(script))!;
        }
        catch (Win32Exception e)
        {
            return script.Failed($"cannot be started: {e.Message}.", e);
        }

        _processes.Add(process);
        begun(process.Id);
        LetGo(process);
        var said = new StringBuilder();
        Task reading = Task.WhenAll(ReadAsync(process.StandardOutput, null), ReadAsync(process.StandardError, said));
        using var late = new CancellationTokenSource(limit, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        try
        {
            await process.WaitForExitAsync(ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            return script.TimedOut(limit);
        }
        finally
        {
            begun(0);
        }

        if (process.ExitCode == 0)
        {
            return null;
        }

        await Task.WhenAny(reading, Task.Delay(_last, clock, CancellationToken.None)).ConfigureAwait(false);
        string last;
        lock (said)
        {
            last = said.ToString().Trim().ReplaceLineEndings(" ");
        }

        return script.Failed(last.Length == 0 ? $"ended with status {process.ExitCode}." : $"ended with status {process.ExitCode}: {last}");
    }

    private static ProcessStartInfo Start(ScriptCommand script)
    {
        ProcessStartInfo start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(script.Location, script.Arguments)
            : new ProcessStartInfo("/bin/sh", ["-c", Wait, "obengine", script.Location, .. script.Arguments]);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.WorkingDirectory = Path.GetPathRoot(script.Location);
        return start;
    }

    private static void LetGo(Process process)
    {
        try
        {
            process.StandardInput.WriteLine();
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already; how, its status says.
        }
    }

    // The end of what is written is kept; all of it is read, so that nobody waits for somebody to read.
    private static async Task ReadAsync(StreamReader output, StringBuilder? said)
    {
        const int Most = 500;
        char[] buffer = new char[4096];
        try
        {
            int length;
            while ((length = await output.ReadAsync(buffer.AsMemory()).ConfigureAwait(false)) > 0)
            {
                if (said is not null)
                {
                    lock (said)
                    {
                        said.Append(buffer, 0, length).Remove(0, Math.Max(said.Length - Most, 0));
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody wants to know any more: the runner was disposed of.
        }
    }
}
