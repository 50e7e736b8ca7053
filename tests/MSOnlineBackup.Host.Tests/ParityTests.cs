using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>A vault's owner asks for parity, from the beginning or later, and maintenance writes it.</summary>
public sealed class ParityTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public ParityTests()
    {
        File.WriteAllText(_folder["passphrase"], "a passphrase for tests\n");
        PrivateFile(_folder["passphrase"]);
        Directory.CreateDirectory(_folder["source"]);
        byte[] content = new byte[2_000_000];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(_folder["source/file"], content);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_vault_that_has_data_gets_parity_and_loses_it_again()
    {
        await RunAsync(0, "vault", "create", _folder["vault"], "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);
        await RunAsync(0, "backup", _folder["source"], "--vault", _folder["vault"], "--passphrase-file", _folder["passphrase"]);
        Assert.Equal(0, (await SummaryAsync("vault", "info", _folder["vault"])).GetProperty("parityPercent").GetInt32());

        string said = await RunAsync(
            0, "vault", "settings", _folder["vault"], "--parity", "5", "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);

        Assert.Contains("5 % of parity", said, StringComparison.Ordinal);
        Assert.Equal(5, (await SummaryAsync("vault", "info", _folder["vault"])).GetProperty("parityPercent").GetInt32());
        Assert.Contains("parity    2 packs protected; ", await MaintainAsync(), StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(_folder["vault"], "*.shards", SearchOption.AllDirectories));
        Assert.Contains(
            "no problems found",
            await RunAsync(0, "verify", "--read-data", "--vault", _folder["vault"], "--passphrase-file", _folder["passphrase"]),
            StringComparison.Ordinal);

        await RunAsync(0, "vault", "settings", _folder["vault"], "--parity", "0", "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);
        Assert.DoesNotContain("parity", await MaintainAsync(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder["vault"], "*.shards", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_new_vault_can_have_it_from_the_beginning()
    {
        await RunAsync(0, "vault", "create", _folder["vault"], "--parity", "10", "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);
        Assert.Equal(10, (await SummaryAsync("vault", "info", _folder["vault"])).GetProperty("parityPercent").GetInt32());
        Assert.Contains("parity    10 %", await RunAsync(0, "vault", "info", _folder["vault"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4"), InlineData("26"), InlineData("-5"), InlineData("much")]
    public async Task What_is_no_share_is_refused_before_anything_is_made(string percent)
    {
        await RunAsync(
            2, "vault", "create", _folder["vault"], "--parity", percent, "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);
        Assert.False(Directory.Exists(_folder["vault"]));
    }

    [Fact]
    public async Task Nobody_but_the_owner_can_ask_for_it()
    {
        await RunAsync(0, "vault", "create", _folder["vault"], "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);
        await RunAsync(0, "vault", "create", _folder["other"], "--owner-file", _folder["stranger"], "--passphrase-file", _folder["passphrase"]);

        await RunAsync(2, "vault", "settings", _folder["vault"], "--owner-file", _folder["owner"], "--passphrase-file", _folder["passphrase"]);
        await RunAsync(
            1, "vault", "settings", _folder["vault"], "--parity", "5", "--owner-file", _folder["stranger"], "--passphrase-file", _folder["passphrase"]);

        Assert.Equal(0, (await SummaryAsync("vault", "info", _folder["vault"])).GetProperty("parityPercent").GetInt32());
    }

    private Task<string> MaintainAsync() => RunAsync(0, "maintain", "--vault", _folder["vault"], "--passphrase-file", _folder["passphrase"]);

    private static async Task<JsonElement> SummaryAsync(params string[] arguments) =>
        JsonDocument.Parse((await RunAsync(0, [.. arguments, "--json"])).Trim().Split('\n')[^1]).RootElement;

    private static async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var run = new HostRun();
        int exitCode = await run.RunAsync(arguments);
        Assert.True(exitCode == expected, $"{exitCode}: {run.Error}");
        return run.Output;
    }

    private static void PrivateFile(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }
}
