using System.Security.Cryptography;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>
/// The agents that this machine puts on others, over a shell there and nothing else: no daemon, no key and no open port is left. Machines are worked on side by side; one that
/// fails stops no other. A version is sent, compared with its hashes and run before it is used; whatever ends that, and whenever, what was there before is still used.
/// </summary>
public sealed class RemoteAgents
{
    private const int MachinesAtOnce = 8;

    private readonly RemoteAgentRecords _records;
    private readonly Func<RemoteInstallation> _own;
    private readonly IRemoteShell? _shell;
    private readonly TimeProvider _clock;

    internal RemoteAgents(StateFolder state, Func<RemoteInstallation> own, IRemoteShell? shell, TimeProvider clock)
    {
        _records = new RemoteAgentRecords(state);
        _own = own;
        _shell = shell;
        _clock = clock;
    }

    private IRemoteShell Shell => _shell ?? throw new InvalidOperationException("Nothing here can log in to other machines.");

    /// <summary>What is on record, by name; no machine is asked. Of which the record is damaged, that says so as Failed.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public IReadOnlyList<RemoteAgent> List() => [.. _records.Names().Select(ShowOrExplain).OfType<RemoteAgent>()];

    /// <summary>How a machine that has an agent is logged in to.</summary>
    /// <exception cref="BackupException">AgentNotInstalled, ArgumentInvalid, StateInvalid, StateAccessDenied.</exception>
    public RemoteMachine Find(string hostName) => _records.Find(new RemoteMachine { HostName = hostName }.HostName)?.Machine ?? throw RemoteErrors.NotInstalled(hostName);

    /// <summary>The error for a machine that nothing is on record of.</summary>
    public static BackupException NotInstalled(string hostName) => RemoteErrors.NotInstalled(hostName);

    /// <summary>What is on record of a machine with what is said anew put in its place.</summary>
    /// <exception cref="BackupException">ArgumentInvalid, StateInvalid, StateAccessDenied.</exception>
    public RemoteMachine Complete(RemoteMachine said)
    {
        ArgumentNullException.ThrowIfNull(said);
        RemoteMachine? known = _records.Find(said.Checked().HostName)?.Machine;
        return known is null ? said : known with { UserName = said.UserName ?? known.UserName, Port = said.Port ?? known.Port, KeyFilePath = said.KeyFilePath ?? known.KeyFilePath };
    }

    /// <summary>Asks the hosts for their keys whose keys are not pinned, or are other than those that are named. Nobody logs in.</summary>
    /// <param name="machines">The machines.</param>
    /// <param name="fingerprints">Fingerprints that somebody has compared; none for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<HostKeyCheck>> CheckHostKeysAsync(IReadOnlyList<RemoteMachine> machines, IReadOnlyCollection<string> fingerprints, CancellationToken cancellationToken)
    {
        var checks = new HostKeyCheck[machines.Count];
        await SideBySideAsync(machines.Count, async (i, stop) =>
        {
            RemoteMachine machine = machines[i];
            HostKey? known = null;
            try
            {
                known = _records.FindKey(machine.HostName);
                bool isAsked = known is null || (fingerprints.Count > 0 && !fingerprints.Any(named => HostKeyRules.Same(named, known.Fingerprint)));
                checks[i] = new HostKeyCheck(machine, known, isAsked ? await Shell.FindHostKeyAsync(machine, stop).ConfigureAwait(false) : null, null);
            }
            catch (BackupException e)
            {
                checks[i] = new HostKeyCheck(machine, known, null, e);
            }
        }, cancellationToken).ConfigureAwait(false);
        return checks;
    }

