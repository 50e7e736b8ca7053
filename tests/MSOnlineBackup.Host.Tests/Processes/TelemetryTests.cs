using System.Collections.Concurrent;
using System.Text;
using System.Globalization;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>The real program and a collector of OpenTelemetry, which is a server on loopback that decodes what comes.</summary>
public sealed class TelemetryTests : IDisposable
{
    private readonly Obengine _obengine = new();
    private readonly ConcurrentBag<(string Path, byte[] Body)> _requests = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task Spans_and_figures_go_to_the_collector_that_the_environment_names()
    {
        await using var collector = new LoopbackServer(CollectAsync);
        await _obengine.CreateVaultAsync();
        await File.WriteAllTextAsync(_obengine.Source + "/secret-name", "content", Cancel);
        _obengine.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url.ToString();
        _obengine.Variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        _obengine.Variables["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=test";

        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source)).ExitCode);

        // ExportTraceServiceRequest: resource_spans 1, of which resource 1 and scope_spans 2, of which scope 1 and spans 2, of which name 5.
        byte[][] traces = Bodies("/v1/traces");
        string[] spans = [.. traces.SelectMany(body => Wire.Find(body, 1, 2, 2, 5)).Select(Encoding.UTF8.GetString)];
        Assert.Contains("backup", spans);
        Assert.Contains("vault.write", spans);
        Assert.Equal(["MSOnlineBackup"], traces.SelectMany(body => Wire.Find(body, 1, 2, 1, 1)).Select(Encoding.UTF8.GetString).Distinct());
        string[] attributes = [.. traces.SelectMany(body => Wire.Find(body, 1, 1, 1, 2, 1)).Select(Encoding.UTF8.GetString)];
        Assert.Contains("msonlinebackup", attributes);
        Assert.Contains("test", attributes);

        // ExportMetricsServiceRequest: resource_metrics 1, scope_metrics 2, metrics 2, name 1.
        byte[][] metrics = Bodies("/v1/metrics");
        string[] figures = [.. metrics.SelectMany(body => Wire.Find(body, 1, 2, 2, 1)).Select(Encoding.UTF8.GetString)];
        Assert.Contains("msonlinebackup.files", figures);
        Assert.Contains("msonlinebackup.operation.duration", figures);

        Assert.DoesNotContain(_requests, request => Encoding.Latin1.GetString(request.Body).Contains("secret-name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_collector_that_is_not_there_harms_no_backup()
    {
        await _obengine.CreateVaultAsync();
        await File.WriteAllTextAsync(_obengine.Source + "/file", "content", Cancel);
        _obengine.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackServer.ClosedPort()}");
        _obengine.Variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";

        Run run = await _obengine.OnVaultAsync("backup", _obengine.Source);

        Assert.Equal((0, ""), (run.ExitCode, string.Concat(run.Error.Split('\n').Where(line => line.Contains("OTEL", StringComparison.OrdinalIgnoreCase)))));
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    public async Task Nothing_is_sent_where_nobody_wants_it(string variable, string value)
    {
        await using var collector = new LoopbackServer(CollectAsync);
        await _obengine.CreateVaultAsync();
        _obengine.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url.ToString();
        _obengine.Variables[variable] = value;

        Assert.Equal(0, (await _obengine.OnVaultAsync("points")).ExitCode);

        Assert.Equal(0, collector.Connections);
    }

    private byte[][] Bodies(string path)
    {
        byte[][] bodies = [.. _requests.Where(request => request.Path == path).Select(request => request.Body)];
        Assert.NotEmpty(bodies);
        return bodies;
    }

    private async Task CollectAsync(Stream stream, CancellationToken stop)
    {
        while (await LoopbackServer.ReadHeadAsync(stream, stop) is { Length: > 0 } head)
        {
            string length = head.Single(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))["Content-Length:".Length..];
            Assert.Contains(head, line => line.Equals("Content-Type: application/x-protobuf", StringComparison.OrdinalIgnoreCase));
            byte[] body = new byte[int.Parse(length, CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(body, stop);
            _requests.Add((head[0].Split(' ')[1], body));
            await LoopbackServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n", stop);
        }
    }

    /// <summary>Reads messages of protobuf by the numbers of their fields.</summary>
    private static class Wire
    {
        /// <summary>What is in the field at the end of a path of messages.</summary>
        public static IEnumerable<byte[]> Find(byte[] message, params int[] path) =>
            Fields(message).Where(field => field.Number == path[0]).SelectMany(field => path.Length == 1 ? [field.Content] : Find(field.Content, path[1..]));

        private static List<(int Number, byte[] Content)> Fields(byte[] message)
        {
            var fields = new List<(int, byte[])>();
            int at = 0;
            while (at < message.Length)
            {
                int key = (int)Varint(message, ref at);
                int length = (key & 7) switch
                {
                    0 => -1,
                    1 => 8,
                    2 => (int)Varint(message, ref at),
                    5 => 4,
                    int kind => throw new InvalidDataException($"There is no wire type {kind}."),
                };
                if (length < 0)
                {
                    Varint(message, ref at);
                    continue;
                }

                if ((key & 7) == 2)
                {
                    fields.Add((key >> 3, message[at..(at + length)]));
                }

                at += length;
            }

            return fields;
        }

        private static ulong Varint(byte[] message, ref int at)
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte one = message[at++];
                value |= (ulong)(one & 0x7f) << shift;
                if (one < 0x80)
                {
                    return value;
                }
            }
        }
    }
}
