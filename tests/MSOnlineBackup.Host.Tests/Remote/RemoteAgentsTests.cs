using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests.Remote;

/// <summary>Agents put on other machines: by the scripts that run there, in their own shells, with a script in the place of ssh.</summary>
public sealed class RemoteAgentsTests : IDisposable
{
    private readonly FakeMachines _machines = new();

    public RemoteAgentsTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Shell scripts stand for ssh and for machines.");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _machines.Dispose();

    [Fact]
    public async Task A_version_is_put_there_once_and_found_by_its_link()
    {
        _machines.Add("m1");
        await File.WriteAllTextAsync(Path.Combine(_machines.Own, "of somebody else"), "", Stop);
        RemoteAgent agent = await InstallAsync("m1");

        Assert.Equal((RemoteAgentState.Current, "1.0.0", null), (agent.State, agent.Version, agent.PreviousVersion));
        Assert.Equal(FakeMachines.Platform, agent.Platform);
        Assert.Equal("ED25519 SHA256:G0ui8xV60yff+x4nYXBSKcbnOQmHi0svh4BLZbbYfPU", agent.HostKey);
        Assert.Equal(_machines.Of("m1", "home/.local/share/obengine/obengine"), agent.Program);
        Assert.Equal("1.0.0", _machines.Answer("m1"));
        Assert.Equal("1.0.0", await File.ReadAllTextAsync(_machines.Of("m1", $"home/.local/share/obengine/versions/{agent.Build}/more/data"), Stop));
        Assert.False(File.Exists(_machines.Of("m1", $"home/.local/share/obengine/versions/{agent.Build}/of somebody else")));
        Assert.Equal(2, _machines.Calls("m1"));

        await InstallAsync("m1");
        Assert.Equal(3, _machines.Calls("m1"));
        Assert.Equal("1.0.0", Assert.Single(_machines.Open().List()).Version);
    }

    [Fact]
    public async Task Two_versions_are_kept_and_going_back_changes_between_them()
    {
        _machines.Add("m1");
        foreach (string version in new[] { "1.0.0", "1.1.0", "1.2.0" })
        {
            _machines.Own = _machines.MakePackage(version);
            Assert.Equal(version, (await InstallAsync("m1")).Version);
            Assert.Equal(version, _machines.Answer("m1"));
        }

        Assert.Equal(["1.1.0", "1.2.0"], _machines.Versions("m1"));
        foreach ((string now, string before) in new[] { ("1.1.0", "1.2.0"), ("1.2.0", "1.1.0") })
        {
            RemoteAgent agent = Sound(await _machines.Open().RollBackAsync([FakeMachines.Machine("m1")], Stop));
            Assert.Equal((now, before), (agent.Version, agent.PreviousVersion));
            Assert.Equal(now, _machines.Answer("m1"));
        }

        Assert.Equal(["1.1.0", "1.2.0"], _machines.Versions("m1"));

        // What is there already is not sent again.
        int calls = _machines.Calls("m1");
        Sound(await _machines.Open().RollBackAsync([FakeMachines.Machine("m1")], Stop));
        _machines.Replace("m1", "tar", "exit 9");
        Assert.Equal("1.2.0", (await InstallAsync("m1")).Version);
        Assert.Equal(calls + 4, _machines.Calls("m1"));
    }

    [Theory]
    [InlineData("echo 'obengine: error while loading shared libraries: libssl.so.3' >&2; exit 127", "libssl.so.3")]
    [InlineData("echo 0.9.9", "0.9.9")]
    [InlineData("exit 0", "does not answer")]
    public async Task A_version_that_does_not_answer_is_never_used(string program, string said)
    {
        _machines.Add("m1");
        await InstallAsync("m1");
        _machines.Own = _machines.MakePackage("1.1.0", program: $"#!/bin/sh\n{program}\n");

        (RemoteAgent? agent, BackupException failure) = await FailsAsync("m1", BackupErrorId.AgentNotUpdated, said);

        Assert.Equal((RemoteAgentState.Failed, "1.0.0", failure.Message), (agent!.State, agent.Version, agent.Reason));
        Assert.Equal("1.0.0", _machines.Answer("m1"));
        Assert.Equal(["1.0.0"], _machines.Versions("m1"));
        Assert.Equal(["obengine", "versions"], Left("m1"));
        Assert.Equal(RemoteAgentState.Current, Sound(await _machines.Open().RefreshAsync([FakeMachines.Machine("m1")], Stop)).State);
    }

