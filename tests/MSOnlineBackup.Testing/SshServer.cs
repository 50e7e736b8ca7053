using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MSOnlineBackup.Testing;

/// <summary>
/// A throw-away sshd on loopback, with keys of its own, in a mount namespace of its own: nothing of the machine is changed. The host is called
/// <c>vaulthost</c> by the client's configuration, which is of the test, too.
/// </summary>
public sealed class SshServer : IDisposable
{
    private const string Host = "vaulthost";

    private readonly TempFolder _folder = new();
    private readonly int _port = FreePort();
    private readonly Process _process;

    private SshServer(string program, IReadOnlyList<string> accounts)
    {
        if (!OperatingSystem.IsWindows())
        {
            // Accounts that are not root's look for their keys here.
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)Convert.ToInt32("755", 8));
        }

        foreach (string key in new[] { "host", "user", "other" })
        {
            Shell.RunChecked("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", _folder[key]);
        }

        Allow(command: null);
        Know("host");
        File.WriteAllText(
            _folder["sshd_config"],
            $"""
            Port {_port}
            ListenAddress 127.0.0.1
            HostKey {_folder["host"]}
            AuthorizedKeysFile {_folder["authorized"]}
            StrictModes no
            UsePAM no
            PidFile none
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            MaxStartups 100

            """);
        WriteClient("user");

        // sshd wants a folder in /run and an account of its own; both are there for it alone.
        string known = File.ReadAllText("/etc/passwd");
        File.WriteAllText(
            _folder["passwd"],
            known + string.Concat(accounts.Select(account => account + "\n")) + (known.Contains("\nsshd:", StringComparison.Ordinal) ? "" : "sshd:x:74:65534::/run/sshd:/usr/sbin/nologin\n"));
        _process = Process.Start(new ProcessStartInfo(
            "unshare",
            [
                "-m", "--kill-child", "sh", "-c", "mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind \"$1\" /etc/passwd && exec \"$2\" -D -e -f \"$3\" 2>\"$4\"",
                "sh", _folder["passwd"], program, _folder["sshd_config"], _folder["log"],
            ]))!;
    }

    /// <summary>How ssh is called so that it finds the host.</summary>
    public string Client => $"ssh -F {_folder["client"]}";

    /// <summary>The port on which it listens.</summary>
    public int Port => _port;

    /// <summary>The private key that it lets in.</summary>
    public string UserKey => _folder["user"];

    /// <summary>What sshd has said.</summary>
    public string Log => File.ReadAllText(_folder["log"]);

    /// <summary>The location of a folder there.</summary>
    public static string Location(string folder) => $"ssh://{Host}{folder}";

    /// <summary>Starts one; the test is skipped where that cannot be.</summary>
    /// <param name="stop">Stops it.</param>
    /// <param name="accounts">Lines of passwd that are there for it alone.</param>
    public static async Task<SshServer> StartAsync(CancellationToken stop, params IReadOnlyList<string> accounts)
    {
        Xunit.Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux: sshd runs in a mount namespace.");
        Xunit.Assert.SkipWhen(Shell.Run("sh", "-c", "command -v ssh && command -v ssh-keygen && command -v unshare").ExitCode != 0, "There is no ssh or unshare: install openssh-client and util-linux.");
        string? program = new[] { Environment.GetEnvironmentVariable("OB_SSHD"), "/usr/sbin/sshd" }.FirstOrDefault(File.Exists);
        Xunit.Assert.SkipWhen(program is null, "There is no sshd: install openssh-server, or name one with OB_SSHD.");
        var server = new SshServer(program!, accounts);
        try
        {
            while (!await AnswersAsync(server._port, stop))
            {
                Xunit.Assert.False(server._process.HasExited, "sshd has ended.");
                await Task.Delay(20, stop);
            }

            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>A command line that runs a command there.</summary>
    public string[] Command(string command) => [.. Client.Split(' '), "-T", "-o", "BatchMode=yes", "--", Host, command];

    /// <summary>The fingerprint of a key: <c>host</c> or <c>other</c>.</summary>
    public string FingerprintOf(string key) => Shell.RunChecked("ssh-keygen", "-l", "-f", _folder[key + ".pub"]).Split(' ')[1];

    /// <summary>Lets the client in, to everything, or to one command whatever it asks for.</summary>
    public void Allow(string? command) => File.WriteAllText(
        _folder["authorized"], (command is null ? "" : $"restrict,command=\"{command.Replace("\"", "\\\"", StringComparison.Ordinal)}\" ") + File.ReadAllText(_folder["user.pub"]));

    /// <summary>Has the client know a key as the host's: <c>host</c> is the right one.</summary>
    public void Know(string key) => File.WriteAllText(_folder["known"], $"[127.0.0.1]:{_port} {string.Join(' ', File.ReadAllText(_folder[key + ".pub"]).Split(' ')[..2])}\n");

    /// <summary>Has the client come with another key than the one that is allowed.</summary>
    public void ComeAs(string key) => WriteClient(key);

    /// <summary>Has the client know no host.</summary>
    public void Forget() => File.WriteAllText(_folder["known"], "");

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private void WriteClient(string key) => File.WriteAllText(
        _folder["client"],
        $"""
        Host {Host}
          HostName 127.0.0.1
          Port {_port}
          User root
          IdentityFile {_folder[key]}
          IdentitiesOnly yes
          StrictHostKeyChecking yes
          UserKnownHostsFile {_folder["known"]}
          GlobalKnownHostsFile /dev/null

        """);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> AnswersAsync(int port, CancellationToken stop)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
