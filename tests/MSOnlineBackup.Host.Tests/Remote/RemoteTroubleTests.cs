using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests.Remote;

/// <summary>Machines that do not take an agent, and why: each is told for what it is, and what was there before is still used.</summary>
public sealed class RemoteTroubleTests : IDisposable
{
    private const string Fingerprint = "SHA256:G0ui8xV60yff+x4nYXBSKcbnOQmHi0svh4BLZbbYfPU";

    private readonly FakeMachines _machines = new();

    public RemoteTroubleTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Shell scripts stand for ssh and for machines.");
        _machines.Add("m1");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _machines.Dispose();

    [Fact]
    public async Task A_key_is_pinned_only_where_somebody_says_that_it_is_right()
    {
        RemoteAgents agents = _machines.Open();
        HostKeyCheck check = Assert.Single(await agents.CheckHostKeysAsync([FakeMachines.Machine("m1")], [], Stop));

        Assert.Null(HostKeyRules.Decide(check, [], acceptNew: false));
        BackupException unknown = HostKeyRules.Unanswered(check);
        Assert.Equal(BackupErrorId.VaultHostUntrusted, unknown.Id);
        Assert.Contains($"ED25519 {Fingerprint}", unknown.Message, StringComparison.Ordinal);
        BackupException other = Assert.Throws<BackupException>(() => HostKeyRules.Decide(check, ["SHA256:AAAA"], acceptNew: true));
        Assert.Contains($"It shows ED25519 {Fingerprint}; named was SHA256:AAAA", other.Message, StringComparison.Ordinal);
        Assert.Equal(0, _machines.Calls("m1"));
        Assert.Equal(check.Shown, HostKeyRules.Decide(check, ["SHA256:AAAA", Fingerprint["SHA256:".Length..] + "="], acceptNew: false));
        Assert.Equal(check.Shown, HostKeyRules.Decide(check, [], acceptNew: true));
        Assert.Equal(BackupErrorId.AgentNotInstalled, Assert.Single(await agents.InstallAsync([FakeMachines.Machine("m1")], new RemoteInstallOptions(), Stop)).Failure!.Id);
    }

    [Fact]
    public async Task A_damaged_record_is_told_and_hides_no_other_machine()
    {
        _machines.Add("m2");
        await _machines.InstallAsync(null, "m1", "m2");
        await File.WriteAllTextAsync(Directory.GetFiles(_machines.State, "agent.json", SearchOption.AllDirectories).Single(path => path.Contains("m1", StringComparison.Ordinal)), "{", Stop);

        IReadOnlyList<RemoteAgent> listed = _machines.Open().List();

        Assert.Equal([("m1", RemoteAgentState.Failed), ("m2", RemoteAgentState.Current)], listed.Select(agent => (agent.Machine.HostName, agent.State)));
        Assert.Contains("agent.json", listed[0].Reason, StringComparison.Ordinal);
        IReadOnlyList<RemoteResult> refreshed = await _machines.Open().RefreshAsync([.. listed.Select(agent => agent.Machine)], Stop);
        Assert.Equal([BackupErrorId.StateInvalid, null], refreshed.Select(result => result.Failure?.Id));
    }

