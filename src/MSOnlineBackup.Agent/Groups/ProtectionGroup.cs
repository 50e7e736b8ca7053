using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>Machines that this one, their server, backs up as one: by one policy, to one pool of disk vaults, from where their points are copied. It is kept in these vaults.</summary>
public sealed record ProtectionGroup
{
    /// <summary>Its id, which stays when its name changes: 32 hexadecimal digits. Empty before it is made.</summary>
    public string Id { get; init; } = "";

    /// <summary>What it is called: 1 to 64 characters. Case does not tell two apart.</summary>
    public required string Name { get; init; }

    /// <summary>The id of the vault of which all its places are twins: 32 hexadecimal digits. Empty before it is made.</summary>
    public string VaultId { get; init; } = "";

    /// <summary>When it was last changed (UTC).</summary>
    public DateTimeOffset Changed { get; init; }

    /// <summary>Its machines, in the order in which they were named.</summary>
    public required IReadOnlyList<GroupMachine> Machines { get; init; }

    /// <summary>What is backed up of each machine, when, and for how long it is kept on disk.</summary>
    public required BackupPolicy Policy { get; init; }

    /// <summary>The folders of its disk vaults, in the order in which they take machines.</summary>
    public required IReadOnlyList<string> DiskVaults { get; init; }

    /// <summary>Where its recovery points are copied to: folders and URLs of twins.</summary>
    public IReadOnlyList<string> CopyTo { get; init; } = [];

    /// <summary>For how long the copies are kept; null where they keep what comes.</summary>
    public RetentionPolicy? CopyRetention { get; init; }

    /// <summary>All its places, disk vaults first.</summary>
    internal IEnumerable<string> Places => DiskVaults.Concat(CopyTo);
}

/// <summary>A machine of a group.</summary>
/// <param name="Machine">How it is logged in to.</param>
/// <param name="HostKey">The pinned key of its host; null where none is.</param>
/// <param name="Agent">What is known of the agent there; null for nothing.</param>
public sealed record GroupMachine(RemoteMachine Machine, HostKey? HostKey, GroupAgent? Agent)
{
    /// <summary>Its name.</summary>
    public string HostName => Machine.HostName;
}

/// <summary>The agent on a machine of a group.</summary>
/// <param name="Platform">What runs there, as .NET calls it; null while nobody knows.</param>
/// <param name="Version">Its version.</param>
/// <param name="Build">Which build of that; null while nobody knows.</param>
/// <param name="Program">The path of its program there.</param>
public sealed record GroupAgent(string? Platform, string Version, string? Build, string Program);

/// <summary>What is known of groups, and what kept more from being known.</summary>
/// <param name="Groups">The groups, by name.</param>
/// <param name="Problems">Places that cannot be reached, and records that are damaged: they hide no group that another place tells of.</param>
public sealed record GroupOverview(IReadOnlyList<ProtectionGroup> Groups, IReadOnlyList<Vaults.Errors.BackupException> Problems);

/// <summary>What came of making or changing a group.</summary>
/// <param name="Group">The group as it is now.</param>
/// <param name="Problems">Places that do not know of it yet: Sync-OBServer, or the next change or copy, brings it to them.</param>
public sealed record GroupChange(ProtectionGroup Group, IReadOnlyList<Vaults.Errors.BackupException> Problems);