    [Fact]
    public async Task One_that_was_damaged_there_is_put_there_anew()
    {
        _machines.Add("m1");
        RemoteAgent first = await InstallAsync("m1");
        string program = _machines.Of("m1", $"home/.local/share/obengine/versions/{first.Build}/obengine");
        await File.WriteAllTextAsync(program, "#!/bin/sh\nexit 1\n", Stop);
        RemoteAgent found = Sound(await _machines.Open().RefreshAsync([FakeMachines.Machine("m1")], Stop));
        Assert.Equal(RemoteAgentState.Failed, found.State);
        Assert.Contains("does not answer", found.Reason, StringComparison.Ordinal);

        Assert.Equal(RemoteAgentState.Current, (await InstallAsync("m1")).State);
        Assert.Equal("1.0.0", _machines.Answer("m1"));

        // The version before is looked at, too, before it is gone back to.
        _machines.Own = _machines.MakePackage("1.1.0");
        await InstallAsync("m1");
        await File.AppendAllTextAsync(_machines.Of("m1", $"home/.local/share/obengine/versions/{first.Build}/more/data"), "x", Stop);
        RemoteResult back = Assert.Single(await _machines.Open().RollBackAsync([FakeMachines.Machine("m1")], Stop));
        Assert.Equal(BackupErrorId.AgentNotUpdated, back.Failure!.Id);
        Assert.Contains("more/data: FAILED", back.Failure.Message, StringComparison.Ordinal);
        Assert.Equal("1.1.0", _machines.Answer("m1"));
    }

    [Fact]
    public async Task Of_several_machines_one_that_fails_stops_no_other()
    {
        string[] names = [.. Enumerable.Range(1, 12).Select(number => _machines.Add($"m{number}"))];
        _machines.Replace("m3", "uname", "[ \"$1\" = -s ] && echo FreeBSD || echo amd64");
        await File.WriteAllTextAsync(_machines.Of("m5", "down"), "", Stop);

        IReadOnlyList<RemoteResult> results = await _machines.InstallAsync(null, names);

        Assert.Equal(names, results.Select(result => result.HostName));
        Assert.Equal(["m3", "m5"], results.Where(result => result.Failure is not null).Select(result => result.HostName));
        Assert.Equal(10, results.Count(result => result.Agent is { State: RemoteAgentState.Current }));
        Assert.All(names.Except(["m3", "m5"]), name => Assert.Equal("1.0.0", _machines.Answer(name)));
        Assert.Equal(10, _machines.Open().List().Count);
    }

    [Fact]
    public async Task One_that_is_away_is_pending_until_a_call_reaches_it()
    {
        _machines.Add("m1");
        await InstallAsync("m1");
        await File.WriteAllTextAsync(_machines.Of("m1", "down"), "", Stop);
        string package = _machines.MakePackage("1.1.0");

        RemoteAgent pending = Sound(await _machines.Open().InstallAsync([FakeMachines.Machine("m1")], new RemoteInstallOptions { PackagePath = package }, Stop));
        Assert.Equal((RemoteAgentState.Pending, "1.0.0", package), (pending.State, pending.Version, pending.PendingPackage));
        Assert.Contains("No route to host", pending.Reason, StringComparison.Ordinal);
        Assert.Equal(RemoteAgentState.Pending, Sound(await _machines.Open().RefreshAsync([FakeMachines.Machine("m1")], Stop)).State);
        Assert.Equal(RemoteAgentState.Pending, Assert.Single(_machines.Open().List()).State);

        File.Delete(_machines.Of("m1", "down"));
        RemoteAgent agent = Sound(await _machines.Open().RefreshAsync([FakeMachines.Machine("m1")], Stop));
        Assert.Equal((RemoteAgentState.Current, "1.1.0", "1.0.0"), (agent.State, agent.Version, agent.PreviousVersion));
        Assert.Null(agent.PendingPackage);
        Assert.Equal("1.1.0", _machines.Answer("m1"));
    }

