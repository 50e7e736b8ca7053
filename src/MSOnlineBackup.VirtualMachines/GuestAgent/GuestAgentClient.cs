using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>
/// A client of the agent in a guest (qemu-ga), over the socket of its serial line. A line has no connections: what an earlier client asked may still be answered, so that what is
/// heard counts only after <see cref="SyncAsync"/>. One caller at a time.
/// </summary>
internal sealed class GuestAgentClient : IGuestAgent
{
    private const string What = "guest agent";
    private const byte Mark = 0xff;
    private const int MostLineBytes = 8 << 20;

    private readonly string _path;
    private readonly NetworkStream _stream;
    private readonly LineReader _lines;
    private readonly TimeProvider _time;

    private GuestAgentClient(string path, NetworkStream stream, TimeProvider time)
    {
        (_path, _stream, _time) = (path, stream, time);
        _lines = new LineReader(stream, MostLineBytes);
    }

    /// <summary>Connects; whether an agent is there is not known before it has answered.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineBusy.</exception>
    public static async Task<GuestAgentClient> ConnectAsync(string path, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) =>
        new(path, new NetworkStream(await LocalSocket.ConnectAsync(path, What, patience, cancellationToken).ConfigureAwait(false), ownsSocket: true), time);

    /// <summary>Has the agent answer what was asked before, and skips that.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable: no agent answers.</exception>
    public async Task SyncAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        long id = RandomNumberGenerator.GetInt32(int.MaxValue);
        var command = new JsonObject { ["execute"] = "guest-sync-delimited", ["arguments"] = new JsonObject { ["id"] = id } };
        await WithinAsync("guest-sync-delimited", patience, async stop =>
        {
            // The mark has the agent forget half a command that somebody has left there.
            await _stream.WriteAsync(new[] { Mark }, stop).ConfigureAwait(false);
            await WriteAsync(command, stop).ConfigureAwait(false);
            while (true)
            {
                await _lines.SkipPastAsync(Mark, stop).ConfigureAwait(false);
                using JsonDocument answer = JsonDocument.Parse(await _lines.ReadAsync(stop).ConfigureAwait(false));
                if (answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty("return", out JsonElement said)
                    && said.ValueKind == JsonValueKind.Number && said.TryGetInt64(out long number) && number == id)
                {
                    return default(JsonElement);
                }
            }
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Has a command carried out.</summary>
    /// <returns>The answer.</returns>
    /// <exception cref="GuestAgentException">The agent refused it.</exception>
    /// <exception cref="BackupException">VirtualMachineUnreachable: it does not answer. The next command is to be <see cref="SyncAsync"/>.</exception>
    public Task<JsonElement> ExecuteAsync(string command, TimeSpan patience, CancellationToken cancellationToken) =>
        WithinAsync(command, patience, async stop =>
        {
            await WriteAsync(new JsonObject { ["execute"] = command }, stop).ConfigureAwait(false);
            using JsonDocument answer = JsonDocument.Parse(await _lines.ReadAsync(stop).ConfigureAwait(false));
            JsonElement said = answer.RootElement;
            return said.ValueKind != JsonValueKind.Object ? throw new InvalidDataException("It says what is no answer.")
                : said.TryGetProperty("error", out JsonElement error) ? throw new GuestAgentException(command, error.TryGetProperty("desc", out JsonElement text) ? $"{text}" : $"{error}")
                : said.TryGetProperty("return", out JsonElement result) ? result.Clone()
                : throw new InvalidDataException("It says what is no answer.");
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task WriteAsync(JsonObject command, CancellationToken cancellationToken) =>
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(command.ToJsonString() + "\n"), cancellationToken).ConfigureAwait(false);

    private async Task<JsonElement> WithinAsync(string command, TimeSpan patience, Func<CancellationToken, Task<JsonElement>> action, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await action(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw LocalSocket.Unreachable(_path, What, $"it did not answer '{command}' within {patience.TotalSeconds} s");
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            throw LocalSocket.Unreachable(_path, What, e.Message, e);
        }
    }
}

/// <summary>The agent in a guest refused a command.</summary>
internal sealed class GuestAgentException(string command, string why) : Exception($"the guest agent refused '{command}': {why}");
