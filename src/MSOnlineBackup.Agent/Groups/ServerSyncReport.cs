using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>What a server found in a vault and its twins.</summary>
public sealed record ServerSyncReport
{
    /// <summary>The vault's id: 32 hexadecimal digits.</summary>
    public required string VaultId { get; init; }

    /// <summary>The places that were read.</summary>
    public required IReadOnlyList<string> Places { get; init; }

    /// <summary>The groups, by name.</summary>
    public required IReadOnlyList<ProtectionGroup> Groups { get; init; }

    /// <summary>The machines that the vault knows, by name: also those of no group.</summary>
    public required IReadOnlyList<string> Machines { get; init; }

    /// <summary>Recovery points in the place that was named, of all machines.</summary>
    public required int Points { get; init; }

    /// <summary>Recovery points that were copied to a place that was made anew.</summary>
    public int PointsCopied { get; init; }

    /// <summary>Bytes of data that were copied.</summary>
    public long BytesCopied { get; init; }

    /// <summary>Machines whose host key or agent was put on record here.</summary>
    public required IReadOnlyList<string> MachinesRestored { get; init; }

    /// <summary>Records of groups that were brought to places that lacked them.</summary>
    public required int RecordsBrought { get; init; }

    /// <summary>Whether anything was changed, here or in a place.</summary>
    public required bool HasChanged { get; init; }

    /// <summary>Places that cannot be reached, records that are damaged, keys of hosts that differ.</summary>
    public required IReadOnlyList<BackupException> Problems { get; init; }
}
