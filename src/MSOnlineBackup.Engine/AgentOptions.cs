using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Machine;
using MSOnlineBackup.Engine.Policies;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine;

/// <summary>What an agent takes from outside.</summary>
public sealed record AgentOptions
{
    /// <summary>Where the machine's state lies; null: where <c>MSONLINEBACKUP_STATE</c> points, else the platform's place.</summary>
    public string? StateFolder { get; init; }

    /// <summary>The name of this machine.</summary>
    public string MachineName { get; init; } = Environment.MachineName;

    /// <summary>From a vault's location to the store of an existing vault: the composition's choice of stores and retries.</summary>
    public required Func<string, IVaultStore> OpenVault { get; init; }

    /// <summary>The same for a vault that is to be created.</summary>
    public required Func<string, IVaultStore> CreateVault { get; init; }

    /// <summary>The domain that this machine is in, without a dot before it; null for none. With the name it names the machine in a Key Vault.</summary>
    public string? DomainName { get; init; }

    /// <summary>From the URI of a Key Vault, and whose passphrase is meant, to what keeps it there; null where Key Vaults are not used.</summary>
    public Func<string, PassphraseOwner, VaultConnection, IPassphraseSafe>? OpenPassphraseSafe { get; init; }

    /// <summary>From the URI of a key in a Key Vault to the key; null where Key Vaults are not used.</summary>
    public Func<string, VaultConnection, IKeyEncryptionKey>? OpenKeyEncryptionKey { get; init; }

    /// <summary>The path of the program that runs background jobs; null where there is none.</summary>
    public string? JobHost { get; init; }

    /// <summary>What policies are held to.</summary>
    public required PolicyLimits Limits { get; init; }

    /// <summary>The engine's own options.</summary>
    public EngineOptions Engine { get; init; } = new();
}