    [Fact]
    public async Task A_changed_key_is_refused_with_both_fingerprints_until_somebody_names_the_new_one()
    {
        await _machines.InstallAsync(null, "m1");
        int calls = _machines.Calls("m1");
        await File.WriteAllTextAsync(_machines.Of("m1", "key"), FakeMachines.OtherKey + "\n", Stop);
        string shown = new HostKey("ssh-ed25519", FakeMachines.OtherKey.Split(' ')[1]).Fingerprint;

        BackupException failure = await FailsAsync(BackupErrorId.VaultHostUntrusted);
        Assert.Contains($"shows the ED25519 key {shown}; known is the ED25519 key {Fingerprint}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(calls, _machines.Calls("m1"));
        Assert.Equal(RemoteAgentState.Failed, Assert.Single(_machines.Open().List()).State);

        RemoteAgents agents = _machines.Open();
        HostKeyCheck check = Assert.Single(await agents.CheckHostKeysAsync([FakeMachines.Machine("m1")], ["SHA256:BBBB"], Stop));
        Assert.Contains($"named was SHA256:BBBB or ED25519 {Fingerprint} (pinned)", Assert.Throws<BackupException>(() => HostKeyRules.Decide(check, ["SHA256:BBBB"], true)).Message, StringComparison.Ordinal);
        check = Assert.Single(await agents.CheckHostKeysAsync([FakeMachines.Machine("m1")], [shown], Stop));
        Assert.Null(HostKeyRules.Decide(check, [], acceptNew: true));
        agents.Pin(check.Machine, HostKeyRules.Decide(check, [shown], acceptNew: false)!);
        Assert.Null(Assert.Single(await _machines.InstallAsync(null, "m1")).Failure);
    }

    public static TheoryData<string, string, BackupErrorId, string, string> Programs => new()
    {
        { "uname", "[ \"$1\" = -s ] && echo FreeBSD || echo amd64", BackupErrorId.AgentMachineUnsuitable, "'uname' says that it is 'FreeBSD amd64'", "Linux" },
        { "uname", "[ \"$1\" = -s ] && echo Linux || echo riscv64", BackupErrorId.AgentMachineUnsuitable, "'Linux riscv64'", "x64" },
        { "uname", "[ \"$1\" = -s ] && echo Linux || echo aarch64", BackupErrorId.PackageInvalid, "'m1' is linux-arm64", "dotnet publish" },
        { "df", "echo x; echo 'disk 100000 99990 10 100% /home'", BackupErrorId.AgentNoSpace, "and 10,240 bytes are free", "Make room" },
        { "tar", "cat > /dev/null; echo 'tar: data: Cannot write: No space left on device' >&2; exit 2", BackupErrorId.AgentNoSpace, "There is no room", "Make room" },
        { "tar", "head -c 100 > /dev/null; echo 'tar: broken' >&2; exit 2", BackupErrorId.AgentNotUpdated, "could not be unpacked (tar: broken)", "again" },
        { "tar", "real \"$@\"; echo x >> \"$6/more/data\"", BackupErrorId.AgentNotUpdated, "more/data: FAILED", "again" },
        { "tar", "real \"$@\"; rm \"$6/more/data\"", BackupErrorId.AgentNotUpdated, "more/data", "again" },
        { "mkdir", "case \"$*\" in *versions) echo \"mkdir: cannot create directory '$2': Read-only file system\" >&2; exit 1 ;; esac; real \"$@\"", BackupErrorId.AgentMachineUnsuitable, "Read-only file system", "-UserName" },
        { "gzip", "kill -9 $PPID $(ps -o ppid= $PPID)", BackupErrorId.AgentNotUpdated, "", "again" },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task What_a_machine_lacks_is_named(string program, string script, BackupErrorId id, string message, string action)
    {
        await _machines.InstallAsync(null, "m1");
        _machines.Own = _machines.MakePackage("1.1.0");
        _machines.Replace("m1", program, script);

        BackupException failure = await FailsAsync(id);

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.Contains(action, failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal("1.0.0", _machines.Answer("m1"));
        Assert.Equal("1.0.0", Assert.Single(_machines.Open().List()).Version);
        _machines.Restore("m1");
        Assert.Null(Assert.Single(await _machines.InstallAsync(null, "m1")).Failure);
        Assert.Equal("1.1.0", _machines.Answer("m1"));
    }

    [Fact]
    public async Task Room_is_told_in_bytes_that_are_wanted_and_free()
    {
        _machines.Replace("m1", "df", "echo x; echo 'disk 100000 99990 10 100% /home'");
        Assert.Matches(@"it takes 1,[0-9]{3},[0-9]{3} bytes in '~/.local/share/obengine', and 10,240 bytes are free", (await FailsAsync(BackupErrorId.AgentNoSpace)).Message);
        Assert.Equal(1, _machines.Calls("m1"));
        Assert.Empty(_machines.Open().List());
    }

    [Fact]
    public async Task Missing_programs_are_named_together()
    {
        // Nothing but these.
        foreach (string name in new[] { "sh", "uname", "mkdir", "mv", "ln", "rm", "readlink", "df", "tail", "head", "tr", "cut", "cat", "sync", "ldd", "timeout" })
        {
            File.CreateSymbolicLink(_machines.Of("m1", $"path/{name}"), Testing.Shell.RunChecked("sh", "-c", $"command -v {name}").Trim());
        }

        await File.WriteAllTextAsync(_machines.Of("m1", "alone"), "", Stop);

        Assert.Contains("it has no tar, no gzip, no grep, no sha256sum", (await FailsAsync(BackupErrorId.AgentMachineUnsuitable)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_greeting_of_the_shell_is_passed_over()
    {
        await File.WriteAllTextAsync(_machines.Of("m1", "greeting"), "Welcome!\r\ncurrent=evil\nend\n" + new string('x', 100_000), Stop);
        Assert.Null(Assert.Single(await _machines.InstallAsync(null, "m1")).Failure);
        Assert.Equal("1.0.0", _machines.Answer("m1"));
    }

    [Theory]
    [InlineData("echo 'This account is not available.'; exit 1", "This account is not available.")]
    [InlineData("exec cat", "runs no command with 'sh'")]
    [InlineData("printf '\\033[31mred' >&2", "[31mred")]
    public async Task A_login_that_runs_no_commands_is_told_of(string forced, string message)
    {
        await File.WriteAllTextAsync(_machines.Of("m1", "forced"), forced, Stop);
        string said = (await FailsAsync(BackupErrorId.AgentMachineUnsuitable)).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', said);
    }

    [Fact]
    public async Task Names_that_a_machine_makes_up_are_taken_for_none()
    {
        // It sees the mark in what it is to run.
        await File.WriteAllTextAsync(
            _machines.Of("m1", "forced"),
            "m=$(tr '\\0' '\\n' < /proc/$PPID/cmdline | grep -o 'obengine-agent-[0-9a-f]*' | head -n 1); printf '%s\\nsystem=Linux\\nmachine=x86_64\\ncurrent=../../etc\\nversion=9\\nbefore=x;rm -rf\\nhas=..\\nend\\n' \"$m\"",
            Stop);
        await FailsAsync(BackupErrorId.AgentMachineUnsuitable);
        Assert.Empty(_machines.Open().List());
    }

    [Fact]
    public async Task A_login_that_is_refused_and_a_host_that_is_away_are_told_apart()
    {
        await _machines.InstallAsync(null, "m1");
        await File.WriteAllTextAsync(_machines.Of("m1", "locked"), "", Stop);
        Assert.Contains("Permission denied (publickey)", (await FailsAsync(BackupErrorId.AgentAccessDenied)).Message, StringComparison.Ordinal);
        HostKeyCheck check = Assert.Single(await _machines.Open().CheckHostKeysAsync([FakeMachines.Machine("nowhere")], [], Stop));
        Assert.Equal(BackupErrorId.AgentUnreachable, check.Failure!.Id);
        Assert.Contains("No route to host", check.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Packages_that_do_not_serve_are_refused_before_anything_is_sent()
    {
        string other = _machines.MakePackage("1.1.0", platform: "linux-riscv64");
        await RefusesAsync(other, "it is for linux-riscv64, and 'm1' is " + FakeMachines.Platform);
        string damaged = _machines.MakePackage("1.1.0");
        await File.WriteAllTextAsync(Path.Combine(damaged, "obengine.sha256"), $"{new string('0', 64)}  more/data\n", Stop);
        await RefusesAsync(damaged, $"'obengine.sha256' says {new string('0', 64)}: it was damaged on its way, or changed");
        string shared = _machines.MakePackage("1.1.0");
        await File.WriteAllTextAsync(Path.Combine(shared, "obengine.deps.json"), """{ "runtimeTarget": { "name": ".NETCoreApp,Version=v10.0" }, "libraries": { "obengine/1.1.0": {} } }""", Stop);
        await RefusesAsync(shared, "not published for a platform");
        await File.WriteAllTextAsync(Path.Combine(shared, "obengine.deps.json"), "[]", Stop);
        await RefusesAsync(shared, "is damaged");
        File.Delete(Path.Combine(shared, "obengine.deps.json"));
        await RefusesAsync(shared, "no folder that 'dotnet publish' has made");
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await FailsAsync(null, new RemoteInstallOptions { PackagePath = "/there/is/none" })).Id);
        string odd = _machines.MakePackage("1.1.0");
        await File.WriteAllTextAsync(Path.Combine(odd, "more", "it's odd"), "", Stop);
        await RefusesAsync(odd, "more/it's odd");
        Assert.False(Directory.Exists(_machines.Of("m1", "home/.local")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-oProxyCommand=x")]
    [InlineData("root@m1")]
    [InlineData("m1 m2")]
    [InlineData("../m1")]
    [InlineData("m1/..")]
    [InlineData("m'1")]
    public void A_name_that_is_none_is_refused(string name) =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => new RemoteMachine { HostName = name }).Id);

    private async Task RefusesAsync(string package, string message) =>
        Assert.Contains(message, (await FailsAsync(BackupErrorId.PackageInvalid, new RemoteInstallOptions { PackagePath = package })).Message, StringComparison.Ordinal);

    private async Task<BackupException> FailsAsync(BackupErrorId? id, RemoteInstallOptions? options = null)
    {
        RemoteResult result = Assert.Single(await _machines.InstallAsync(options, "m1"));
        Assert.NotNull(result.Failure);
        Assert.True(id is null || result.Failure.Id == id, $"{result.Failure.Id}: {result.Failure.Message}");
        return result.Failure;
    }
}
