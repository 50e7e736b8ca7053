using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>Work on one machine, whose lock is held.</summary>
internal sealed class RemoteWork(RemoteMachine machine, RemoteAgentRecords records, IDisposable held, IRemoteShell shell, TimeProvider clock)
{
    // What is beside the version while it is put together: folders, the list, the two links.
    private const long Margin = 1 << 20;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    // It compares some hundred megabytes with their hashes, runs the program, and has all of it written to the disk.
    private static readonly TimeSpan _patienceForVersion = TimeSpan.FromMinutes(10);

    private readonly string _host = machine.HostName;

    /// <summary>Puts a version there; where it cannot be reached now, and had one, it is Pending.</summary>
    public async Task<RemoteResult> InstallAsync(RemotePackages packages, RemoteInstallOptions options, CancellationToken cancellationToken)
    {
        RemoteFacts facts;
        try
        {
            facts = await ProbeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.AgentUnreachable && records.Find(_host) is { } known)
        {
            RemoteAgent pending = known with
            {
                Machine = machine,
                State = RemoteAgentState.Pending,
                Reason = e.Message,
                PendingPackage = options.PackagePath,
                PendingMayBeOlder = options.AllowDowngrade,
            };
            records.Write(pending);
            return new RemoteResult(_host, pending, null);
        }
        catch (BackupException e)
        {
            return new RemoteResult(_host, Fail(e), e);
        }

        try
        {
            return new RemoteResult(_host, await InstallAsync(facts, packages, options, cancellationToken).ConfigureAwait(false), null);
        }
        catch (BackupException e)
        {
            return new RemoteResult(_host, Fail(e), e);
        }
    }

