using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Engine.Tests.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Health;

/// <summary>What is handed to somebody who is to help has all of it, and no secret.</summary>
public sealed class DiagnosticReportTests : IDisposable
{
    private readonly HealthFixture _machine = new();

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task It_has_versions_settings_policies_jobs_schedules_capabilities_and_health()
    {
        await _machine.PrepareAsync();
        string file = _machine.Machine["report.zip"];

        await _machine.Machine.Open().Health.ExportAsync(file, Cancel);

        await using ZipArchive report = await ZipFile.OpenReadAsync(file, Cancel);
        string log = $"jobs/{_machine.Machine.Open().Jobs.List().Single().Id:D}.jsonl";
        Assert.Equal(
            ["alarms.json", "capabilities.json", "health.json", "jobs.json", log, "machine.json", "policy-files.json", "policy-system-state.json", "schedules.json",
                "settings.json", "versions.json"],
            report.Entries.Select(entry => entry.FullName).Order(StringComparer.Ordinal));
        string[] lines = (await new StreamReader(await report.GetEntry(log)!.OpenAsync(Cancel)).ReadToEndAsync(Cancel)).TrimEnd('\n').Split('\n');
        Assert.Equal(["Started", "Ended"], new[] { lines[0], lines[^1] }.Select(line => JsonNode.Parse(line)!["event"]!.GetValue<string>()));
        Assert.Equal("ALPHA", Read("machine.json")["machine"]!.GetValue<string>());
        Assert.Equal(_machine.Machine.Source, Read("policy-files.json")["files"]![0]!["path"]!.GetValue<string>());
        Assert.Equal(Enum.GetValues<HealthCheck>().Length, Read("health.json").AsArray().Count);
        Assert.Contains("Completed", Read("jobs.json").AsArray().Single()!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("fake", Read("schedules.json")[0]!["scheduler"]!.GetValue<string>());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        JsonNode Read(string name)
        {
            using Stream content = report.GetEntry(name)!.Open();
            return JsonNode.Parse(content)!;
        }
    }

    [Fact]
    public async Task No_secret_is_in_it_wherever_one_was_planted()
    {
        const string Passphrase = "a rescued passphrase+of/the=machine";
        const string Signature = "dGhlIHNpZ25hdHVyZSBvZiB0aGUgdmF1bHQ%3D";
        const string Sas = $"sv=2024-11-04&sp=rwl&sig={Signature}";
        const string AccountKey = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==";
        const string Password = "the proxy's p@ssword";
        const string Variable = "a secret of the environment";
        const string Hook = "services/T0/hook-nobody-knows";
        const string MailPassword = "the mail's word";
        using var machines = new AgentFixture();
        const string Location = "https://example.blob.core.windows.net/vault";
        BackupAgent agent = machines.Open();
        await agent.Machine.RegisterAsync(await machines.IssueAsync(vault: Location, secret: Sas), Cancel);
        agent.Machine.Update(settings => settings with { Proxy = new ProxySetting(
            "proxy.example.org", 8080, "user", Password, $"*.example.org;{AccountKey}") });
        string state = machines.State;
        await File.WriteAllTextAsync(Path.Combine(state, "passphrase-20260101T000000Z.rescue"), Passphrase + "\n", Cancel);
        await File.WriteAllTextAsync(Path.Combine(state, "passphrase.txt"), Passphrase, Cancel);
        string everything = $"{Passphrase} {Uri.EscapeDataString(Passphrase)} {Location}?{Sas} AccountKey={AccountKey};{AccountKey} http://user:{Password.Replace(" ", "", StringComparison.Ordinal)}@proxy {Password} {Variable} Bearer abcdefghijkl.mnop {Hook} {MailPassword}";
        Directory.CreateDirectory(Path.Combine(state, "jobs", "0b6c6f6e-0000-4000-8000-000000000001"));
        PlantJob(Path.Combine(state, "jobs", "0b6c6f6e-0000-4000-8000-000000000001", "job.json"), everything);
        string logged = new JsonObject { ["time"] = "2026-01-01T00:00:00Z", ["level"] = "Error", ["event"] = "Retry", ["message"] = everything,
            ["settings"] = new JsonObject { ["passphrase"] = "plain", [everything] = everything } }.ToJsonString();
        await File.WriteAllTextAsync(Path.Combine(state, "jobs", "0b6c6f6e-0000-4000-8000-000000000001", "log.jsonl"), $"{logged}\n{logged[..^5]}\n{logged}", Cancel);
        agent.Alarms.Set(new AlarmSettings
        {
            Sinks =
            [
                new SinkSettings { Kind = SinkKind.Webhook, Name = "chat", Url = $"https://hooks.example.org/{Hook}" },
                new SinkSettings { Kind = SinkKind.Mail, Name = "mail", Server = "smtp.example.org", From = "a@example.org", To = ["b@example.org"], User = "u", Password = MailPassword },
            ],
        });
        await File.WriteAllTextAsync(Path.Combine(state, "policy-files.json"), new JsonObject { ["note"] = everything, [everything] = 1,
            ["password"] = "plain" }.ToJsonString(), Cancel);
        byte[] machineSecret = await File.ReadAllBytesAsync(Path.Combine(state, "secret.json"), Cancel);
        machines.Health = new HealthContext
        {
            TestWay = (_, connection, _, _, _) => Task.FromResult<IReadOnlyList<HealthFinding>>(
                [new HealthFinding(HealthCheck.Network, HealthVerdict.Fail, $"{everything} {connection.Secret}", everything)]),
            ModuleFolder = null,
        };
        machines.HealthParts = HealthParts.OfMachine with { SecretVariables = [Variable] };
        string file = machines["report.zip"];

        await machines.Open().Health.ExportAsync(file, Cancel);

        var texts = new List<string> { Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancel)) };
        await using (ZipArchive report = await ZipFile.OpenReadAsync(file, Cancel))
        {
            foreach (ZipArchiveEntry entry in report.Entries)
            {
                using var reader = new StreamReader(await entry.OpenAsync(Cancel));
                texts.Add(await reader.ReadToEndAsync(Cancel));
            }
        }

