using System.Text.Json;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>Speaks QMP with a QEMU.</summary>
/// <param name="stream">The connection.</param>
internal sealed class QemuMonitor(Stream stream) : IDisposable
{
    private readonly StreamReader _reader = new(stream);
    private readonly StreamWriter _writer = new(stream) { AutoFlush = true };
    private readonly List<JsonElement> _events = [];

    /// <summary>Greets.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        Assert.True((await ReadAsync(cancellationToken)).TryGetProperty("QMP", out _));
        await ExecuteAsync("qmp_capabilities", new { }, cancellationToken);
    }

    /// <summary>Has a command carried out, which must succeed, and gives its answer.</summary>
    public async Task<JsonElement> ExecuteAsync(string command, object arguments, CancellationToken cancellationToken)
    {
        await _writer.WriteLineAsync(JsonSerializer.Serialize(new { execute = command, arguments }).AsMemory(), cancellationToken);
        while (true)
        {
            JsonElement said = await ReadAsync(cancellationToken);
            if (!said.TryGetProperty("event", out _))
            {
                return said.TryGetProperty("return", out JsonElement answer) ? answer : throw new InvalidOperationException($"'{command}' was answered with {said}.");
            }

            _events.Add(said);
        }
    }

    /// <summary>Waits until something has happened since the last time, and gives it.</summary>
    public async Task<JsonElement> WaitForAsync(string happening, CancellationToken cancellationToken)
    {
        while (true)
        {
            int found = _events.FindIndex(one => one.GetProperty("event").GetString() == happening);
            if (found >= 0)
            {
                JsonElement happened = _events[found];
                _events.RemoveRange(0, found + 1);
                return happened;
            }

            _events.Add(await ReadAsync(cancellationToken));
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
    }

    private async Task<JsonElement> ReadAsync(CancellationToken cancellationToken)
    {
        string line = await _reader.ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException("QEMU has gone.");
        return JsonDocument.Parse(line).RootElement.Clone();
    }
}
