using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class MaintainTests : IDisposable
{
    private const int Size = 3_000_000;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_needed_stays_and_the_summary_says_that_nothing_was_found()
    {
        await MakeAsync(2);

        (int exitCode, string output, string error) = await RunAsync("maintain");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("freed     0 B in 0 packs", output, StringComparison.Ordinal);
        Assert.Contains("result    no problems found", output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("verify", "--read-data")).ExitCode);
    }

    [Fact]
    public async Task What_no_point_needs_is_foreseen_and_then_freed()
    {
        string[] ids = await MakeAsync(2);
        Forget(ids[0], "points", "commits");
        long before = Measure();

        JsonElement foreseen = await SummaryAsync(0, "maintain", "--dry-run");
        Assert.True(foreseen.GetProperty("rehearsal").GetBoolean());
        Assert.InRange(foreseen.GetProperty("bytesCondemned").GetInt64(), Size * 2, Size * 3);
        Assert.Equal(before, Measure());
        Assert.EndsWith("nothing was changed", (await RunAsync("maintain", "--dry-run")).Output.Trim(), StringComparison.Ordinal);

        JsonElement done = await SummaryAsync(0, "maintain");
        Assert.False(done.GetProperty("rehearsal").GetBoolean());
        Assert.InRange(done.GetProperty("bytesFreed").GetInt64(), Size * 2, Size * 3);
        Assert.InRange(before - Measure(), Size, Size * 2);
        Assert.Equal(0, (await RunAsync("restore", "latest", "--to", _folder["back"])).ExitCode);
        Assert.Empty(TreeComparer.Compare(_folder["source"], _folder["back"] + _folder["source"]));
    }

    [Fact]
    public async Task A_job_that_may_be_running_is_waited_for_and_shut_out_when_it_said_nothing_for_long()
    {
        string[] ids = await MakeAsync(3);
        Forget(ids[0], "points", "commits");

        // As a job that was killed leaves it.
        Forget(ids[2], "points", "commits");
        File.Delete(EndOf(ids[2]));

        (int exitCode, string output, _) = await RunAsync("maintain");
        Assert.Equal(0, exitCode);
        Assert.Contains("WAITS FOR  session ", output, StringComparison.Ordinal);
        JsonElement waiting = await SummaryAsync(0, "maintain");
        Assert.Equal((1, 0), (waiting.GetProperty("waitingFor").GetInt32(), waiting.GetProperty("bytesFreed").GetInt64()));

        JsonElement shutOut = await SummaryAsync(0, "maintain", "--shut-out-after", "0s");
        Assert.Equal((0, 1), (shutOut.GetProperty("waitingFor").GetInt32(), shutOut.GetProperty("sessionsShutOut").GetInt32()));
        Assert.InRange(shutOut.GetProperty("bytesFreed").GetInt64(), Size * 2, Size * 4);
        Assert.Equal(0, (await RunAsync("restore", "latest", "--to", _folder["back"])).ExitCode);
    }

    [Fact]
    public async Task Damage_is_listed_ends_with_1_and_nothing_is_chosen_for_deletion()
    {
        string[] ids = await MakeAsync(3);
        Forget(ids[0], "points", "commits");
        Forget(ids[1], "points");
        long before = Measure();

        (int exitCode, string output, _) = await RunAsync("maintain");

        Assert.Equal(1, exitCode);
        Assert.Contains("PROBLEM  stores/", output, StringComparison.Ordinal);
        Assert.Contains("1 problem found", output, StringComparison.Ordinal);
        Assert.InRange(Measure(), before - 10_000, before + 10_000);
    }

    // Each point holds a file of its own that nothing else has, and one that all have.
    private async Task<string[]> MakeAsync(int count)
    {
        Assert.Equal(0, (await RunAsync("vault", "create", _folder["vault"], "--owner-file", _folder["owner"])).ExitCode);
        var tree = new SourceTreeBuilder(_folder["source"]);
        tree.File("shared", Size, seed: 100);
        var ids = new List<string>();
        for (int i = 0; i < count; i++)
        {
            tree.File("own", Size, seed: i);
            ids.Add((await SummaryAsync(0, "backup", _folder["source"], "--machine", "ALPHA", "--force")).GetProperty("pointId").GetString()!);
        }

        return [.. ids];
    }

    private void Forget(string id, params string[] kinds)
    {
        foreach (string path in Directory.EnumerateFiles(_folder["vault"], $"{id}*", SearchOption.AllDirectories).Where(path => kinds.Any(kind => path.Contains($"/{kind}/", StringComparison.Ordinal))))
        {
            File.SetAttributes(path, FileAttributes.Normal);
            File.Delete(path);
        }

        File.WriteAllText(EndOf(id), "{}");
    }

    private string EndOf(string id) => Directory.EnumerateFiles(_folder["vault"], id, SearchOption.AllDirectories).Single(path => path.Contains("/sessions/", StringComparison.Ordinal)) + ".end";

    private long Measure() => new DirectoryInfo(_folder["vault"]).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private async Task<JsonElement> SummaryAsync(int exitCode, params string[] arguments)
    {
        (int code, string output, _) = await RunAsync([.. arguments, "--json"]);
        Assert.Equal(exitCode, code);
        return JsonDocument.Parse(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        if (arguments is not ["vault", ..])
        {
            run.Variables["OBENGINE_VAULT"] = _folder["vault"];
        }

        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }
}