    /// <summary>Asks which version is used, and makes an update that is Pending.</summary>
    public async Task<RemoteResult> RefreshAsync(RemotePackages packages, CancellationToken cancellationToken)
    {
        RemoteAgent known = records.Find(_host) ?? throw RemoteErrors.NotInstalled(_host);
        if (known.State == RemoteAgentState.Pending)
        {
            return await InstallAsync(packages, new RemoteInstallOptions { PackagePath = known.PendingPackage, AllowDowngrade = known.PendingMayBeOlder }, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            RemoteFacts facts = await ProbeAsync(cancellationToken).ConfigureAwait(false);
            RemoteAgent found = Record(facts, facts.Works ? RemoteAgentState.Current : RemoteAgentState.Failed) with
            {
                Platform = facts.Platform ?? known.Platform,
                ForeignProgram = known.ForeignProgram,
                Reason = facts.Works ? null : facts.Current is null ? "There is no agent there any more." : $"The version that is used does not answer: {facts.Answer ?? "nothing"}",
            };
            records.Write(found);
            return new RemoteResult(_host, found, null);
        }
        catch (BackupException e)
        {
            return new RemoteResult(_host, known, e);
        }
    }

    /// <summary>Goes back to the version before.</summary>
    public async Task<RemoteResult> RollBackAsync(CancellationToken cancellationToken)
    {
        RemoteAgent known = records.Find(_host) ?? throw RemoteErrors.NotInstalled(_host);
        RemoteFacts facts;
        try
        {
            facts = await ProbeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            // What was not begun has not failed.
            return new RemoteResult(_host, known, e);
        }

        if (facts.Before is not { } before)
        {
            return new RemoteResult(_host, known, RemoteErrors.NoPrevious(_host));
        }

        try
        {
            records.Write(known with { State = RemoteAgentState.Updating, Reason = null });
            return new RemoteResult(_host, Done(RemoteFacts.Read(await ChooseAsync(before, cancellationToken).ConfigureAwait(false)), facts.Platform ?? known.Platform), null);
        }
        catch (BackupException e)
        {
            return new RemoteResult(_host, Fail(e), e);
        }
    }

    /// <summary>Removes what was put there, and forgets the machine.</summary>
    public async Task<RemoteResult> RemoveAsync(bool onlyForget, CancellationToken cancellationToken)
    {
        RemoteAgent? known = records.Find(_host);
        if (known is null && records.FindKey(_host) is null)
        {
            records.Remove(_host, held);
            throw RemoteErrors.NotInstalled(_host);
        }

        ScriptAnswer? answer = onlyForget ? null : await RunAsync(AgentScripts.Remove, null, _patience, cancellationToken).ConfigureAwait(false);
        records.Remove(_host, held);
        return new RemoteResult(_host, (known ?? new RemoteAgent { Machine = machine, State = RemoteAgentState.Failed }) with { ForeignProgram = answer?["left"] }, null);
    }

    private async Task<RemoteFacts> ProbeAsync(CancellationToken cancellationToken) =>
        RemoteFacts.Read(await RunAsync(AgentScripts.Probe, null, _patience, cancellationToken).ConfigureAwait(false));

    private async Task<RemoteAgent> InstallAsync(RemoteFacts facts, RemotePackages packages, RemoteInstallOptions options, CancellationToken cancellationToken)
    {
        facts.RequireSuitable(_host);
        AgentPackage package = await packages.FindAsync(_host, facts.Platform!, options.PackagePath).ConfigureAwait(false);
        if (facts.Current == package.Build && facts.Works && !facts.HasRemains)
        {
            return Done(facts, package.Platform);
        }

        if (!options.AllowDowngrade && facts.Works && RemoteNames.VersionOf(facts.Current) is { } installed && RemoteNames.IsOlder(package.Version, installed))
        {
            throw RemoteErrors.Outdated(_host, package.Version, installed);
        }

        if (!facts.Builds.Contains(package.Build))
        {
            RequireRoom(facts, package);
        }

        records.Write(Record(facts, RemoteAgentState.Updating) with { Platform = package.Platform });
        return Done(RemoteFacts.Read(await PutAsync(facts, packages, package, cancellationToken).ConfigureAwait(false)), package.Platform);
    }

    private async Task<ScriptAnswer> PutAsync(RemoteFacts facts, RemotePackages packages, AgentPackage package, CancellationToken cancellationToken)
    {
        if (facts.Builds.Contains(package.Build))
        {
            try
            {
                return await ChooseAsync(package.Build, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.AgentNotUpdated)
            {
                // It is damaged there: it is sent anew.
            }
        }

        RequireRoom(facts, package);
        AgentArchive archive = await packages.ArchiveAsync(package).ConfigureAwait(false);
        return await RunAsync(mark => AgentScripts.Receive(mark, package), archive.ReadAsync(cancellationToken), _patienceForVersion, cancellationToken, RoomOf(package)).ConfigureAwait(false);
    }

    private void RequireRoom(RemoteFacts facts, AgentPackage package)
    {
        if (facts.Free < RoomOf(package))
        {
            throw RemoteErrors.NoSpace(_host, $"~/{AgentScripts.Place}", RoomOf(package), facts.Free);
        }
    }

    private static long RoomOf(AgentPackage package) => package.Room + Margin;

    private Task<ScriptAnswer> ChooseAsync(string build, CancellationToken cancellationToken)
    {
        string hash = build[^AgentPackage.DigitsOfBuild..];
        string version = RemoteNames.VersionOf(build)!;
        return RunAsync(mark => AgentScripts.Choose(mark, build, hash, version), null, _patienceForVersion, cancellationToken);
    }

    private async Task<ScriptAnswer> RunAsync(
        Func<string, string> script, IAsyncEnumerable<ReadOnlyMemory<byte>>? content, TimeSpan patience, CancellationToken cancellationToken, long wanted = 0)
    {
        if (records.FindKey(_host) is null)
        {
            throw RemoteErrors.NotInstalled(_host);
        }

        string mark = RemoteAgents.NewMark();
        RemoteWords words = await shell.RunAsync(machine, records.KnownHosts(_host), script(mark), content, patience, cancellationToken).ConfigureAwait(false);
        var answer = ScriptAnswer.Read(words.Output, mark);
        return ScriptFailure.Find(_host, answer, words, wanted) is { } failure ? throw failure : answer!;
    }

    private RemoteAgent Done(RemoteFacts facts, string? platform)
    {
        RemoteAgent agent = Record(facts, RemoteAgentState.Current) with { Platform = platform };
        records.Write(agent);
        return agent;
    }

    private RemoteAgent Record(RemoteFacts facts, RemoteAgentState state) => new()
    {
        Machine = machine,
        State = state,
        HostKey = records.FindKey(_host)?.ToString(),
        Platform = facts.Platform,
        Version = RemoteNames.VersionOf(facts.Current),
        Build = facts.Current,
        PreviousVersion = RemoteNames.VersionOf(facts.Before),
        Program = facts.Program,
        LastSeen = clock.GetUtcNow(),
        ForeignProgram = facts.Foreign,
    };

    // Of a machine that never had one only the key is kept.
    private RemoteAgent? Fail(BackupException failure)
    {
        if (records.Find(_host) is not { } known)
        {
            return null;
        }

        RemoteAgent failed = known with { Machine = machine, State = RemoteAgentState.Failed, Reason = failure.Message };
        records.Write(failed);
        return failed;
    }
}
