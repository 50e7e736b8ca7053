using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

/// <summary>An observer without the passphrase sees how backups stand.</summary>
public sealed class WatchTests : IDisposable
{
    private readonly HostVault _vault = new();

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task A_backup_leaves_a_status_that_a_credential_opens_and_nobody_else()
    {
        await PrepareAsync();
        string point = await _vault.BackUpAsync();

        JsonElement summary = await _vault.SummaryAsync(0, "vault", "monitoring-credential", _vault["watch.MonitoringCredential"], "--vault", _vault["vault"]);
        Assert.Equal(_vault["watch.MonitoringCredential"], summary.GetProperty("file").GetString());
        (int code, JsonElement[] lines) = await _vault.LinesAsync("watch", _vault["vault"], "--monitoring-credential", _vault["watch.MonitoringCredential"]);
        Assert.Equal(0, code);
        Assert.Equal(("Ok", "other", "ALPHA", 1), (Text(lines[0], "state"), Text(lines[0], "policy"), Text(lines[0], "machine"), lines[0].GetProperty("files").GetInt32()));
        Assert.True(lines[0].GetProperty("isProved").GetBoolean());
        Assert.Equal(1, lines[^1].GetProperty("policies").GetInt32());

        (_, lines) = await _vault.LinesAsync("watch", _vault["vault"]);
        Assert.Null(Text(lines[0], "policy"));
        Assert.Contains("sealed", Text(lines[0], "message"), StringComparison.Ordinal);
        Assert.NotNull(point);
    }

    [Fact]
    public async Task A_failed_backup_ends_the_watch_with_1()
    {
        await PrepareAsync();
        await _vault.RunAsync("vault", "settings", _vault["vault"], "--statuses", "plain", "--owner-file", _vault["owner"]);
        await _vault.BackUpAsync();
        Directory.Move(_vault.Source, _vault["away"]);
        Assert.NotEqual(0, (await _vault.RunAsync("backup", _vault.Source, "--machine", "ALPHA")).ExitCode);

        (int code, string output, _) = await _vault.RunAsync("watch", _vault["vault"]);

        Assert.Equal(1, code);
        Assert.Contains("FAILING", output, StringComparison.Ordinal);
        Assert.Contains("1 of 1 should be looked at.", output, StringComparison.Ordinal);
        (_, JsonElement[] lines) = await _vault.LinesAsync("watch", _vault["vault"]);
        Assert.Equal(("BackupFailing", 1), (Text(lines[0], "alarm"), lines[^1].GetProperty("alarming").GetInt32()));
    }

    [Fact]
    public async Task A_backup_that_is_too_old_is_late_and_what_is_no_time_or_form_is_refused()
    {
        await PrepareAsync();
        await _vault.BackUpAsync();

        Assert.Equal(1, (await _vault.RunAsync("watch", _vault["vault"], "--max-age", "0s")).ExitCode);
        Assert.Equal(2, (await _vault.RunAsync("watch", _vault["vault"], "--max-age", "soon")).ExitCode);
        Assert.Equal(2, (await _vault.RunAsync("watch", _vault["vault"], "--interval", "59s")).ExitCode);
        Assert.Equal(2, (await _vault.RunAsync("vault", "settings", _vault["vault"], "--statuses", "open", "--owner-file", _vault["owner"])).ExitCode);
        Assert.Equal(2, (await _vault.RunAsync("vault", "settings", _vault["vault"], "--owner-file", _vault["owner"])).ExitCode);
        Assert.Equal("Sealed", Text(await _vault.SummaryAsync(0, "vault", "info", _vault["vault"]), "statuses"));
    }

    private static string? Text(JsonElement line, string field) => line.GetProperty(field).GetString();

    private async Task PrepareAsync()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await File.WriteAllTextAsync(Path.Combine(_vault.Source, "file"), "content");
    }
}
