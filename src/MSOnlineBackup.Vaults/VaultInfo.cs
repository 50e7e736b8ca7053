using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults;

/// <summary>Facts of a vault.</summary>
/// <param name="VaultId">32 hexadecimal digits.</param>
/// <param name="FormatVersion">The version of the format.</param>
/// <param name="Created">When it was created.</param>
/// <param name="Location">Where it is.</param>
/// <param name="Machines">Names of the machines that are registered with it, or have backed up to it, sorted.</param>
/// <param name="Settings">What its owner has decided.</param>
/// <param name="Points">Number of recovery points.</param>
/// <param name="Objects">Number of stored objects.</param>
/// <param name="StoredBytes">Their bytes.</param>
/// <param name="Name">What its owner calls it; null where nobody said.</param>
/// <param name="AccountRedundancy">How the account in the cloud keeps copies; null for a folder, and where that is not known.</param>
/// <param name="Owner">The fingerprint of its owner: 64 hexadecimal digits; null where it has none.</param>
public sealed record VaultInfo(
    string VaultId,
    int FormatVersion,
    DateTimeOffset Created,
    string Location,
    IReadOnlyList<string> Machines,
    VaultSettings Settings,
    int Points,
    long Objects,
    long StoredBytes,
    string? Name = null,
    VaultRedundancy? AccountRedundancy = null,
    string? Owner = null)
{
    /// <summary>What is being written at the moment, or was left by writers that died.</summary>
    public UnfinishedWrites UnfinishedWrites { get; init; }

    /// <summary>Whether the storage itself keeps the vault's header from being deleted, as maintenance has it do where the vault is immutable; null where it does not.</summary>
    public ObjectLock? StorageLock { get; init; }

    /// <summary>The oldest version of this software that may write to it; null where any may.</summary>
    public Version? MinAgentVersion { get; init; }

    /// <summary>What its owner should know: where the account keeps fewer or other copies than the vault is declared to have; null where nothing is amiss.</summary>
    public string? Warning => Settings.Redundancy is { } declared && AccountRedundancy is { } found && found != declared
        ? $"The vault '{Location}' is declared {declared}, and its storage account is {found}. "
            + "Change the account's redundancy, or what the vault declares while it has no recovery points."
        : null;
}
