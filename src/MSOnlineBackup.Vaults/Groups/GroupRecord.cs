using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Groups;

/// <summary>
/// Machines that a server backs up as one, as a vault keeps them: sealed, in each of the group's places, so that a server that is lost takes nothing with it. What is not the vault's to
/// understand, policies, is text here.
/// </summary>
public sealed record GroupRecord
{
    /// <summary>The most machines of a group.</summary>
    public const int MostMachines = 1000;

    /// <summary>The most places of a group, of each kind.</summary>
    public const int MostPlaces = 16;

    /// <summary>The longest policy, in characters.</summary>
    public const int LongestPolicy = 1 << 20;

    /// <summary>The group's id, which stays when its name changes: 32 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called: 1 to 64 characters.</summary>
    public required string Name { get; init; }

    /// <summary>When this was decided (UTC), by the clock of whoever did. Of two records with one number the later counts.</summary>
    public required DateTimeOffset Changed { get; init; }

    /// <summary>Whether the group is no more.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>Its machines, in the order in which they were named.</summary>
    public IReadOnlyList<GroupMachineRecord> Machines { get; init; } = [];

    /// <summary>The folders of its disk vaults, in the order in which they take machines.</summary>
    public IReadOnlyList<string> DiskVaults { get; init; } = [];

    /// <summary>Where its recovery points are copied to.</summary>
    public IReadOnlyList<string> CopyTo { get; init; } = [];

    /// <summary>What is backed up, when, and for how long it is kept, as <c>docs/policies.md</c> has it.</summary>
    public string? Policy { get; init; }

    /// <summary>For how long the copies are kept, as JSON; null where that is the copies' own matter.</summary>
    public string? CopyRetention { get; init; }

    /// <summary>A new id for a group.</summary>
    public static string NewId() => IdDigits.Create();
}

/// <summary>A machine of a group, and all that is needed to log in there again, but for the private key.</summary>
public sealed record GroupMachineRecord
{
    /// <summary>Its name or address, or a name that only ssh's configuration knows.</summary>
    public required string HostName { get; init; }

    /// <summary>The account there; null for what ssh takes.</summary>
    public string? UserName { get; init; }

    /// <summary>The port; null for what ssh takes.</summary>
    public int? Port { get; init; }

    /// <summary>Where the server has the private key that logs in; null for those that ssh finds. The key itself is nowhere in a vault.</summary>
    public string? KeyFilePath { get; init; }

    /// <summary>The kind of the pinned key of the host, as in <c>ssh-ed25519</c>; null where none is pinned.</summary>
    public string? HostKeyKind { get; init; }

    /// <summary>The pinned key, in base64; null where none is.</summary>
    public string? HostKey { get; init; }

    /// <summary>What runs there, as .NET calls it; null while nobody knows.</summary>
    public string? Platform { get; init; }

    /// <summary>The version of the agent there; null for none.</summary>
    public string? AgentVersion { get; init; }

    /// <summary>Which build of that version; null while nobody knows.</summary>
    public string? AgentBuild { get; init; }

    /// <summary>The path of the agent's program there; null for none.</summary>
    public string? Program { get; init; }
}

/// <summary>What a place says of groups.</summary>
/// <param name="Groups">The newest readable record of each group, removed ones too, by name.</param>
/// <param name="Damage">Records that cannot be read; the others are there all the same.</param>
public sealed record GroupListing(IReadOnlyList<NumberedGroup> Groups, IReadOnlyList<Errors.BackupException> Damage);

/// <summary>A record of a group with its number.</summary>
/// <param name="Number">Its number, from 1: the highest of a group counts.</param>
/// <param name="Record">What it says.</param>
public sealed record NumberedGroup(uint Number, GroupRecord Record);
