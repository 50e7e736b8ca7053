namespace MSOnlineBackup.Vaults.Cryptography;

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