    /// <summary>Pins the key of a host: from now on no other is accepted.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Pin(RemoteMachine machine, HostKey key)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(key);
        _records.Pin(machine.HostName, key);
    }

    /// <summary>
    /// Puts an agent on machines whose host keys are pinned, or another version in the place of the one that is there. Where an agent was put before, and the machine cannot be
    /// reached now, it is Pending.
    /// </summary>
    /// <param name="machines">The machines.</param>
    /// <param name="options">What is put there.</param>
    /// <param name="cancellationToken">Stops it; what was there before is still used.</param>
    /// <returns>What became of each, in their order.</returns>
    public async Task<IReadOnlyList<RemoteResult>> InstallAsync(IReadOnlyList<RemoteMachine> machines, RemoteInstallOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machines);
        ArgumentNullException.ThrowIfNull(options);
        using var packages = new RemotePackages(_records, _own(), cancellationToken);
        return await EachAsync(machines, (work, stop) => work.InstallAsync(packages, options, stop), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks machines which version they use. Updates that are Pending are made where the machine can be reached now.</summary>
    public async Task<IReadOnlyList<RemoteResult>> RefreshAsync(IReadOnlyList<RemoteMachine> machines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machines);
        using var packages = new RemotePackages(_records, _own(), cancellationToken);
        return await EachAsync(machines, (work, stop) => work.RefreshAsync(packages, stop), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Goes back to the version before, which is checked and run first. Doing it once more returns to the newer one.</summary>
    public Task<IReadOnlyList<RemoteResult>> RollBackAsync(IReadOnlyList<RemoteMachine> machines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machines);
        return EachAsync(machines, (work, stop) => work.RollBackAsync(stop), cancellationToken);
    }

    /// <summary>Removes agents, and all that was put on the machines with them, then forgets them and the keys of their hosts. State, policies and vaults of the machines stay.</summary>
    /// <param name="machines">The machines.</param>
    /// <param name="onlyForget">Whether the machines are not asked: for those that are no more.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public Task<IReadOnlyList<RemoteResult>> RemoveAsync(IReadOnlyList<RemoteMachine> machines, bool onlyForget, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machines);
        return EachAsync(machines, (work, stop) => work.RemoveAsync(onlyForget, stop), cancellationToken);
    }

    // One record that is damaged hides none of the others.
    private RemoteAgent? ShowOrExplain(string host)
    {
        try
        {
            return Show(host);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            return new RemoteAgent { Machine = new RemoteMachine { HostName = host }, State = RemoteAgentState.Failed, Reason = $"{e.Message} {e.RecommendedAction}" };
        }
    }

    // Whoever was killed while a version was put somewhere holds the lock no more.
    private RemoteAgent? Show(string host)
    {
        RemoteAgent? agent = _records.Find(host);
        if (agent is not { State: RemoteAgentState.Updating })
        {
            return agent is { State: RemoteAgentState.Current, Version: { } version } && RemoteNames.IsOlderThanThis(version) ? agent with { State = RemoteAgentState.Available } : agent;
        }

        using IDisposable? held = _records.TryLock(host);
        return held is null ? agent : agent with { State = RemoteAgentState.Failed, Reason = "It was interrupted. What was there before is still used; run the same again." };
    }

    private async Task<IReadOnlyList<RemoteResult>> EachAsync(IReadOnlyList<RemoteMachine> machines, Func<RemoteWork, CancellationToken, Task<RemoteResult>> work, CancellationToken cancellationToken)
    {
        var results = new RemoteResult[machines.Count];
        await SideBySideAsync(machines.Count, async (i, stop) =>
        {
            string host = machines[i].HostName;
            try
            {
                using IDisposable held = _records.TryLock(host) ?? throw RemoteErrors.Busy(host);
                RemoteResult result = await work(new RemoteWork(machines[i], _records, held, Shell, _clock), stop).ConfigureAwait(false);
                results[i] = result with { Agent = result.Agent is { State: RemoteAgentState.Current } current ? Show(host) ?? current : result.Agent };
            }
            catch (BackupException e)
            {
                results[i] = new RemoteResult(host, null, e);
            }
        }, cancellationToken).ConfigureAwait(false);
        return results;
    }

    private static Task SideBySideAsync(int count, Func<int, CancellationToken, ValueTask> one, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = MachinesAtOnce, CancellationToken = cancellationToken }, one);

    /// <summary>A line that nobody else writes.</summary>
    internal static string NewMark() => $"obengine-agent-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
}
