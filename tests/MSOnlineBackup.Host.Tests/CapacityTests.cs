using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

public sealed class CapacityTests
{
    [Fact]
    public async Task Room_is_computed_by_what_is_assumed()
    {
        JsonElement plan = await RunAsync(0, "--protected", "1TiB", "--daily-change", "10%", "--retention-days", "10", "--pool", "3TiB");

        Assert.Equal(2L << 40, plan.GetProperty("requiredBytes").GetInt64());
        Assert.Equal(11, plan.GetProperty("points").GetInt32());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("daysUntilFull").ValueKind);
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("storedBytes").ValueKind);
    }

    [Fact]
    public async Task People_read_it_in_sentences()
    {
        var run = new HostRun();

        Assert.Equal(0, await run.RunAsync("capacity", "--protected", "1TiB", "--daily-change", "0.1", "--retention-days", "10", "--pool", "1536GiB"));
        Assert.Contains("2.00 TiB are needed: 1.00 TiB for the newest recovery point, and 1.00 TiB for what 10 older ones add.", run.Output, StringComparison.Ordinal);
        Assert.Contains("A pool of 1.50 TiB is full in 6 days, about ", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'much' is not a size", "--protected", "much", "--daily-change", "1%")]
    [InlineData("'150%x' is not a share", "--protected", "1", "--daily-change", "150%x")]
    [InlineData("150 %", "--protected", "1", "--daily-change", "150%")]
    [InlineData("'ten' is not a number", "--protected", "1", "--daily-change", "1%", "--retention-days", "ten")]
    [InlineData("how many bytes are protected", "--daily-change", "1%")]
    public async Task What_cannot_be_is_an_error(string words, params string[] arguments) =>
        Assert.Contains(words, (await RunAsync(2, arguments)).GetProperty("message").GetString(), StringComparison.Ordinal);

    [Fact]
    public async Task A_vault_says_what_is_not_given()
    {
        using var vault = new HostVault();
        Directory.CreateDirectory(vault.Source);
        await File.WriteAllBytesAsync(Path.Combine(vault.Source, "f"), new byte[10_000], TestContext.Current.CancellationToken);
        await vault.CreateAsync();
        await vault.BackUpAsync();

        JsonElement plan = await vault.SummaryAsync(0, "capacity", "--vault", vault["vault"], "--daily-change", "5%", "--retention-days", "2");

        Assert.Equal(10_000, plan.GetProperty("protectedBytes").GetInt64());
        Assert.True(plan.GetProperty("storedBytes").GetInt64() > 0);
        Assert.True(plan.GetProperty("poolBytes").GetInt64() > plan.GetProperty("storedBytes").GetInt64());
    }

    private static async Task<JsonElement> RunAsync(int exitCode, params string[] arguments)
    {
        var run = new HostRun();
        Assert.Equal(exitCode, await run.RunAsync(["capacity", .. arguments, "--json"]));
        return JsonDocument.Parse(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
    }
}
