using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>Real servers of real vaults, by <c>obengine serve</c>: over parts that are damaged, and a vault that goes away while it is read.</summary>
public sealed class ServedVaultTests : IDisposable
{
    private const int Size = 100 << 20;
    private const int Part = 64 << 10;

    private readonly Obengine _obengine = new();
    private readonly HttpClient _client = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Large => _obengine.Source + "/large";

    public void Dispose()
    {
        _client.Dispose();
        _obengine.Dispose();
    }

    [Fact]
    public async Task Over_WebDAV_a_damaged_range_fails_alone_and_its_file_is_named_once()
    {
        byte[] content = await PrepareAsync(12 << 20);
        VaultDamage.AlterLargestPack(_obengine.Vault);
        using Process server = Serve("webdav", "latest");
        string address = await AddressAsync(server) + Large[1..];

        var failed = new List<int>();
        for (int offset = 0; offset < content.Length; offset += Part)
        {
            using HttpResponseMessage answer = await GetAsync(address, offset, offset + Part - 1);
            if (answer.StatusCode == HttpStatusCode.InternalServerError)
            {
                Assert.Contains($"Not all of '{Large}' can be read", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
                failed.Add(offset);
            }
            else
            {
                Assert.Equal(content[offset..(offset + Part)], await answer.Content.ReadAsByteArrayAsync(Stop));
            }
        }

        // One chunk of it: what is next to one another.
        Assert.InRange(failed.Count, 1, content.Length / Part / 2);
        Assert.Equal((failed.Count - 1) * Part, failed[^1] - failed[0]);
        Assert.Equal("small", await _client.GetStringAsync(address.Replace("/large", "/small", StringComparison.Ordinal), Stop));
        string told = Assert.Single(await EndAsync(server), line => line.StartsWith("warning: ", StringComparison.Ordinal));
        Assert.StartsWith($"warning: Not all of '{Large}' can be read: Object '", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_NBD_a_damaged_range_fails_alone_and_its_file_is_named_once()
    {
        Need("qemu-img");
        byte[] content = await PrepareAsync(12 << 20);
        VaultDamage.AlterLargestPack(_obengine.Vault);
        using Process server = Serve("nbd", "latest", Large);
        string address = await AddressAsync(server);

        // What cannot be read becomes zeroes there.
        string copy = _obengine.Folder["copy"];
        Shell.RunChecked("qemu-img", "convert", "--salvage", "-f", "raw", "-O", "raw", address, copy);

        byte[] copied = await File.ReadAllBytesAsync(copy, Stop);
        Assert.Equal(content.Length, copied.Length);
        int failed = 0;
        for (int offset = 0; offset < content.Length; offset += 512)
        {
            if (!copied.AsSpan(offset, 512).SequenceEqual(content.AsSpan(offset, 512)))
            {
                Assert.False(copied.AsSpan(offset, 512).ContainsAnyExcept((byte)0));
                failed += 512;
            }
        }

        Assert.InRange(failed, 1, content.Length / 2);
        string told = Assert.Single(await EndAsync(server), line => line.StartsWith("warning: ", StringComparison.Ordinal));
        Assert.StartsWith($"warning: Not all of '{Large}' can be read: Object '", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_WebDAV_what_is_sent_while_the_vault_goes_away_breaks_off_and_goes_on_when_it_is_back()
    {
        byte[] content = await PrepareAsync(Size);
        using Process server = Serve("webdav", "latest");
        string address = await AddressAsync(server) + Large[1..];
        var got = new MemoryStream();
        using (HttpResponseMessage answer = await GetAsync(address, 0, null))
        {
            await using Stream body = await answer.Content.ReadAsStreamAsync(Stop);
            byte[] buffer = new byte[1 << 20];
            await body.ReadExactlyAsync(buffer, Stop);
            await got.WriteAsync(buffer, Stop);
            MoveAway();
            await Assert.ThrowsAnyAsync<IOException>(async () =>
            {
                while (await body.ReadAsync(buffer, Stop) is > 0 and int read)
                {
                    await got.WriteAsync(buffer.AsMemory(0, read), Stop);
                }
            });
        }

        Assert.InRange(got.Length, 1 << 20, Size - 1);
        using (HttpResponseMessage away = await GetAsync(address, Size - 1000, null))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
            Assert.NotNull(away.Headers.RetryAfter);
        }

        MoveBack();
        using (HttpResponseMessage rest = await GetAsync(address, got.Length, null))
        {
            Assert.Equal(HttpStatusCode.PartialContent, rest.StatusCode);
            await rest.Content.CopyToAsync(got, Stop);
        }

        Assert.True(content.AsSpan().SequenceEqual(got.ToArray()));
        Assert.Contains(await EndAsync(server), line => line.StartsWith("warning: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Over_NBD_a_connection_outlives_a_vault_that_goes_away_and_comes_back()
    {
        Need("qemu-io", "nbdcopy");
        await PrepareAsync(Size);
        using Process server = Serve("nbd", "latest", Large);
        string address = await AddressAsync(server);
        var start = new ProcessStartInfo("qemu-io", ["-r", "-f", "raw", address]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process client = Process.Start(start)!;
        Task<string> errors = client.StandardError.ReadToEndAsync(Stop);

        Assert.Contains("read 4096/4096", await AskAsync("read 0 4k"), StringComparison.Ordinal);
        MoveAway();
        Assert.Contains("Input/output error", await AskAsync("read 90M 4k"), StringComparison.Ordinal);
        MoveBack();
        Assert.Contains("read 4096/4096", await AskAsync("read 90M 4k"), StringComparison.Ordinal);
        await client.StandardInput.WriteLineAsync("quit");
        await client.WaitForExitAsync(Stop);
        await errors;

        Shell.RunChecked("nbdcopy", address, _obengine.Folder["copy"]);
        Assert.Empty(Shell.Run("cmp", Large, _obengine.Folder["copy"]).Output);
        Assert.Contains(await EndAsync(server), line => line.StartsWith("warning: ", StringComparison.Ordinal));

        async Task<string> AskAsync(string command)
        {
            await client.StandardInput.WriteLineAsync(command);
            while (true)
            {
                string line = await client.StandardOutput.ReadLineAsync(Stop) ?? throw new InvalidOperationException("qemu-io has ended.");
                if (line.Contains("read ", StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }
    }

    private static void Need(params string[] programs)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        Assert.SkipUnless(programs.All(program => path.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)))), $"Needs {string.Join(", ", programs)}.");
    }

    private async Task<byte[]> PrepareAsync(int size)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Runs on Linux.");
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("large", size, seed: 7).File("small", "small"u8);
        Run backup = await _obengine.OnVaultAsync("backup", _obengine.Source, "--quiet");
        Assert.True(backup.ExitCode == 0, backup.ToString());
        return await File.ReadAllBytesAsync(Large, Stop);
    }

    private void MoveAway() => Directory.Move(_obengine.Vault, _obengine.Vault + ".away");

    private void MoveBack() => Directory.Move(_obengine.Vault + ".away", _obengine.Vault);

    private Process Serve(params string[] arguments) => _obengine.Start(["serve", .. arguments, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile]);

    private static async Task<string> AddressAsync(Process server)
    {
        const string Said = "Served at ";
        string? line;
        do
        {
            line = await server.StandardOutput.ReadLineAsync(Stop) ?? throw new InvalidOperationException(await server.StandardError.ReadToEndAsync(Stop));
        }
        while (!line.StartsWith(Said, StringComparison.Ordinal));
        return line[Said.Length..];
    }

    private async Task<HttpResponseMessage> GetAsync(string address, long from, long? to)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Range = new RangeHeaderValue(from, to) } };
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
    }

    // What it has written of errors, line by line.
    private static async Task<string[]> EndAsync(Process server)
    {
        Shell.RunChecked("kill", "-INT", $"{server.Id}");
        return (await Obengine.FinishAsync(server)).Error.Split('\n');
    }
}