        Assert.Contains(texts, text => text.Contains("***", StringComparison.Ordinal));
        Assert.Contains(texts, text => text.Contains("proxy.example.org", StringComparison.Ordinal));
        Assert.Contains(texts, text => text.Contains("hooks.example.org", StringComparison.Ordinal));
        Assert.Contains(texts, text => text.Contains("A line is damaged.", StringComparison.Ordinal) && text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 3);
        string secret = JsonNode.Parse(machineSecret)!["content"]!["secret"]!.GetValue<string>();
        foreach (string planted in (string[])[Passphrase, Uri.EscapeDataString(Passphrase), Signature, Uri.UnescapeDataString(Signature), AccountKey,
            Password, "p@ssword", Variable, Hook, MailPassword, "abcdefghijkl", "\"plain\"", secret])
        {
            Assert.DoesNotContain(texts, text => text.Contains(planted, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(texts, text => text.Contains(planted.Replace("+", "\\u002B", StringComparison.Ordinal).Replace(
                "'", "\\u0027", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task A_state_that_is_damaged_is_told_and_nothing_is_overwritten()
    {
        await _machine.PrepareAsync();
        await File.WriteAllTextAsync(Path.Combine(_machine.Machine.State, "machine.json"), "{", Cancel);
        await File.WriteAllTextAsync(Path.Combine(_machine.Machine.State, "policy-files.json"), "{", Cancel);
        string file = _machine.Machine["report.zip"];

        await _machine.Machine.Open().Health.ExportAsync(file, Cancel);
        BackupException there = await Assert.ThrowsAsync<BackupException>(() => _machine.Machine.Open().Health.ExportAsync(file, Cancel));
        BackupException nowhere = await Assert.ThrowsAsync<BackupException>(() => _machine.Machine.Open().Health.ExportAsync(
            _machine.Machine["no/such/report.zip"], Cancel));

        Assert.All([there, nowhere], fault => Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id));
        await using ZipArchive report = await ZipFile.OpenReadAsync(file, Cancel);
        await using Stream content = await report.GetEntry("machine.json")!.OpenAsync(Cancel);
        Assert.Equal("StateInvalid", (await JsonNode.ParseAsync(content, cancellationToken: Cancel))!["error"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("see //user:pw@host", "see //***@host")]
    [InlineData("?sv=1&sig=abc%2F&se=2", "?sv=1&sig=***&se=2")]
    [InlineData("Password: hunter2; next", "Password: ***; next")]
    [InlineData("/usr/lib/x86_64-linux-gnu/a/very/long/path/that/is/no/key", "/usr/lib/x86_64-linux-gnu/a/very/long/path/that/is/no/key")]
    [InlineData("the design=1 of a sigh", "the design=1 of a sigh")]
    public void What_looks_like_a_secret_is_hidden_and_other_text_stays(string text, string cleaned) => Assert.Equal(cleaned, new SecretFilter([]).Clean(text));

    private static void PlantJob(string path, string text) => File.WriteAllText(
        path,
        new JsonObject
        {
            ["version"] = 1,
            ["content"] = new JsonObject
            {
                ["id"] = "0b6c6f6e-0000-4000-8000-000000000001",
                ["kind"] = "backup",
                ["error"] = text,
            },
        }.ToJsonString());
}
