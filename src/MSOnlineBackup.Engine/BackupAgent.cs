using MSOnlineBackup.Engine.Machine;

namespace MSOnlineBackup.Engine;

/// <summary>
/// This machine's agent: its registration, settings, policies and jobs. What needs only a vault and a passphrase is
/// <see cref="BackupEngine"/>.
/// </summary>
public sealed class BackupAgent
{
    /// <summary>Registration, passphrase and settings.</summary>
    public MachineAccount Machine => throw new NotImplementedException();

    /// <summary>The policies.</summary>
    public PolicyStore Policies => throw new NotImplementedException();

    /// <summary>The jobs.</summary>
    public AgentJobs Jobs => throw new NotImplementedException();

    /// <summary>Opens the state of this machine; makes nothing yet.</summary>
    public static BackupAgent Open(AgentOptions options) => throw new NotImplementedException();

    /// <summary>Creates a vault that no machine uses yet.</summary>
    public Task<VaultInfo> CreateVaultAsync(string location, string name, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What can be known of a vault without a passphrase.</summary>
    public Task<VaultInfo> InspectVaultAsync(string location, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Writes a new credential file of a vault into a folder; the ones before it hold no longer. Returns its path.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="validity">How long machines may register with it, up to ten days; null for 48 hours.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public Task<string> IssueCredentialAsync(string location, string folder, TimeSpan? validity, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Checks a credential file and returns its vault's location.</summary>
    public Task<string> ReadCredentialAsync(string file, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Opens this machine's vault by its key file.</summary>
    public Task<BackupEngine> OpenEngineAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Opens a vault by a passphrase.</summary>
    public Task<BackupEngine> OpenEngineAsync(string location, string passphrase, CancellationToken cancellationToken) => throw new NotImplementedException();
}
