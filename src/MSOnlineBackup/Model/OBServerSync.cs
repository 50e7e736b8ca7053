namespace MSOnlineBackup;

/// <summary>What a server found in a vault and its twins.</summary>
public sealed class OBServerSync
{
    /// <summary>The vault's id.</summary>
    public string VaultId { get; internal init; } = "";

    /// <summary>The places that were read.</summary>
    public string[] Place { get; internal init; } = [];

    /// <summary>The protection groups.</summary>
    public string[] ProtectionGroup { get; internal init; } = [];

    /// <summary>The machines that the vault knows: also those of no group.</summary>
    public string[] Machine { get; internal init; } = [];

    /// <summary>Recovery points in the place that was named, or made anew, of all machines.</summary>
    public int RecoveryPoints { get; internal init; }

    /// <summary>Machines whose host key or agent was put on record on this server.</summary>
    public string[] MachinesRestored { get; internal init; } = [];

    /// <summary>Records of groups that were brought to places that lacked them.</summary>
    public int RecordsBrought { get; internal init; }

    /// <summary>Recovery points that were copied to a place that was made anew.</summary>
    public int PointsCopied { get; internal init; }

    /// <summary>The size of their data that were copied, in bytes.</summary>
    public long BytesCopied { get; internal init; }

    /// <summary>Whether anything was changed, here or in a place.</summary>
    public bool HasChanged { get; internal init; }
}
