using System.Security.Cryptography;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What <c>cat</c> writes.</summary>
public sealed class CatTests : IDisposable
{
    private readonly HostVault _vault = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _vault.Dispose();

    [Theory]
    [InlineData(0, null, null, 0, 0)]
    [InlineData(5, null, null, 0, 5)]
    [InlineData(20 << 20, null, null, 0, 20 << 20)]
    [InlineData(20 << 20, "9M", "2M", 9 << 20, 2 << 20)]
    [InlineData(20 << 20, "20971510", "1G", (20 << 20) - 10, 10)]
    [InlineData(5, "5", null, 5, 0)]
    [InlineData(5, "9", "1", 5, 0)]
    [InlineData(5, "1", "0", 1, 0)]
    public async Task It_writes_the_bytes_and_nothing_else(int size, string? offset, string? length, int from, int count)
    {
        byte[] content = await MakeAsync(size);
        HostRun run = Run();

        int code = await run.RunAsync(["cat", "latest", $"{_vault.Source}/f", "--json", .. offset is null ? [] : new[] { "--offset", offset }, .. length is null ? [] : new[] { "--length", length }]);

        Assert.Equal((0, ""), (code, run.Output));
        Assert.True(content.AsSpan(from, count).SequenceEqual(run.Bytes.ToArray()));
        JsonElement summary = JsonDocument.Parse(run.Error).RootElement;
        Assert.Equal(("cat", count), (summary.GetProperty("command").GetString(), summary.GetProperty("bytes").GetInt32()));
    }

    [Fact]
    public async Task Holes_are_zeros()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await using (FileStream sparse = File.Create($"{_vault.Source}/f"))
        {
            sparse.SetLength(12 << 20);
            sparse.Position = 10 << 20;
            await sparse.WriteAsync("end"u8.ToArray(), Cancel);
        }

        await _vault.BackUpAsync();
        HostRun run = Run();

        Assert.Equal(0, await run.RunAsync("cat", "latest", $"{_vault.Source}/f"));
        Assert.True((await File.ReadAllBytesAsync($"{_vault.Source}/f", Cancel)).AsSpan().SequenceEqual(run.Bytes.ToArray()));
        Assert.Equal("", run.Error);
    }

    [Fact]
    public async Task What_is_no_file_or_is_not_there_is_an_error_and_nothing_is_written()
    {
        await MakeAsync(5);
        Directory.CreateSymbolicLink($"{_vault.Source}/link", "f");
        await _vault.BackUpAsync();
        foreach ((string path, string error) in new[] { ("", "RestoreItemFailed"), ("/link", "RestoreItemFailed"), ("/none", "RecoverableItemNotFound") })
        {
            HostRun run = Run();

            Assert.Equal(1, await run.RunAsync("cat", "latest", _vault.Source + path, "--json"));
            Assert.Contains(error, run.Error, StringComparison.Ordinal);
            Assert.Equal(("", 0), (run.Output, run.Bytes.Length));
        }

        HostRun refused = Run();
        Assert.Equal(2, await refused.RunAsync("cat", "latest", _vault.Source, "--offset", "x"));
        Assert.Equal("", refused.Output);
    }

    [Fact]
    public async Task What_cannot_be_read_ends_it_with_an_error_after_what_can()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await File.WriteAllBytesAsync($"{_vault.Source}/f", RandomNumberGenerator.GetBytes(40 << 20), Cancel);
        await _vault.BackUpAsync();

        // The last data that came is the file's last.
        FileInfo[] packs = [.. _vault.FilesIn("packs").OrderByDescending(file => file.Length)];
        packs[0].Delete();
        HostRun run = Run();

        Assert.Equal(1, await run.RunAsync("cat", "latest", $"{_vault.Source}/f"));
        Assert.Contains("Error id: VaultData", run.Error, StringComparison.Ordinal);
        byte[] written = run.Bytes.ToArray();
        Assert.InRange(written.Length, 0, (40 << 20) - 1);
        Assert.True((await File.ReadAllBytesAsync($"{_vault.Source}/f", Cancel)).AsSpan(0, written.Length).SequenceEqual(written));
    }

    [Fact]
    public async Task A_reader_that_has_gone_ends_it_quietly_and_a_full_disk_does_not()
    {
        await MakeAsync(20 << 20);
        int asked = 0;
        HostRun left = Run(outputIsUnread: () => asked++ > 0);
        Assert.Equal(0, await left.RunAsync("cat", "latest", $"{_vault.Source}/f"));
        Assert.Equal((8 << 20, ""), (left.Bytes.Length, left.Error));

        HostRun full = Run(outputFault: () => new IOException("No space left on device"));
        Assert.Equal(1, await full.RunAsync("cat", "latest", $"{_vault.Source}/f"));
        Assert.Contains("OutputFailed", full.Error, StringComparison.Ordinal);
    }

    private HostRun Run(Func<bool>? outputIsUnread = null, Func<Exception?>? outputFault = null)
    {
        var run = new HostRun
        {
            Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase, ["OBENGINE_VAULT"] = _vault["vault"] },
            OutputIsUnread = outputIsUnread ?? (() => false),
            OutputFault = outputFault ?? (() => null),
        };
        run.Clock.JumpTo(TimeProvider.System.GetUtcNow());
        return run;
    }

    private async Task<byte[]> MakeAsync(int size)
    {
        byte[] content = RandomNumberGenerator.GetBytes(size);
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await File.WriteAllBytesAsync($"{_vault.Source}/f", content, Cancel);
        await _vault.BackUpAsync();
        return content;
    }
}
