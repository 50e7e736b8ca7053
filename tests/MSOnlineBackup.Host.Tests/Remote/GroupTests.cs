using System.Text.Json;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Remote;

/// <summary>Groups are made, changed and removed by command lines, on a server with two disk vaults, a place for copies, and two machines that have agents.</summary>
public sealed class GroupTests : IAsyncLifetime
{
    private const string Policy =
        """
        {
          "version": 1, "kind": "Files", "paused": false,
          "files": [ { "path": "/srv" } ],
          "id": "7f2c0f3e-6f0e-4f6f-9a55-0a4f1d7c2b11",
          "schedule": { "days": ["Monday"], "times": ["21:00"], "weekFrequency": 1 },
          "retention": { "days": 30 }
        }
        """;

    private readonly FakeMachines _machines = new();
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string A => _folder["a"];

    private string B => _folder["b"];

    private string Cloud => _folder["cloud"];

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Shell scripts stand for ssh and for machines.");
        foreach (string name in new[] { "m1", "m2" })
        {
            _machines.Add(name);
        }

        Assert.All(await _machines.InstallAsync(null, "m1", "m2"), result => Assert.Null(result.Failure));
        await File.WriteAllTextAsync(_folder["policy.json"], Policy, Stop);
        Assert.Equal(0, (await RunAsync("vault", "create", A, "--owner-file", _folder["owner"])).ExitCode);
        foreach (string twin in new[] { B, Cloud })
        {
            Assert.Equal(0, (await RunAsync("vault", "create", twin, "--twin-of", A)).ExitCode);
        }
    }

    public ValueTask DisposeAsync()
    {
        _machines.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_group_is_made_changed_and_removed()
    {
        JsonElement[] made = await LinesAsync(0, Create("web", "m1", "--disk-vault", B, "--copy-to", Cloud, "--keep-days", "90", "--keep-years", "5"));
        Assert.Equal(["group", "diskVault", "diskVault", "summary"], made.Select(line => line.GetProperty("type").GetString()));
        Assert.Equal(("group create", "web", true, 0), Summary(made));
        JsonElement group = await ShownAsync();
        Assert.Equal(made[0].GetRawText(), group.GetRawText());
        Assert.Equal(["m1", A, B, Cloud], Parts(group));
        ProtectionGroup known = await KnownAsync("web");
        Assert.Equal((null, "/srv", 30), (known.Policy.Id, Assert.Single(known.Policy.Files).Path, known.Policy.Retention?.Days));
        Assert.Equal((90, null, 5), (known.CopyRetention?.Days, known.CopyRetention?.Weekly?.Weeks, known.CopyRetention?.Yearly?.Years));

        Assert.Equal(("group change", "sites", true, 0), Summary(await LinesAsync(0, "group", "change", "WEB", "--new-name", "sites", "--add-machine", "m2", "--remove-machine", "M1", "--disk-vault", B)));
        group = await ShownAsync();
        Assert.Equal(["m2", B, Cloud], Parts(group));
        Assert.Equal("sites", group.GetProperty("name").GetString());

        // What is not named stays as it is.
        known = await KnownAsync("sites");
        Assert.Equal((30, 90), (known.Policy.Retention?.Days, known.CopyRetention?.Days));

        await File.WriteAllTextAsync(_folder["policy.json"], Policy.Replace("30", "20", StringComparison.Ordinal), Stop);
        await LinesAsync(0, "group", "change", "sites", "--keep-days", "60", "--policy", _folder["policy.json"]);
        known = await KnownAsync("sites");
        Assert.Equal((20, 60, null), (known.Policy.Retention?.Days, known.CopyRetention?.Days, known.CopyRetention?.Yearly));
        await LinesAsync(0, "group", "change", "sites", "--keep-all");
        Assert.Null((await KnownAsync("sites")).CopyRetention);
        await LinesAsync(0, "group", "change", "sites", "--no-copies");
        Assert.Empty(Strings(await ShownAsync(), "copyTo"));

        Assert.Equal(("group remove", "sites", false, 0), Summary(await LinesAsync(0, "group", "remove", "sites", "--dry-run")));
        await ShownAsync();
        Assert.Equal(("group remove", "sites", true, 0), Summary(await LinesAsync(0, "group", "remove", "sites")));
        Assert.Equal(0, (await LinesAsync(0, "group", "list"))[^1].GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_dry_run_changes_nothing_and_finds_what_cannot_be()
    {
        string[] before = Files();
        JsonElement[] said = await LinesAsync(0, Create("web", "m1", "--dry-run"));
        Assert.Single(said);
        Assert.Equal(("group create", "web", false, 0), Summary(said));
        Assert.Equal(before, Files());
        Assert.Equal(10, (await RunAsync(Create("web", "m1", "--copy-to", _folder["nowhere"], "--dry-run"))).ExitCode);

        await LinesAsync(0, Create("web", "m1"));
        before = Files();
        Assert.Equal(("group change", "web", false, 0), Summary(await LinesAsync(0, "group", "change", "web", "--add-machine", "m2", "--dry-run")));
        Assert.Equal(before, Files());
        Assert.Equal(["m1"], Strings(await ShownAsync(), "machines"));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_and_changes_nothing()
    {
        await LinesAsync(0, Create("web", "m1"));
        string[] before = Files();

        await RefusedAsync(1, "GroupExists", Create("WEB", "m2"));
        await RefusedAsync(1, "GroupMachineTaken", Create("db", "m1"));
        await RefusedAsync(1, "AgentNotInstalled", Create("db", "m3"));
        await RefusedAsync(2, "ArgumentInvalid", Create("db", "m2", "--keep-days", "9"));
        await RefusedAsync(2, "ArgumentInvalid", "group", "create", "db", "--machine", "m2", "--disk-vault", A);
        await RefusedAsync(2, "ArgumentInvalid", "group", "create", "db", "--machine", "m2", "--disk-vault", A, "--policy", _folder["none.json"]);
        await File.WriteAllTextAsync(_folder["wrong.json"], """{ "version": 1, "kind": "Files", "flies": [] }""", Stop);
        await RefusedAsync(1, "PolicyFileInvalid", "group", "create", "db", "--machine", "m2", "--disk-vault", A, "--policy", _folder["wrong.json"]);

        await RefusedAsync(1, "GroupNotFound", "group", "change", "db", "--add-machine", "m2");
        await RefusedAsync(1, "AgentNotInstalled", "group", "change", "web", "--add-machine", "m3");
        foreach (string[] wrong in new string[][]
        {
            [], ["--remove-machine", "m2"], ["--remove-machine", "m1"], ["--no-copies", "--copy-to", Cloud], ["--no-copies", "--keep-days", "9"], ["--keep-all", "--keep-days", "9"], ["--machine", "m2"],
        })
        {
            await RefusedAsync(2, "ArgumentInvalid", ["group", "change", "web", .. wrong]);
        }

        await RefusedAsync(1, "GroupNotFound", "group", "remove", "db");
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task A_place_that_is_away_is_told_later()
    {
        await LinesAsync(0, Create("web", "m1", "--copy-to", Cloud));
        Directory.Move(Cloud, _folder["away"]);

        Assert.Equal(("group remove", "web", true, 1), Summary(await LinesAsync(3, "group", "remove", "web")));
    }

    private string[] Create(string name, string machine, params string[] more) =>
        ["group", "create", name, "--machine", machine, "--policy", _folder["policy.json"], "--disk-vault", A, .. more];

    // What another process of the server knows.
    private Task<ProtectionGroup> KnownAsync(string name) => MachineAgent.Open("test-machine", PolicyLimits.Open, _ => { }, _machines.State).Groups.GetAsync(name, Stop);

    private async Task<JsonElement> ShownAsync() => (await LinesAsync(0, "group", "list")).Single(line => line.GetProperty("type").GetString() == "group");

    private async Task RefusedAsync(int exitCode, string id, params string[] arguments) =>
        Assert.Equal(id, Assert.Single(await LinesAsync(exitCode, arguments), line => line.GetProperty("type").GetString() == "error").GetProperty("id").GetString());

    private async Task<JsonElement[]> LinesAsync(int exitCode, params string[] arguments)
    {
        (int code, string output, string error) = await RunAsync([.. arguments, "--json"]);
        Assert.True(code == exitCode, $"{string.Join(' ', arguments)} ended with {code}: {output}{error}");
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase, ["MSONLINEBACKUP_STATE"] = _machines.State } };
        run.Clock.JumpTo(TimeProvider.System.GetUtcNow());
        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }

    // What the vaults have, and what the server keeps of them.
    private string[] Files() =>
    [
        .. new[] { A, B, Cloud }.SelectMany(place => Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal),
        File.Exists(Path.Combine(_machines.State, "server.json")) ? File.ReadAllText(Path.Combine(_machines.State, "server.json")) : "",
    ];

    private static (string?, string?, bool, int) Summary(JsonElement[] lines) => (
        lines[^1].GetProperty("command").GetString(), lines[^1].GetProperty("group").GetString(), lines[^1].GetProperty("hasChanged").GetBoolean(), lines[^1].GetProperty("warnings").GetInt32());

    private static string[] Parts(JsonElement group) => [.. Strings(group, "machines"), .. Strings(group, "diskVaults"), .. Strings(group, "copyTo")];

    private static string[] Strings(JsonElement line, string name) => [.. line.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
}
