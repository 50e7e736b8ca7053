using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>No test here may touch the schedules of the machine that it runs on: none uses a scheduler of the system.</summary>
public sealed class ScheduleTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_machine_without_policies_has_no_schedules()
    {
        (int exitCode, string output, _) = await RunAsync("schedule", "show", "--json", "--state", _folder["state"]);

        JsonElement[] lines = [.. output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(0, exitCode);
        Assert.Equal(["files", "system-state", null], lines.Select(line => line.TryGetProperty("policy", out JsonElement policy) ? policy.GetString() : null));
        Assert.All(lines[..2], line => Assert.Equal(("NotUsed", JsonValueKind.Null), (line.GetProperty("registration").GetString(), line.GetProperty("nextRun").ValueKind)));
        Assert.Equal(
            ["schedule", "run", "--policy", "files", "--state", _folder["state"], "--quiet", "--machine", "test-machine"],
            lines[0].GetProperty("command").EnumerateArray().Select(part => part.GetString()!).SkipWhile(part => part != "schedule"));
    }

    [Fact]
    public async Task What_is_run_says_that_there_is_no_policy()
    {
        (int exitCode, _, string error) = await RunAsync("schedule", "run", "--policy", "files", "--state", _folder["state"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("PolicyNotFound", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("schedule", "run")]
    [InlineData("schedule", "show", "--policy", "databases")]
    [InlineData("schedule", "show", "--profile", "strict")]
    public async Task What_cannot_be_meant_is_refused(params string[] arguments) =>
        Assert.Equal(2, (await RunAsync([.. arguments, "--state", _folder["state"]])).ExitCode);

    [Fact]
    public async Task A_scheduler_that_is_not_known_is_refused()
    {
        var run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "at" } };

        Assert.Equal(2, await run.RunAsync("schedule", "show", "--state", _folder["state"]));
        Assert.Contains("Systemd, Cron", run.Error, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "none" } };
        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }
}
