using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>
/// The way to a vault on another machine: the ssh program, which logs in there and runs <c>obengine serve store</c>. It is ssh of the system, with its
/// configuration, keys, agents, known hosts and jumps; it never asks anybody, since jobs run where nobody could answer.
/// </summary>
internal sealed class SshPipe : VaultPipe
{
    /// <summary>Another ssh program, with arguments, separated by blanks: <c>ssh -F file</c>.</summary>
    public const string ProgramVariable = "OBENGINE_SSH";

    /// <summary>What obengine is called on the other machine, as its shell takes it.</summary>
    public const string RemoteProgramVariable = "OBENGINE_SSH_REMOTE";

    private const string SessionProgram = "/usr/bin/setsid";

    // ssh has nothing left to wait for, or the network has gone, which it finds by itself, later.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan _patienceForWords = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly SshLocation _place;
    private readonly StreamWriter _input;
    private readonly SshWords _words;
    private int _isClosed;

    private SshPipe(Process process, SshLocation place)
    {
        (_process, _place, _input) = (process, place, process.StandardInput);
        (Incoming, Outgoing) = (process.StandardOutput.BaseStream, _input.BaseStream);
        _words = new SshWords(process.StandardError);
    }

    /// <inheritdoc/>
    public override Stream Incoming { get; }

    /// <inheritdoc/>
    public override Stream Outgoing { get; }

    /// <summary>Starts ssh, as the variables say.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable: there is none.</exception>
    public static SshPipe Start(SshLocation place) => Start(place, Named(ProgramVariable, "ssh"), Named(RemoteProgramVariable, "obengine"));

    /// <summary>Starts ssh.</summary>
    /// <param name="place">Where to.</param>
    /// <param name="program">The program, with arguments, separated by blanks.</param>
    /// <param name="remote">What obengine is called there, as the shell there takes it.</param>
    /// <exception cref="BackupException">VaultProgramUnusable: there is none.</exception>
    public static SshPipe Start(SshLocation place, string program, string remote)
    {
        string[] ssh = program.Split(' ', StringSplitOptions.RemoveEmptyEntries);

        // Ctrl+C is for this process, which ends its job in order, over the pipe. In a session of its own ssh does not get it.
        string[] line = [.. File.Exists(SessionProgram) ? new[] { SessionProgram } : [], .. ssh, .. place.Arguments(remote)];
        try
        {
            return new SshPipe(
                Process.Start(new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!,
                place);
        }
        catch (Win32Exception e)
        {
            throw new BackupException(
                BackupErrorId.VaultProgramUnusable,
                $"The program '{ssh[0]}', which reaches '{place.Location}', cannot be started: {e.Message}.",
                $"Install the OpenSSH client, or name another program with the variable {ProgramVariable}.",
                place.Location,
                innerException: e);
        }
    }

    /// <inheritdoc/>
    public override async Task<BackupException> ExplainAsync(BackupException known, bool wasOpen)
    {
        CloseInput();
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It is still there, and has said nothing of an end.
            return known;
        }

        // A connection that it shares with others and leaves in the background keeps its standard error.
        await Task.WhenAny(_words.All, Task.Delay(_patienceForWords, CancellationToken.None)).ConfigureAwait(false);
        return SshEnds.Explain(_place, known, wasOpen, _process.ExitCode, _words.SoFar);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
        {
            return;
        }

        CloseInput();
        try
        {
            // A script in ssh's place has it as a child.
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has gone already; what cannot be killed ends with its input.
        }

        _process.Dispose();
    }

    /// <summary>What a variable names; the usual where it names nothing.</summary>
    public static string Named(string variable, string usual) => Environment.GetEnvironmentVariable(variable) is { } named && named.Trim().Length > 0 ? named : usual;

    // To the program it is the end of its work.
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
