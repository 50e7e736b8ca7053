using MSOnlineBackup.Recovery;

namespace MSOnlineBackup;

/// <summary>A machine that has backups in a vault.</summary>
public sealed class OBBackupServer
{
    /// <summary>Its name.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The way into its vault; null for this machine's own.</summary>
    internal VaultAccess? Access { get; init; }

    /// <summary>A machine of this machine's own vault, so that cmdlets take a name. Whether it has recovery points, they find out.</summary>
    public static OBBackupServer Parse(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new OBBackupServer { ServerName = name };
    }

    /// <summary>The name.</summary>
    public override string ToString() => ServerName;
}
