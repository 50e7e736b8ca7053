namespace MSOnlineBackup;

/// <summary>A security PIN of a vault's owner: good for one operation, for five minutes.</summary>
public sealed class OBSecurityPin
{
    /// <summary>The PIN. It is nowhere else.</summary>
    public string SecurityPin { get; internal init; } = "";

    /// <summary>Until when it can be used, in UTC, by the clock of the vault.</summary>
    public DateTime ValidUntil { get; internal init; }

    /// <summary>For which vault.</summary>
    public string Vault { get; internal init; } = "";

    /// <summary>The PIN, so that it can be given where one is asked for.</summary>
    public override string ToString() => SecurityPin;
}
