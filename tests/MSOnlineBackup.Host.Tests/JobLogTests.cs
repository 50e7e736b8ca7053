using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class JobLogTests : IDisposable
{
    private const string Id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

    private const string Record = $$"""
        { "version": 1, "job": { "id": "{{Id}}", "kind": "Backup", "state": "Failed", "started": "2026-01-01T00:00:00+00:00",
          "ended": "2026-01-01T00:01:00+00:00", "heartbeat": "2026-01-01T00:01:00+00:00", "processId": 1, "sources": [] } }
        """;

    private const string Log = """
        {"time":"2026-01-01T00:00:00+00:00","level":"Info","event":"Started","message":"It began.","settings":{"vault":"/vault"}}
        {"time":"2026-01-01T00:00:01+00:00","level":"Warning","event":"Skipped","message":"It cannot be read.","id":"SourceItemUnreadable","path":"/a\nb"}
        {"time":"2026-01-01T00:01:00+00:00","level":"Error","event":"Ended","message":"It failed.","id":"VaultFull","action":"Make room.","figures":{"files":12345}}
        {"time":"2026-01-01T00:0
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Id)]
    [InlineData(null)]
    public async Task The_log_of_a_job_or_of_the_newest_is_shown_a_line_that_was_cut_off_not(string? id)
    {
        WriteJob();

        (int exitCode, string output, string error) = await RunAsync(id);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("Started  It began.\n    vault = /vault\n", output, StringComparison.Ordinal);
        Assert.Contains("Warning  Skipped '/a\\x0ab'  It cannot be read. (SourceItemUnreadable)\n", output, StringComparison.Ordinal);
        Assert.Contains("(VaultFull)\n    files = 12,345\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_json_it_has_the_fields_of_the_file()
    {
        WriteJob();

        (int exitCode, string output, _) = await RunAsync(Id, "--json");

        JsonElement[] lines = [.. output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(0, exitCode);
        Assert.Equal(["log", "log", "log", "summary"], lines.Select(line => line.GetProperty("type").GetString()!));
        Assert.Equal(("/a\nb", "SourceItemUnreadable", Id), (lines[1].GetProperty("path").GetString(), lines[1].GetProperty("id").GetString(), lines[1].GetProperty("jobId").GetString()));
        Assert.Equal(12345, lines[2].GetProperty("figures").GetProperty("files").GetInt64());
        Assert.Equal(3, lines[3].GetProperty("count").GetInt64());
    }

    [Theory]
    [InlineData(Id)]
    [InlineData(null)]
    public async Task A_job_that_is_not_there_is_an_error(string? id)
    {
        (int exitCode, _, string error) = await RunAsync(id);

        Assert.Equal(1, exitCode);
        Assert.Contains("JobNotFound", error, StringComparison.Ordinal);
    }

    private void WriteJob()
    {
        string folder = Directory.CreateDirectory(_folder[$"state/jobs/{Id}"]).FullName;
        File.WriteAllText(Path.Combine(folder, "job.json"), Record);
        File.WriteAllText(Path.Combine(folder, "log.jsonl"), Log);
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(string? id, params string[] options)
    {
        var run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "none" } };
        int exitCode = await run.RunAsync(["job", "log", .. new[] { id }.OfType<string>(), "--state", _folder["state"], .. options]);
        return (exitCode, run.Output, run.Error);
    }
}
