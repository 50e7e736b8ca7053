using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine;

/// <summary>What the engine takes from outside.</summary>
public sealed record EngineOptions
{
    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How many chunks are worked on at once; default: the number of processors.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>What is asked of the vault already while its key is derived from a passphrase; for whoever opens it for one job, at once.</summary>
    public AskAhead AskAhead { get; init; }

    /// <summary>How the keys of new key slots are derived from passphrases.</summary>
    public PassphraseKdf PassphraseKdf { get; init; }

    /// <summary>
    /// Whether a passphrase is tried on every key slot of a vault, however many there are and whatever they cost. Else on as many as take some 20 s, the
    /// cheapest first.
    /// </summary>
    public bool TriesEveryKeySlot { get; init; }

    /// <summary>PBKDF2 with this many iterations for new key slots, whatever else is said: a few make tests fast.</summary>
    internal int? KeyDerivationIterations { get; init; }

    /// <summary>A checkpoint is written when this long has passed since the last.</summary>
    internal TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>… or when this many bytes were stored since the last, or an eighth of all stored so far if that is more.</summary>
    internal long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>How a backup opens its sources; null: as the platform does.</summary>
    internal Func<BackupSource, ISourceTree>? OpenSource { get; init; }

    /// <summary>The key slots of a vault, treated as is said here.</summary>
    internal KeyRing Keys(IVaultStore objects, VaultHeader header) => new(objects, header, TimeProvider, Derivation, TriesEveryKeySlot);

    /// <summary>How a key is derived from a new passphrase; null: by the best means that are at hand.</summary>
    internal PassphraseDerivation? Derivation => (KeyDerivationIterations, PassphraseKdf) switch
    {
        ({ } few, _) => PassphraseDerivation.ByPbkdf2(few),
        (_, PassphraseKdf.Argon2id) => PassphraseDerivation.ByArgon2id(),
        (_, PassphraseKdf.Pbkdf2) => PassphraseDerivation.ByPbkdf2(),
        _ => null,
    };
}

/// <summary>How a key is derived from a passphrase.</summary>
public enum PassphraseKdf
{
    /// <summary>By Argon2id where libsodium can be loaded, else by PBKDF2.</summary>
    Automatic,

    /// <summary>By Argon2id, which takes memory as well as time of whoever tries passphrases: 64 MiB, three passes.</summary>
    Argon2id,

    /// <summary>By PBKDF2 with HMAC-SHA-512, 600,000 iterations: for where FIPS 140 is asked for.</summary>
    Pbkdf2,
}

/// <summary>What a vault is opened for.</summary>
public enum AskAhead
{
    /// <summary>Not known: nothing is asked before it is wanted.</summary>
    Nothing,

    /// <summary>Restoring, browsing, verifying: index and recovery points.</summary>
    ForReading,

    /// <summary>A backup: also what says who else writes, and what an interrupted job left.</summary>
    ForBackup,
}

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

    /// <summary>What its owner should know: where the account keeps fewer or other copies than the vault is declared to have; null where nothing is amiss.</summary>
    public string? Warning => Settings.Redundancy is { } declared && AccountRedundancy is { } found && found != declared
        ? $"The vault '{Location}' is declared {declared}, and its storage account is {found}. Change the account's redundancy, or what the vault declares while it has no recovery points."
        : null;
}

/// <summary>A machine that a vault knows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Left">When it was unregistered (UTC); null where it was not. What it backed up is there all the same.</param>
public sealed record VaultMachine(string Name, DateTimeOffset? Left);

/// <summary>A key slot.</summary>
/// <param name="KeyId">32 hexadecimal digits.</param>
/// <param name="Label">What the user called it.</param>
/// <param name="Kind">"passphrase", "azure-key-vault", or "damaged".</param>
/// <param name="Created">When it was added.</param>
/// <param name="IsCurrent">Whether it opened this engine.</param>
/// <param name="KeyVaultKey">The URI of the Key Vault key that opens it, with its version; null where a passphrase does.</param>
/// <param name="Kdf">How its key is derived from the passphrase: "argon2id" or "pbkdf2-hmac-sha512"; null where no passphrase opens it.</param>
public sealed record KeySlotInfo(
    string KeyId, string? Label, string Kind, DateTimeOffset Created, bool IsCurrent, string? KeyVaultKey = null, string? Kdf = null);
