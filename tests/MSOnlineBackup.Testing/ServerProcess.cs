using System.Diagnostics;

namespace MSOnlineBackup.Testing;

/// <summary>
/// A server that a test runs as another account than root. It is stopped with the test, and where the test's process ends, however that ends.
/// </summary>
public sealed class ServerProcess : IDisposable
{
    // The shell's input ends with whoever started it.
    private const string Keep = "\"$@\" </dev/null & server=$!; read -r over; kill -s \"$0\" $server; wait $server";

    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    /// <summary>The account that servers run as: one that owns nothing.</summary>
    public const string Account = "nobody";

    public bool HasExited => _process.HasExited;

    /// <summary>Starts a server.</summary>
    /// <param name="signal">What ends it, for example TERM.</param>
    /// <param name="command">The program and its arguments.</param>
    public static ServerProcess Start(string signal, params string[] command) =>
        new(Process.Start(new ProcessStartInfo("sh", ["-c", Keep, signal, .. AsAccount(command)]) { RedirectStandardInput = true })!);

    /// <summary>A command that the account runs.</summary>
    public static string[] AsAccount(params string[] command) => ["setpriv", "--reuid", Account, "--regid", "nogroup", "--clear-groups", .. command];

    /// <summary>Waits until something succeeds that does only once the server answers.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken, params string[] question)
    {
        while (Shell.Run(question[0], question[1..]) is (not 0, string answer))
        {
            if (HasExited)
            {
                throw new InvalidOperationException($"The server ended with {_process.ExitCode}. The last answer was: {answer}");
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>Stops it, and returns when it has ended.</summary>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
