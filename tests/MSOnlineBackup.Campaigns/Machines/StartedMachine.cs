using System.Diagnostics;
using System.Net.Sockets;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>
/// A machine under QEMU that has nothing but a disk as tests/guest/disk.sh makes it, and starts from it. Where the disk has an error, it stands still.
/// </summary>
internal sealed class StartedMachine : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly Process _process;
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;

    private StartedMachine(TempFolder folder, Process process, Stream shell, QemuMonitor monitor)
    {
        (_folder, _process, Monitor) = (folder, process, monitor);
        _reader = new StreamReader(shell);
        _writer = new StreamWriter(shell) { AutoFlush = true };
    }

    /// <summary>QEMU's monitor. The disk is called <c>disk</c> there.</summary>
    public QemuMonitor Monitor { get; }

    /// <summary>What is on its console.</summary>
    public string Console => File.ReadAllText(_folder["console"]).ReplaceLineEndings("\n");

    // A machine that does not start says nothing, and does not end.
    private static CancellationToken Patience()
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(10));
        return patience.Token;
    }

    /// <summary>Starts it, and returns when the disk's own first process takes commands.</summary>
    /// <param name="disk">The disk: what it writes goes there.</param>
    /// <param name="more">More arguments of QEMU's.</param>
    public static async Task<StartedMachine> StartAsync(string disk, params string[] more)
    {
        var folder = new TempFolder();
        using Socket shell = Listen(folder["shell"]);
        using Socket monitor = Listen(folder["monitor"]);
        string[] arguments =
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "512",
            "-drive", $"if=none,id=disk,file={disk},format=qcow2", "-device", "virtio-blk-pci,drive=disk,rerror=stop,werror=stop",
            "-chardev", $"file,id=console,path={folder["console"]}", "-serial", "chardev:console",
            "-chardev", $"socket,id=shell,path={folder["shell"]}", "-serial", "chardev:shell",
            "-chardev", $"socket,id=monitor,path={folder["monitor"]}", "-mon", "chardev=monitor,mode=control",
            .. more,
        ];
        Process process = Process.Start(new ProcessStartInfo("qemu-system-x86_64", arguments) { RedirectStandardError = true })!;
        try
        {
            var machine = new StartedMachine(folder, process, await AcceptAsync(shell, process), new QemuMonitor(await AcceptAsync(monitor, process)));
            await machine.Monitor.BeginAsync(Patience());
            string? said = await machine._reader.ReadLineAsync(Patience());
            Assert.True(said == "ready", $"The machine did not start: {said}\n{machine.Console}");
            return machine;
        }
        catch
        {
            process.Kill();
            process.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Runs a command in it, which must succeed, and gives what it says.</summary>
    public async Task<string> RunAsync(string command)
    {
        CancellationToken patience = Patience();
        await _writer.WriteLineAsync(command.AsMemory(), patience);
        var output = new List<string>();
        while (true)
        {
            string? line = await _reader.ReadLineAsync(patience);
            Assert.True(line is not null, $"The machine is gone.\n{Console}");
            if (line.StartsWith("ended ", StringComparison.Ordinal))
            {
                Assert.True(line == "ended 0", $"'{command}' {line}: {string.Join('\n', output)}");
                return string.Join('\n', output);
            }

            output.Add(line);
        }
    }

    /// <summary>Has it switch itself off.</summary>
    public async Task SwitchOffAsync()
    {
        CancellationToken patience = Patience();
        await _writer.WriteLineAsync("sync; busybox poweroff -f".AsMemory(), patience);
        await _process.WaitForExitAsync(patience);
        Assert.Equal(0, _process.ExitCode);
        Assert.Contains("Power down", Console, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        TestContext.Current.TestOutputHelper?.WriteLine(Console);
        Monitor.Dispose();
        await _writer.DisposeAsync();
        _reader.Dispose();
        _process.Dispose();
        _folder.Dispose();
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static async Task<NetworkStream> AcceptAsync(Socket socket, Process process)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<Socket> accepted = socket.AcceptAsync(stop.Token).AsTask();
        Task ended = process.WaitForExitAsync(stop.Token);
        if (await Task.WhenAny(accepted, ended) == ended)
        {
            throw new InvalidOperationException($"QEMU has ended: {await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)}");
        }

        await stop.CancelAsync();
        return new NetworkStream(await accepted, ownsSocket: true);
    }
}
