using System.Text.Json;
using System.Xml.Linq;

namespace MSOnlineBackup.Host.Tests;

public sealed class ReportTests : IAsyncLifetime, IDisposable
{
    private readonly HostVault _vault = new();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_vault.Source);
        await File.WriteAllTextAsync(Path.Combine(_vault.Source, "f"), "content", TestContext.Current.CancellationToken);
        await _vault.CreateAsync();
        await _vault.BackUpAsync();
    }

    [Fact]
    public async Task A_page_tells_of_the_vault()
    {
        JsonElement summary = await _vault.SummaryAsync(0, "report", _vault["r.html"], "--price", "0.02", "--currency", "EUR");

        Assert.Equal((_vault["r.html"], "Html", 0), (summary.GetProperty("file").GetString(), summary.GetProperty("format").GetString(), summary.GetProperty("alarms").GetInt32()));
        string text = XElement.Parse((await File.ReadAllTextAsync(_vault["r.html"], TestContext.Current.CancellationToken)).Replace("<!DOCTYPE html>", "", StringComparison.Ordinal)).Value;
        Assert.Contains("ALPHA", text, StringComparison.Ordinal);
        Assert.Contains("0.02 EUR for a GiB", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_replaced_only_by_force()
    {
        await File.WriteAllTextAsync(_vault["r.json"], "mine", TestContext.Current.CancellationToken);

        Assert.Equal(2, (await _vault.RunAsync("report", _vault["r.json"])).ExitCode);
        Assert.Equal("mine", await File.ReadAllTextAsync(_vault["r.json"], TestContext.Current.CancellationToken));
        await _vault.SummaryAsync(0, "report", _vault["r.json"], "--force", "--objective", "26h", "--days", "7");
        using JsonDocument report = JsonDocument.Parse(await File.ReadAllTextAsync(_vault["r.json"], TestContext.Current.CancellationToken));
        Assert.Equal((26, 7, 1), (report.RootElement.GetProperty("objectiveHours").GetDouble(), report.RootElement.GetProperty("growth").GetArrayLength(), report.RootElement.GetProperty("points").GetInt32()));
        Assert.Equal(7, report.RootElement.GetProperty("machines")[0].GetProperty("protectedBytes").GetInt64());
    }

    [Theory]
    [InlineData("r.pdf")]
    [InlineData("r.html", "--format", "pdf")]
    [InlineData("r.html", "--objective", "soon")]
    [InlineData("r.html", "--days", "400")]
    [InlineData("r.html", "--days", "-5")]
    [InlineData("r.html", "--price", "cheap")]
    [InlineData("r.html", "--price", "-1")]
    public async Task What_cannot_be_is_an_error_and_leaves_no_file(string file, params string[] options)
    {
        Assert.Equal(2, (await _vault.RunAsync(["report", _vault[file], .. options])).ExitCode);
        Assert.False(File.Exists(_vault[file]));
    }

    [Fact]
    public async Task CSV_is_asked_for_by_name()
    {
        await _vault.SummaryAsync(0, "report", _vault["r.txt"], "--format", "csv");

        Assert.StartsWith("Machine,Policy,", await File.ReadAllTextAsync(_vault["r.txt"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _vault.Dispose();
}
