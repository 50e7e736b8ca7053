using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Agent.Remote;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>
/// Commands on other machines by the ssh program. Host keys are those that this machine has pinned, and no others; everything else is of ssh's own configuration. It asks nobody.
/// </summary>
internal sealed class SshShell : IRemoteShell
{
    /// <summary>The exit code of ssh's own failures; every other one is of what it ran.</summary>
    public const int OwnFailure = 255;

    private const int MostOfOutput = 64 << 10;
    private const string SessionProgram = "/usr/bin/setsid";

    private static readonly string _nothing = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";
    private static readonly TimeSpan _patienceForKey = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _patienceForWords = TimeSpan.FromSeconds(1);

    private readonly string[] _program;

    /// <param name="program">The program, with arguments, separated by blanks; null for what the variable names, or ssh.</param>
    public SshShell(string? program = null) => _program = (program ?? SshPipe.Named(SshPipe.ProgramVariable, "ssh")).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <inheritdoc/>
    public async Task<HostKey> FindHostKeyAsync(RemoteMachine machine, CancellationToken cancellationToken)
    {
        // ssh has the host's key before it says who it is; without a way of saying that, it ends there.
        string file = Path.Combine(Path.GetTempPath(), $"obengine-key-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8))}");
        try
        {
            (int exitCode, _, string words) = await RunAsync(
                machine,
                [.. Options(file, machine, "accept-new"), "-o", "PreferredAuthentications=none", "-o", "PubkeyAuthentication=no", .. Target(machine), "exit"],
                null,
                _patienceForKey,
                cancellationToken).ConfigureAwait(false);
            return (File.Exists(file) ? HostKey.Find(await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)) : null)
                ?? throw SshShellEnds.Explain(machine, exitCode, words, wasSent: false);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <inheritdoc/>
    public async Task<RemoteWords> RunAsync(
        RemoteMachine machine,
        string knownHosts,
        string command,
        IAsyncEnumerable<ReadOnlyMemory<byte>>? content,
        TimeSpan patience,
        CancellationToken cancellationToken)
    {
        (int exitCode, string output, string words) = await RunAsync(
            machine, [.. Options(knownHosts, machine, "yes"), .. Login(machine), .. Target(machine), command], content, patience, cancellationToken).ConfigureAwait(false);
        return exitCode == OwnFailure ? throw SshShellEnds.Explain(machine, exitCode, words, content is not null) : new RemoteWords(output, words);
    }

    /// <inheritdoc/>
    public Task<RemoteCommand> StartAsync(RemoteMachine machine, string knownHosts, string command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<RemoteCommand>(new SshCommand(Start(machine, [.. Options(knownHosts, machine, "yes"), .. Login(machine), .. Target(machine), command]), machine));
    }

    private async Task<(int ExitCode, string Output, string Words)> RunAsync(
        RemoteMachine machine, IReadOnlyList<string> arguments, IAsyncEnumerable<ReadOnlyMemory<byte>>? content, TimeSpan patience, CancellationToken cancellationToken)
    {
        using Process process = Start(machine, arguments);
        var output = new SshWords(process.StandardOutput, MostOfOutput);
        var words = new SshWords(process.StandardError);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await SendAsync(process.StandardInput, content, limit.Token).ConfigureAwait(false);
            limit.CancelAfter(patience);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);

            // What it has left in the background may keep what it writes to.
            await Task.WhenAny(Task.WhenAll(output.All, words.All), Task.Delay(_patienceForWords, CancellationToken.None)).ConfigureAwait(false);
            return (process.ExitCode, output.SoFar, words.SoFar);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw SshShellEnds.Silent(machine, patience);
        }
        finally
        {
            Kill(process);
        }
    }

    private static async Task SendAsync(StreamWriter input, IAsyncEnumerable<ReadOnlyMemory<byte>>? content, CancellationToken cancellationToken)
    {
        await foreach (ReadOnlyMemory<byte> part in (content ?? AsyncEnumerable.Empty<ReadOnlyMemory<byte>>()).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (!await TryAsync(() => input.BaseStream.WriteAsync(part, cancellationToken)).ConfigureAwait(false))
            {
                break;
            }
        }

        await TryAsync(input.DisposeAsync).ConfigureAwait(false);
    }

    // Whoever reads may end early, and say why: that is read then.
    private static async Task<bool> TryAsync(Func<ValueTask> write)
    {
        try
        {
            await write().ConfigureAwait(false);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Process Start(RemoteMachine machine, IReadOnlyList<string> arguments)
    {
        // Ctrl+C is for this process, which ends what it does in order.
        string[] line = [.. File.Exists(SessionProgram) ? new[] { SessionProgram } : [], .. _program, .. arguments];
        try
        {
            return Process.Start(new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception e)
        {
            throw SshShellEnds.NoProgram(machine, _program[0], e.Message, e);
        }
    }

    // The first of two options counts: what a configuration says of these is not looked at. A connection that is shared with others would come with a key that nobody compares.
    private static IEnumerable<string> Options(string knownHosts, RemoteMachine machine, string strictness) =>
    [
        "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",
        "-o", $"UserKnownHostsFile=\"{knownHosts.Replace("%", "%%", StringComparison.Ordinal)}\"", "-o", $"GlobalKnownHostsFile={_nothing}", "-o", $"HostKeyAlias={machine.Alias}",
        "-o", $"StrictHostKeyChecking={strictness}", "-o", "UpdateHostKeys=no", "-o", "HashKnownHosts=no", "-o", "CheckHostIP=no", "-o", "VerifyHostKeyDNS=no",
        "-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ClearAllForwardings=yes", "-o", "ForwardAgent=no", "-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none", "-o", "LogLevel=INFO",
    ];

    private static IEnumerable<string> Login(RemoteMachine machine) => machine.KeyFilePath is { } key ? ["-o", "IdentitiesOnly=yes", "-i", key] : [];

    private static IEnumerable<string> Target(RemoteMachine machine) =>
    [
        .. machine.UserName is { } user ? new[] { "-l", user } : [],
        .. machine.Port is { } port ? new[] { "-p", port.ToString(CultureInfo.InvariantCulture) } : [],
        "--", machine.HostName,
    ];

    /// <summary>Ends it, and what it has started.</summary>
    public static void Kill(Process process)
    {
        try
        {
            // A script in ssh's place has it as a child.
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has gone already; what cannot be killed ends with its input.
        }
    }
}
