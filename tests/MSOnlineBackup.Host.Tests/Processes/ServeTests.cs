using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Recovery points served by the program as it is run, until Ctrl+C.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly Obengine _obengine = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _obengine.Dispose();
    }

    [Fact]
    public async Task A_point_is_served_by_WebDAV_until_Ctrl_C()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sends SIGINT.");
        await BackUpAsync();
        using Process process = Start("webdav", "latest", "--json");
        JsonElement serving = await ReadAsync(process);

        Assert.Equal(("serving", "webdav"), (serving.GetProperty("type").GetString(), serving.GetProperty("protocol").GetString()));
        var address = new Uri(serving.GetProperty("address").GetString()!);
        Assert.Equal("content", await _client.GetStringAsync(new Uri(address, _obengine.Source[1..] + "/file"), Cancel));
        using HttpResponseMessage stranger = await _client.GetAsync(new Uri(address, "/"), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);

        JsonElement summary = await StopAsync(process);
        Assert.Equal(("serve webdav", address.AbsoluteUri), (summary.GetProperty("command").GetString(), summary.GetProperty("address").GetString()));
        await Assert.ThrowsAsync<HttpRequestException>(async () => await _client.GetStringAsync(address, Cancel));
    }

    [Fact]
    public async Task All_points_are_served_and_people_are_told_how_to_open_them()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sends SIGINT.");
        await BackUpAsync();
        using Process process = Start("webdav", "--all", "--machine", "ALPHA");
        string first = (await process.StandardOutput.ReadLineAsync(Cancel))!;
        var address = new Uri(first["Served at ".Length..]);

        Assert.Equal("content", await _client.GetStringAsync(new Uri(address, $"ALPHA/latest{_obengine.Source}/file"), Cancel));

        Shell.RunChecked("kill", "-INT", $"{process.Id}");
        Run run = await Obengine.FinishAsync(process);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"net use * {address.AbsoluteUri.TrimEnd('/')}", run.Output, StringComparison.Ordinal);
        Assert.Contains("rclone", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_is_served_by_NBD_until_Ctrl_C()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sends SIGINT.");
        await BackUpAsync();
        string socket = _obengine.Folder["disk.sock"];
        using Process process = Start("nbd", "latest", _obengine.Source + "/file", "--socket", socket, "--json");
        JsonElement serving = await ReadAsync(process);

        Assert.Equal(("nbd", 7), (serving.GetProperty("protocol").GetString(), serving.GetProperty("bytes").GetInt64()));
        using (var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await client.ConnectAsync(new UnixDomainSocketEndPoint(socket), Cancel);
            byte[] greeting = new byte[8];
            Assert.Equal(8, await client.ReceiveAsync(greeting, Cancel));
            Assert.Equal("NBDMAGIC"u8.ToArray(), greeting);
        }

        await StopAsync(process);
        Assert.False(File.Exists(socket));
    }

    [Theory]
    [InlineData(2, "ArgumentInvalid", "webdav")]
    [InlineData(2, "ArgumentInvalid", "webdav", "latest", "--all")]
    [InlineData(2, "ArgumentInvalid", "webdav", "latest", "--port", "0")]
    [InlineData(2, "ArgumentInvalid", "nbd", "latest", "/x", "--port", "1", "--socket", "s")]
    public async Task What_cannot_be_meant_is_refused(int code, string id, params string[] arguments)
    {
        var run = new HostRun();

        Assert.Equal(code, await run.RunAsync(["serve", .. arguments, "--vault", "/v", "--json"]));

        Assert.Contains($"\"id\":\"{id}\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_served_is_an_error_by_its_id()
    {
        await BackUpAsync();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string port = $"{((IPEndPoint)other.LocalEndpoint).Port}";

        Assert.Equal("ServerAddressTaken", await FailAsync("webdav", "latest", "--port", port));
        Assert.Equal("ServerAddressTaken", await FailAsync("nbd", "latest", _obengine.Source + "/file", "--socket", _obengine.PassphraseFile));
        Assert.Equal("RecoverableItemNotFound", await FailAsync("nbd", "latest", _obengine.Source + "/none"));
        Assert.Equal("RestoreItemFailed", await FailAsync("nbd", "latest", _obengine.Source));
    }

    private async Task BackUpAsync()
    {
        await _obengine.CreateVaultAsync();
        await File.WriteAllTextAsync(_obengine.Source + "/file", "content", Cancel);
        await _obengine.JsonAsync("backup", _obengine.Source, "--machine", "ALPHA");
    }

    private Process Start(params string[] arguments) => _obengine.Start(["serve", .. arguments, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile]);

    private static async Task<JsonElement> ReadAsync(Process process) =>
        JsonDocument.Parse((await process.StandardOutput.ReadLineAsync(Cancel))!).RootElement.Clone();

    private static async Task<JsonElement> StopAsync(Process process)
    {
        Shell.RunChecked("kill", "-INT", $"{process.Id}");
        Run run = await Obengine.FinishAsync(process);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Lines()[^1];
    }

    private async Task<string> FailAsync(params string[] arguments)
    {
        using Process process = Start([.. arguments, "--json"]);
        Run run = await Obengine.FinishAsync(process);
        Assert.Equal(1, run.ExitCode);
        return run.Lines()[^1].GetProperty("id").GetString()!;
    }
}
