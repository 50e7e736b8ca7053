using MSOnlineBackup.Recovery;

namespace MSOnlineBackup;

/// <summary>A machine that has backups in a vault.</summary>
public sealed class OBBackupServer
{
    /// <summary>Its name.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The way into its vault; null for this machine's own.</summary>
    internal VaultAccess? Access { get; init; }

    /// <summary>The name.</summary>
    public override string ToString() => ServerName;
}
