using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>The machines of groups and what this machine has on record of their agents: the one is made from the other, in both directions.</summary>
internal sealed class GroupMachines(RemoteAgentRecords records)
{
    /// <summary>What a group keeps of machines that have an agent.</summary>
    /// <exception cref="BackupException">AgentNotInstalled, ArgumentInvalid, StateInvalid, StateAccessDenied.</exception>
    public IReadOnlyList<GroupMachine> Describe(IEnumerable<string> hosts) => [.. hosts.Select(Describe)];

    /// <summary>The machines of a group once some have come into it, and others have left it; of those that are in it already, what is on record is taken anew.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: one that is to leave is not in it; those of <see cref="Describe(IEnumerable{string})"/>.</exception>
    public IReadOnlyList<GroupMachine> Describe(ProtectionGroup group, IReadOnlyList<string> added, IReadOnlyList<string> removed)
    {
        if (removed.FirstOrDefault(gone => !group.Machines.Any(machine => Is(machine, gone))) is { } stranger)
        {
            throw GroupErrors.Invalid(
                $"'{stranger}' is no machine of the protection group '{group.Name}'.", "Get-OBProtectionGroup and 'obengine group list' show its machines.", stranger);
        }

        IReadOnlyList<GroupMachine> come = Describe(added);
        return
        [
            .. group.Machines.Where(machine => !removed.Any(gone => Is(machine, gone))).Select(machine => come.FirstOrDefault(other => Is(machine, other.HostName)) ?? machine),
            .. come.Where(machine => !group.Machines.Any(other => Is(other, machine.HostName))),
        ];
    }

    /// <summary>
    /// Puts on record what a group says of a machine, where nothing is: after the loss of this machine's state, or on another server. What is on record stays; a pinned key is never
    /// replaced.
    /// </summary>
    /// <returns>Whether anything was put on record.</returns>
    /// <exception cref="BackupException">VaultHostUntrusted: another key is pinned here than in the group; AgentNotUpdated where somebody works on the machine; StateAccessDenied.</exception>
    public bool Restore(GroupMachine machine)
    {
        string host = machine.HostName;
        HostKey? pinned = records.FindKey(host);
        if (pinned is not null && machine.HostKey is { } said && pinned != said)
        {
            throw new BackupException(
                BackupErrorId.VaultHostUntrusted,
                $"This server has another host key of '{host}' pinned than the vault says: here {pinned}, there {said}. The one here stays.",
                $"Find out which is right. Where it is the one here, write it to the vault: Set-OBProtectionGroup GROUP -AddMachine '{host}'. Else: Uninstall-OBAgent '{host}' -RecordOnly, then Sync-OBServer.",
                host);
        }

        if ((pinned is not null || machine.HostKey is null) && (machine.Agent is null || IsOnRecord(host)))
        {
            return false;
        }

        using IDisposable held = records.TryLock(host) ?? throw RemoteErrors.Busy(host);
        if (pinned is null && machine.HostKey is { } key)
        {
            records.Pin(host, key);
        }

        if (machine.Agent is { } agent && !IsOnRecord(host))
        {
            records.Write(new RemoteAgent
            {
                Machine = machine.Machine,
                State = RemoteAgentState.Current,
                HostKey = machine.HostKey?.ToString(),
                Platform = agent.Platform,
                Version = agent.Version,
                Build = agent.Build,
                Program = agent.Program,
            });
        }

        return true;
    }

    private GroupMachine Describe(string host)
    {
        RemoteAgent agent = records.Find(new RemoteMachine { HostName = host }.HostName) ?? throw RemoteErrors.NotInstalled(host);
        return new GroupMachine(
            agent.Machine,
            records.FindKey(host),
            agent is { Version: { } version, Program: { } program } ? new GroupAgent(agent.Platform, version, agent.Build, program) : null);
    }

    private static bool Is(GroupMachine machine, string host) => machine.HostName.Equals(host, StringComparison.OrdinalIgnoreCase);

    private bool IsOnRecord(string host) => records.Find(host) is not null;
}
