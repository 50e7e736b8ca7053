using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

/// <summary>A first backup travels by commands.</summary>
public sealed class SeedTests : IDisposable
{
    private readonly HostVault _vault = new();

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task A_backup_to_a_seed_is_in_the_vault_once_it_was_imported_and_the_next_is_incremental()
    {
        Directory.CreateDirectory(_vault.Source);
        byte[] large = new byte[3_000_000];
        new Random(1).NextBytes(large);
        await File.WriteAllBytesAsync(Path.Combine(_vault.Source, "large"), large, TestContext.Current.CancellationToken);
        await _vault.CreateAsync();
        Assert.Equal(0, (await _vault.RunAsync("seed", "create", _vault["seed"], _vault["vault"])).ExitCode);
        Assert.Equal(0, (await _vault.RunAsync("seed", "create", _vault["seed"], _vault["vault"])).ExitCode);
        Assert.Equal(0, (await _vault.RunAsync("backup", _vault.Source, "--vault", _vault["seed"])).ExitCode);

        Assert.Equal((1, 0), Counts(await ImportAsync("-n")));
        Assert.Equal((1, 0), Counts(await ImportAsync()));
        Assert.Equal((0, 1), Counts(await ImportAsync()));

        JsonElement next = await _vault.SummaryAsync(0, "backup", _vault.Source, "--vault", _vault["vault"]);
        Assert.True(next.GetProperty("storedBytes").GetInt64() < large.Length / 100, next.ToString());
        Assert.Equal(0, (await _vault.RunAsync("restore", "latest", "--vault", _vault["vault"], "--to", _vault["back"])).ExitCode);
        FileInfo back = Assert.Single(new DirectoryInfo(_vault["back"]).EnumerateFiles("*", SearchOption.AllDirectories));
        Assert.Equal(large, await File.ReadAllBytesAsync(back.FullName, TestContext.Current.CancellationToken));
        Assert.Equal(2, (await _vault.RunAsync("seed", "import", _vault["vault"], _vault["vault"])).ExitCode);
    }

    private Task<JsonElement> ImportAsync(params string[] options) => _vault.SummaryAsync(0, ["seed", "import", _vault["seed"], _vault["vault"], .. options]);

    private static (int Copied, int There) Counts(JsonElement summary) => (summary.GetProperty("pointsCopied").GetInt32(), summary.GetProperty("pointsThere").GetInt32());
}
