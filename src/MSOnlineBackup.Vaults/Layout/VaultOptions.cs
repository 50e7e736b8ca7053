using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Index;

namespace MSOnlineBackup.Vaults.Layout;

/// <summary>What vaults take from outside.</summary>
public sealed record VaultOptions
{
    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How many chunks are worked on at once; default: the number of processors.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How the keys of new key slots are derived from passphrases.</summary>
    public PassphraseKdf PassphraseKdf { get; init; }

    /// <summary>
    /// Whether a passphrase is tried on every key slot of a vault, however many there are and whatever they cost. Else on as many as take some 20 s, the
    /// cheapest first.
    /// </summary>
    public bool TriesEveryKeySlot { get; init; }

    /// <summary>
    /// The folder of this machine where the indexes of great stores are kept, so that they need not be read from the vault each time, nor lie in memory; null
    /// for none. It may be emptied at any time. It need not be there.
    /// </summary>
    public string? IndexCacheFolder { get; init; }

    /// <summary>Whether files are read of logical volumes, which may lie on several disks.</summary>
    public bool ReadsLogicalVolumes { get; init; } = true;

    /// <summary>When an index is great.</summary>
    internal IndexCacheBounds IndexCacheBounds { get; init; } = new();

    /// <summary>PBKDF2 with this many iterations for new key slots, whatever else is said: a few make tests fast.</summary>
    internal int? KeyDerivationIterations { get; init; }

    /// <summary>How a key is derived from a new passphrase; null: by the best means that are at hand.</summary>
    internal PassphraseDerivation? Derivation => (KeyDerivationIterations, PassphraseKdf) switch
    {
        ({ } few, _) => PassphraseDerivation.ByPbkdf2(few),
        (_, PassphraseKdf.Argon2id) => PassphraseDerivation.ByArgon2id(),
        (_, PassphraseKdf.Pbkdf2) => PassphraseDerivation.ByPbkdf2(),
        _ => null,
    };
}
