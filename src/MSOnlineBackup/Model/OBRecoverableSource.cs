using MSOnlineBackup.Recovery;

namespace MSOnlineBackup;

/// <summary>A source that has recovery points.</summary>
public sealed class OBRecoverableSource
{
    /// <summary>What people call it: its path.</summary>
    public string FriendlyName { get; internal init; } = "";

    /// <summary>Its path in the recovery points.</summary>
    public string RecoverySourceName { get; internal init; } = "";

    /// <summary>The machine it is of.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The way into its vault; null for this machine's own.</summary>
    internal VaultAccess? Access { get; init; }

    /// <summary>A source of this machine, so that cmdlets take its path, which may be relative. Whether it has recovery points, they find out.</summary>
    public static OBRecoverableSource Parse(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new OBRecoverableSource { FriendlyName = path, RecoverySourceName = path };
    }

    /// <summary>The path.</summary>
    public override string ToString() => FriendlyName;
}
