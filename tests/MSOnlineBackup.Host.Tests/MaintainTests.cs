using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class MaintainTests : IDisposable
{
    private const int Size = 3_000_000;

    private readonly HostVault _vault = new();

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task What_is_needed_stays_and_the_summary_says_that_nothing_was_found()
    {
        await MakeAsync(2);

        (int exitCode, string output, string error) = await _vault.RunAsync("maintain");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("freed     0 B in 0 packs", output, StringComparison.Ordinal);
        Assert.Contains("result    no problems found", output, StringComparison.Ordinal);
        Assert.Equal(0, (await _vault.RunAsync("verify", "--read-data")).ExitCode);
    }

    [Fact]
    public async Task What_no_point_needs_is_foreseen_and_then_freed()
    {
        string[] ids = await MakeAsync(2);
        Forget(ids[0], "points", "commits");
        long before = Measure();

        JsonElement foreseen = await _vault.SummaryAsync(0, "maintain", "--dry-run");
        Assert.True(foreseen.GetProperty("rehearsal").GetBoolean());
        Assert.InRange(foreseen.GetProperty("bytesCondemned").GetInt64(), Size * 2, Size * 3);
        Assert.Equal(before, Measure());
        Assert.EndsWith("nothing was changed", (await _vault.RunAsync("maintain", "--dry-run")).Output.Trim(), StringComparison.Ordinal);

        JsonElement done = await _vault.SummaryAsync(0, "maintain");
        Assert.False(done.GetProperty("rehearsal").GetBoolean());
        Assert.InRange(done.GetProperty("bytesFreed").GetInt64(), Size * 2, Size * 3);
        Assert.InRange(before - Measure(), Size - 20_000, Size * 2);
        Assert.Equal(0, (await _vault.RunAsync("restore", "latest", "--to", _vault["back"])).ExitCode);
        Assert.Empty(TreeComparer.Compare(_vault.Source, _vault["back"] + _vault.Source));
    }

    [Fact]
    public async Task A_job_that_may_be_running_is_waited_for_and_shut_out_when_it_said_nothing_for_long()
    {
        string[] ids = await MakeAsync(3);
        Forget(ids[0], "points", "commits");

        // As a job that was killed leaves it.
        Forget(ids[2], "points", "commits");
        File.Delete(EndOf(ids[2]));

        (int exitCode, string output, _) = await _vault.RunAsync("maintain");
        Assert.Equal(0, exitCode);
        Assert.Contains("WAITS FOR  session ", output, StringComparison.Ordinal);
        JsonElement waiting = await _vault.SummaryAsync(0, "maintain");
        Assert.Equal((1, 0), (waiting.GetProperty("waitingFor").GetInt32(), waiting.GetProperty("bytesFreed").GetInt64()));

        JsonElement shutOut = await _vault.SummaryAsync(0, "maintain", "--shut-out-after", "0s");
        Assert.Equal((0, 1), (shutOut.GetProperty("waitingFor").GetInt32(), shutOut.GetProperty("sessionsShutOut").GetInt32()));
        Assert.InRange(shutOut.GetProperty("bytesFreed").GetInt64(), Size * 2, Size * 4);
        Assert.Equal(0, (await _vault.RunAsync("restore", "latest", "--to", _vault["back"])).ExitCode);
    }

    [Fact]
    public async Task Damage_is_listed_ends_with_1_and_nothing_is_chosen_for_deletion()
    {
        string[] ids = await MakeAsync(3);
        Forget(ids[0], "points", "commits");
        Forget(ids[1], "points");
        long before = Measure();

        (int exitCode, string output, _) = await _vault.RunAsync("maintain");

        Assert.Equal(1, exitCode);
        Assert.Contains("PROBLEM  stores/", output, StringComparison.Ordinal);
        Assert.Contains("1 problem found", output, StringComparison.Ordinal);
        Assert.InRange(Measure(), before - 10_000, before + 10_000);
    }

    [Fact]
    public async Task Points_whose_own_date_is_over_are_listed_and_deleted_on_request_and_the_newest_stays()
    {
        string[] ids = await MakeAsync(
            4,
            "retain:files:daily:2026-01-01T00:00:00Z",
            "retain:files:weekly:2099-01-01T00:00:00Z",
            "by hand",
            "retain:files:daily:2026-01-02T00:00:00Z");

        JsonElement[] listed = (await _vault.LinesAsync("retention")).Lines[..^1];
        Assert.Equal(ids, listed.Select(line => line.GetProperty("id").GetString()));
        Assert.Equal(
            [("Expired", false, "Daily"), ("WithinRetention", true, "Weekly"), ("NotByPolicy", true, null), ("Newest", true, "Daily")],
            listed.Select(line => (line.GetProperty("reason").GetString(), line.GetProperty("kept").GetBoolean(), line.GetProperty("rule").GetString())));
        Assert.Contains("over, but the newest", (await _vault.RunAsync("retention", "--machine", "alpha")).Output, StringComparison.Ordinal);
        Assert.Equal("There are no recovery points.", (await _vault.RunAsync("retention", "--machine", "NOBODY")).Output.Trim());

        Assert.Equal(0, (await _vault.SummaryAsync(0, "maintain")).GetProperty("pointsDeleted").GetInt32());
        JsonElement retention = await _vault.SummaryAsync(0, "retention");
        Assert.Equal((4, 1), (retention.GetProperty("count").GetInt32(), retention.GetProperty("expiring").GetInt32()));
        JsonElement foreseen = await _vault.SummaryAsync(0, "maintain", "--expire", "--dry-run");
        Assert.Equal(1, foreseen.GetProperty("pointsDeleted").GetInt32());
        Assert.InRange(foreseen.GetProperty("bytesExpiring").GetInt64(), 1, Size * 2);
        Assert.Equal(foreseen.GetProperty("bytesExpiring").GetInt64(), retention.GetProperty("bytes").GetInt64());
        Assert.Equal(retention.GetProperty("bytes").GetInt64(), listed[0].GetProperty("bytes").GetInt64());
        Assert.Contains("1 point to go, and ", (await _vault.RunAsync("retention")).Output, StringComparison.Ordinal);
        Assert.Equal(4, (await _vault.SummaryAsync(0, "points")).GetProperty("count").GetInt32());
        Assert.Equal(1, (await _vault.SummaryAsync(0, "maintain", "--expire")).GetProperty("pointsDeleted").GetInt32());
        Assert.Equal(3, (await _vault.SummaryAsync(0, "points")).GetProperty("count").GetInt32());
        Assert.Contains("The time of its daily retention was over.", (await _vault.RunAsync("points", "deleted")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await _vault.RunAsync("verify", "--read-data")).ExitCode);
        Assert.Equal(0, (await _vault.RunAsync("points", "undelete", ids[0])).ExitCode);
        Assert.Equal(0, (await _vault.RunAsync("restore", ids[0], "--to", _vault["back"])).ExitCode);
    }

    [Fact]
    public async Task A_part_is_verified_a_sample_restored_and_the_vault_tells_of_both()
    {
        string[] ids = await MakeAsync(2);
        JsonElement part = await _vault.SummaryAsync(0, "verify", "--share", "1/1000");
        Assert.Equal((1, 0), (part.GetProperty("packs").GetInt32(), part.GetProperty("damagedPacks").GetInt32()));
        Assert.Equal(0, part.GetProperty("findings").GetInt32());
        JsonElement rest = await _vault.SummaryAsync(0, "verify", "--share", "100%");
        Assert.Equal(rest.GetProperty("packsInAll").GetInt32(), rest.GetProperty("packs").GetInt32());
        Assert.Equal(0, (await _vault.SummaryAsync(0, "verify", "--older-than", "30d")).GetProperty("packs").GetInt32());
        Assert.Equal(1, (await _vault.SummaryAsync(0, "verify", "--share", "1K")).GetProperty("packs").GetInt32());

        JsonElement trial = await _vault.SummaryAsync(0, "verify", "--trial-restore", "100%", "--max-bytes", "1G");
        Assert.Equal((ids[^1], 0), (trial.GetProperty("pointId").GetString(), trial.GetProperty("differences").GetInt32()));
        Assert.True(trial.GetProperty("files").GetInt64() > 0 && trial.GetProperty("seed").GetInt32() > 0);
        (_, string tried, _) = await _vault.RunAsync("verify", "--trial-restore", "1", "--point", ids[0], "--seed", "7");
        Assert.Contains("all as it was backed up", tried, StringComparison.Ordinal);

        JsonElement[] proof = (await _vault.LinesAsync("vault", "proof", "--vault", _vault["vault"])).Lines;
        Assert.Equal((1.0, ids[^1]), (proof[0].GetProperty("verifiedShare").GetDouble(), proof[0].GetProperty("pointId").GetString()));
        Assert.Equal(0, proof[0].GetProperty("trialDifferences").GetInt32());
        Assert.NotEqual(JsonValueKind.Null, proof[0].GetProperty("lastVerified").ValueKind);
        Assert.Equal((1, 0), (proof[1].GetProperty("machines").GetInt32(), proof[1].GetProperty("damagedPacks").GetInt32()));
        Assert.Contains("Maintained: not on record.", (await _vault.RunAsync("vault", "proof", "--vault", _vault["vault"])).Output, StringComparison.Ordinal);

        string[][] odd =
        [
            ["--share", "2"], ["--share", "5/0"], ["--share", "0%"], ["--share", "1/2", "--read-data"],
            ["--trial-restore", "0"], ["--trial-restore", "x"], ["--trial-restore", "1", "--seed", "-1"], ["--older-than", "soon"],
        ];
        foreach (string[] wrong in odd)
        {
            Assert.Equal(wrong[1] == "2" ? 0 : 2, (await _vault.RunAsync(["verify", .. wrong])).ExitCode);
        }
    }

    [Fact]
    public async Task While_a_point_of_a_machine_cannot_be_read_none_of_it_is_deleted()
    {
        string[] ids = await MakeAsync(
            3,
            "retain:files:daily:2026-01-01T00:00:00Z",
            "retain:files:daily:2026-01-01T00:00:00Z",
            "retain:files:daily:2026-01-02T00:00:00Z");
        Forget(ids[1], "points");

        Assert.Equal(3, (await _vault.RunAsync("retention")).ExitCode);
        (int exitCode, string output, string error) = await _vault.RunAsync("maintain", "--expire");

        Assert.Equal(1, exitCode);
        Assert.Contains("0 points deleted", output, StringComparison.Ordinal);
        Assert.Contains("cannot be read, so none of this machine is deleted", error, StringComparison.Ordinal);
        Assert.Contains(ids[0][..12], (await _vault.RunAsync("points")).Output, StringComparison.Ordinal);
    }

    // Each point holds a file of its own that nothing else has, and one that all have.
    private async Task<string[]> MakeAsync(int count, params string[] tags)
    {
        await _vault.CreateAsync();
        var tree = new SourceTreeBuilder(_vault.Source);
        tree.File("shared", Size, seed: 100);
        var ids = new List<string>();
        for (int i = 0; i < count; i++)
        {
            tree.File("own", Size, seed: i);
            ids.Add(await _vault.BackUpAsync(["--force", .. tags.Length == 0 ? (string[])[] : ["--tag", tags[i]]]));
        }

        return [.. ids];
    }

    private void Forget(string id, params string[] kinds)
    {
        foreach (FileInfo file in kinds.SelectMany(_vault.FilesIn).Where(file => file.Name.StartsWith(id, StringComparison.Ordinal)).ToList())
        {
            file.Attributes = FileAttributes.Normal;
            file.Delete();
        }

        File.WriteAllText(EndOf(id), "{}");
    }

    private string EndOf(string id) => _vault.FilesIn("sessions").Single(file => file.Name == id).FullName + ".end";

    // Packs: what maintenance notes, and the room that it holds, come on top.
    private long Measure() => _vault.FilesIn("packs").Sum(file => file.Length);
}