    [Fact]
    public async Task Older_than_this_program_is_said_and_a_step_back_is_refused_unless_it_is_wanted()
    {
        _machines.Add("m1");
        _machines.Own = _machines.MakePackage("0.0.2");
        Assert.Equal(RemoteAgentState.Available, (await InstallAsync("m1")).State);
        Assert.Equal(RemoteAgentState.Available, Assert.Single(_machines.Open().List()).State);
        _machines.Own = _machines.MakePackage("0.0.1");

        await FailsAsync("m1", BackupErrorId.PackageOutdated, "has version 0.0.2, and what would be put there is 0.0.1");
        Assert.Equal("0.0.2", _machines.Answer("m1"));
        Assert.Equal("0.0.1", Sound(await _machines.InstallAsync(new RemoteInstallOptions { AllowDowngrade = true }, "m1")).Version);
    }

    [Fact]
    public async Task What_is_removed_is_ours_and_nothing_else()
    {
        _machines.Add("m1");
        await InstallAsync("m1");
        await File.WriteAllTextAsync(_machines.Of("m1", "home/.local/share/obengine/mine"), "mine", Stop);
        await File.WriteAllTextAsync(_machines.Of("m1", "home/.local/bin/other"), "other", Stop);

        RemoteResult removed = Assert.Single(await _machines.Open().RemoveAsync([FakeMachines.Machine("m1")], onlyForget: false, Stop));

        Assert.Null(removed.Failure);
        Assert.Equal(_machines.Of("m1", "home/.local/share/obengine"), removed.Agent!.ForeignProgram);
        Assert.Equal(["mine"], Left("m1"));
        Assert.Equal("other", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(_machines.Of("m1", "home/.local/bin")))));
        Assert.Empty(_machines.Open().List());
        Assert.Equal(BackupErrorId.AgentNotInstalled, Assert.Throws<BackupException>(() => _machines.Open().Find("m1")).Id);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_machines.State, "agents")));
    }

    [Fact]
    public async Task A_machine_that_is_no_more_is_forgotten_and_a_program_of_its_owners_stays()
    {
        _machines.Add("m1");
        Directory.CreateDirectory(_machines.Of("m1", "home/.local/bin"));
        await File.WriteAllTextAsync(_machines.Of("m1", "home/.local/bin/obengine"), "of somebody", Stop);
        RemoteAgent agent = await InstallAsync("m1");
        Assert.Equal(_machines.Of("m1", "home/.local/bin/obengine"), agent.ForeignProgram);
        Assert.Equal("1.0.0", Testing.Shell.Run(agent.Program!, "--version").Output.Trim());
        await File.WriteAllTextAsync(_machines.Of("m1", "down"), "", Stop);

        Assert.Equal(BackupErrorId.AgentUnreachable, Assert.Single(await _machines.Open().RemoveAsync([FakeMachines.Machine("m1")], onlyForget: false, Stop)).Failure!.Id);
        Assert.Single(_machines.Open().List());
        Assert.Null(Assert.Single(await _machines.Open().RemoveAsync([FakeMachines.Machine("m1")], onlyForget: true, Stop)).Failure);
        Assert.Empty(_machines.Open().List());
        Assert.Equal("of somebody", await File.ReadAllTextAsync(_machines.Of("m1", "home/.local/bin/obengine"), Stop));
    }

    private static RemoteAgent Sound(IReadOnlyList<RemoteResult> results)
    {
        RemoteResult result = Assert.Single(results);
        Assert.True(result.Failure is null, result.Failure?.Message);
        return result.Agent!;
    }

    private async Task<RemoteAgent> InstallAsync(string machine) => Sound(await _machines.InstallAsync(null, machine));

    private async Task<(RemoteAgent? Agent, BackupException Failure)> FailsAsync(string machine, BackupErrorId id, string message)
    {
        RemoteResult result = Assert.Single(await _machines.InstallAsync(null, machine));
        Assert.Equal(id, result.Failure?.Id);
        Assert.Contains(message, result.Failure!.Message, StringComparison.Ordinal);
        return (result.Agent, result.Failure);
    }

    private string[] Left(string machine) => [.. Directory.EnumerateFileSystemEntries(_machines.Of(machine, "home/.local/share/obengine")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
