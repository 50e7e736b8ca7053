using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

/// <summary>The machines of several vaults, side by side.</summary>
public sealed class FleetTests : IDisposable
{
    private readonly HostVault _vault = new();

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task A_machine_is_shown_with_its_vault_and_its_version_and_what_cannot_be_read_is_named()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await File.WriteAllTextAsync(Path.Combine(_vault.Source, "file"), "content");
        await _vault.BackUpAsync();
        await _vault.RunAsync("vault", "monitoring-credential", _vault["watch.MonitoringCredential"], "--vault", _vault["vault"]);

        (int code, JsonElement[] lines) = await _vault.LinesAsync("fleet", _vault["vault"], "--monitoring-credential", _vault["watch.MonitoringCredential"]);
        Assert.Equal(0, code);
        Assert.Equal(("ALPHA", _vault["vault"], "Ok", 1), (Text(lines[0], "machine"), Text(lines[0], "vault"), Text(lines[0], "state"), lines[0].GetProperty("files").GetInt32()));
        Assert.NotEqual("", Text(lines[0], "agentVersion"));
        Assert.Equal((1, 0), (lines[^1].GetProperty("machines").GetInt32(), lines[^1].GetProperty("alarming").GetInt32()));

        (code, string output, string error) = await _vault.RunAsync("fleet", _vault["vault"], _vault["nowhere"], "--monitoring-credential", _vault["watch.MonitoringCredential"]);
        Assert.Equal(1, code);
        Assert.Contains("ALPHA", output, StringComparison.Ordinal);
        Assert.Contains("1 vault could not be read.", output, StringComparison.Ordinal);
        Assert.Contains("nowhere", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_is_too_old_ends_it_with_1_and_what_is_no_time_with_2()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await _vault.BackUpAsync();

        (int code, string output, _) = await _vault.RunAsync("fleet", _vault["vault"], "--max-age", "0s");

        Assert.Equal(1, code);
        Assert.Contains("LATE", output, StringComparison.Ordinal);
        Assert.Contains("1 of 1 machine should be looked at.", output, StringComparison.Ordinal);
        Assert.Equal(2, (await _vault.RunAsync("fleet", _vault["vault"], "--max-age", "soon")).ExitCode);
        Assert.Equal(2, (await _vault.RunAsync("fleet")).ExitCode);
    }

    private static string? Text(JsonElement line, string field) => line.GetProperty(field).GetString();
}
