namespace MSOnlineBackup;

/// <summary>Somebody who can approve of what destroys, once the vault's owner has named them (Set-OBVault -Approver).</summary>
public sealed class OBApprover
{
    /// <summary>The public half of the approver's key, which the owner is given.</summary>
    public string PublicKey { get; internal init; } = "";

    /// <summary>What people compare: SHA-256 of the key, 64 hexadecimal digits.</summary>
    public string Fingerprint { get; internal init; } = "";

    /// <summary>The approver's file, which holds the private half.</summary>
    public string File { get; internal init; } = "";

    /// <summary>The public key, so that it can be given where one is asked for.</summary>
    public override string ToString() => PublicKey;
}

/// <summary>An approval of one operation.</summary>
public sealed class OBApproval
{
    /// <summary>The code. It is nowhere else.</summary>
    public string Approval { get; internal init; } = "";

    /// <summary>Of what.</summary>
    public OBGuardedOperation Operation { get; internal init; }

    /// <summary>Until when it can be used, in UTC, by the clock of the vault.</summary>
    public DateTime ValidUntil { get; internal init; }

    /// <summary>For which vault.</summary>
    public string Vault { get; internal init; } = "";

    /// <summary>The code, so that it can be given where one is asked for.</summary>
    public override string ToString() => Approval;
}

/// <summary>What an approval is of.</summary>
public enum OBGuardedOperation
{
    /// <summary>Recovery points are deleted by hand.</summary>
    DeletePoints,

    /// <summary>A policy is to keep recovery points for a shorter time.</summary>
    ShortenRetention,

    /// <summary>A passphrase is replaced.</summary>
    ChangePassphrase,

    /// <summary>A key slot is removed.</summary>
    RemoveKey,

    /// <summary>The vault's settings are to protect less than they do.</summary>
    ChangeProtection,
}
