using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Qmp;

/// <summary>
/// A client of QEMU's monitor (QMP). Commands are answered in their order, by their ids; what QEMU tells meanwhile (events) is read beside them. The monitor takes one client at a
/// time: whoever comes next is connected, and hears nothing.
/// </summary>
internal sealed class QmpClient : IQemuMonitor
{
    private const string What = "monitor";

    // What is told of 32 disks with long chains of images is a few hundred KiB.
    private const int MostLineBytes = 16 << 20;

    private readonly string _path;
    private readonly NetworkStream _stream;
    private readonly LineReader _lines;
    private readonly TimeSpan _patience;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<long, TaskCompletionSource<JsonElement>> _waiting = [];
    private Task _reading = Task.CompletedTask;
    private Exception? _broken;
    private long _lastId;

    private QmpClient(string path, NetworkStream stream, TimeSpan patience)
    {
        (_path, _stream, _patience) = (path, stream, patience);
        _lines = new LineReader(stream, MostLineBytes);
    }

    /// <summary>The version of QEMU.</summary>
    public Version Version { get; private set; } = new();

    /// <summary>Is told of each event of QEMU's, as it comes; from another thread.</summary>
    public Action<JsonElement> OnEvent { get; set; } = static _ => { };

    /// <summary>Connects, and comes to terms.</summary>
    /// <param name="path">The socket of the monitor.</param>
    /// <param name="patience">How long QEMU may take to greet.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="answerPatience">How long QEMU may take for a command; a minute where nothing is said.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable; VirtualMachineBusy: another client holds the monitor.</exception>
    public static async Task<QmpClient> ConnectAsync(string path, TimeSpan patience, CancellationToken cancellationToken, TimeSpan? answerPatience = null)
    {
        Socket socket = await LocalSocket.ConnectAsync(path, What, patience, cancellationToken).ConfigureAwait(false);
        var client = new QmpClient(path, new NetworkStream(socket, ownsSocket: true), answerPatience ?? TimeSpan.FromMinutes(1));
        try
        {
            client.Version = await client.ReadGreetingAsync(patience, cancellationToken).ConfigureAwait(false);
            client._reading = Task.Run(client.ReadAllAsync, CancellationToken.None);
            await client.ExecuteAsync("qmp_capabilities", null, cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Has a command carried out, and gives its answer.</summary>
    /// <exception cref="QmpException">QEMU refused it.</exception>
    /// <exception cref="BackupException">VirtualMachineUnreachable: QEMU has gone, or does not answer.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        long id;
        lock (_lock)
        {
            if (_broken is not null)
            {
                throw Unreachable(_broken);
            }

            id = ++_lastId;
            _waiting.Add(id, answer);
        }

        var line = new JsonObject { ["execute"] = command, ["id"] = id };
        if (arguments is not null)
        {
            line["arguments"] = arguments;
        }

        try
        {
            await WriteAsync(System.Text.Encoding.UTF8.GetBytes(line.ToJsonString() + "\n"), cancellationToken).ConfigureAwait(false);
            JsonElement said = await answer.Task.WaitAsync(_patience, cancellationToken).ConfigureAwait(false);
            return said.TryGetProperty("error", out JsonElement error) ? throw QmpException.From(command, error) : said.GetProperty("return");
        }
        catch (TimeoutException e)
        {
            // Whatever comes later is of a command that nobody waits for: nothing can be relied on any more.
            Break(e);
            throw LocalSocket.Unreachable(_path, What, $"'{command}' was not answered within {_patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", e);
        }
        catch (IOException e)
        {
            Break(e);
            throw Unreachable(e);
        }
        finally
        {
            lock (_lock)
            {
                _waiting.Remove(id);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _stop.Dispose();
        _writing.Dispose();
    }

    private async Task<Version> ReadGreetingAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(patience);
        try
        {
            using JsonDocument greeting = JsonDocument.Parse(await _lines.ReadAsync(late.Token).ConfigureAwait(false));
            JsonElement version = greeting.RootElement.GetProperty("QMP").GetProperty("version").GetProperty("qemu");
            return new Version(version.GetProperty("major").GetInt32(), version.GetProperty("minor").GetInt32(), version.GetProperty("micro").GetInt32());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw LocalSocket.Busy(_path, What);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw Unreachable(e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            throw LocalSocket.Unreachable(_path, What, "what is there does not greet as QEMU does", e);
        }
    }

    private async Task WriteAsync(byte[] line, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Half a command would spoil all that follow: once begun it is written whole.
            await _stream.WriteAsync(line, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            throw new IOException("The connection was closed.", e);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("The connection was closed.", e);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAllAsync()
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> line = await _lines.ReadAsync(_stop.Token).ConfigureAwait(false);
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement said = document.RootElement.Clone();
                if (said.ValueKind == JsonValueKind.Object && said.TryGetProperty("event", out _))
                {
                    OnEvent(said);
                    continue;
                }

                TaskCompletionSource<JsonElement>? waiting;
                lock (_lock)
                {
                    waiting = IdOf(said) is { } id && _waiting.Remove(id, out TaskCompletionSource<JsonElement>? found) ? found : null;
                }

                // What answers nothing that is still waited for was asked by somebody who gave up.
                waiting?.TrySetResult(said);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException or ObjectDisposedException or OperationCanceledException)
        {
            Break(e);
        }
    }

    private static long? IdOf(JsonElement said) =>
        said.ValueKind != JsonValueKind.Object || !(said.TryGetProperty("return", out _) || said.TryGetProperty("error", out _)) ? throw new InvalidDataException("It says what is no answer.")
        : said.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out long number) ? number
        : null;

    private void Break(Exception cause)
    {
        lock (_lock)
        {
            _broken ??= cause;
            foreach (TaskCompletionSource<JsonElement> waiting in _waiting.Values)
            {
                waiting.TrySetException(Unreachable(cause));
            }

            _waiting.Clear();
        }
    }

    private BackupException Unreachable(Exception cause) => LocalSocket.Unreachable(_path, What, cause is EndOfStreamException ? "QEMU closed the connection" : cause.Message, cause);
}
