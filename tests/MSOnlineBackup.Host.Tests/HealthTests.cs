using System.Text.Json;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class HealthTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_machine_that_is_not_set_up_is_told_what_it_lacks_and_why()
    {
        (int exitCode, JsonElement[] lines) = await RunAsync("health", "--state", _folder["state"]);

        Assert.Equal(1, exitCode);
        Assert.Equal(Enum.GetNames<HealthCheck>(), lines[..^1].Select(line => line.GetProperty("check").GetString()));
        JsonElement registration = Assert.Single(lines[..^1], line => line.GetProperty("check").GetString() == "Registration");
        Assert.Equal(("Fail", "A57, A59"), (registration.GetProperty("result").GetString(), registration.GetProperty("row").GetString()));
        Assert.NotEmpty(registration.GetProperty("fix").GetString()!);
        Assert.Equal(lines.Length - 1, lines[^1].GetProperty("checks").GetInt32());
        Assert.Equal(1, lines[^1].GetProperty("failed").GetInt32());
        Assert.False(Directory.Exists(_folder["state"]));
    }

    [Fact]
    public async Task Prerequisites_are_checked_before_anything_is_there()
    {
        Assert.Equal(0, (await RunAsync("health", "--prerequisites", "--state", _folder["state"])).ExitCode);
        (int exitCode, JsonElement[] lines) = await RunAsync("health", "--prerequisites", "--scratch", _folder["nowhere"], "--state", _folder["state"]);

        Assert.Equal(1, exitCode);
        Assert.Contains(lines[..^1], line => line.GetProperty("check").GetString() == "ScratchFolder" && line.GetProperty("result").GetString() == "Fail");
    }

    [Fact]
    public async Task People_see_what_is_amiss_or_with_all_everything()
    {
        var run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "none" } };
        await run.RunAsync("health", "--state", _folder["state"]);
        Assert.Contains("Registration: ", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("DotNet: ", run.Output, StringComparison.Ordinal);

        run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "none" } };
        await run.RunAsync("health", "--all", "--state", _folder["state"]);
        Assert.Contains("DotNet: ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scratch_folder_is_a_matter_of_prerequisites() =>
        Assert.Equal(2, await new HostRun().RunAsync("health", "--scratch", _folder["scratch"], "--state", _folder["state"]));

    // The document has each check, with its rows, in order.
    [Fact]
    public void The_document_lists_every_check() => Assert.Equal(
        Enum.GetValues<HealthCheck>().Select(check => $"| `{check}` | {new HealthFinding(check, HealthVerdict.Pass, "").Row} |"),
        File.ReadLines(Path.Combine(Repository.Root, "docs", "operations.md"))
            .SkipWhile(line => line != "## Health")
            .TakeWhile(line => line != "## Updates")
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => string.Join('|', line.Split('|')[..3]) + "|"));

    private static async Task<(int ExitCode, JsonElement[] Lines)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "none" } };
        int exitCode = await run.RunAsync([.. arguments, "--json"]);
        return (exitCode, [.. run.Output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)]);
    }
}
