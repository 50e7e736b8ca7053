using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using NSec.Cryptography;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// From a passphrase to 64 bytes of key: how, and at what cost. Argon2id (RFC 9106) by libsodium, which takes memory as well as time of whoever
/// tries passphrases; or PBKDF2 with HMAC-SHA-512 (RFC 8018) by the platform, which is all that FIPS 140 has.
/// </summary>
internal sealed record PassphraseDerivation
{
    /// <summary>The length of what is derived, in bytes.</summary>
    public const int Length = 64;

    public const string Argon2id = "argon2id";
    public const string Pbkdf2 = "pbkdf2-hmac-sha512";

    /// <summary>The most that a key slot may ask for, in units of <see cref="Work"/>: some seconds. More would only serve to keep a reader busy.</summary>
    public const long MaxWork = 1 << 22;

    private const int MaxMemoryKiB = 1 << 20;
    private const int LeastMemoryKiB = 8;

    // Asked once: where the library does not load, it does not load later either.
    private static readonly Lazy<Exception?> _libraryFault = new(LoadLibrary);

    public required string Method { get; init; }

    /// <summary>Of PBKDF2.</summary>
    public int Iterations { get; init; }

    /// <summary>Of Argon2id: memory in KiB, and how many times it is passed over.</summary>
    public int MemoryKiB { get; init; }

    public int Passes { get; init; }

    /// <summary>The length of the salt in bytes.</summary>
    public int SaltLength => Method == Argon2id ? 16 : 32;

    /// <summary>What it costs: iterations, or KiB passed over; about half a microsecond each.</summary>
    public long Work => Method == Argon2id ? (long)MemoryKiB * Passes : Iterations;

    /// <summary>Whether a reader may be asked for it.</summary>
    public bool IsWithinBounds => Work <= MaxWork && (Method == Argon2id ? MemoryKiB is >= LeastMemoryKiB and <= MaxMemoryKiB && Passes > 0 : Iterations > 0);

    /// <summary>Whether libsodium is there.</summary>
    public static bool HasArgon2id => _libraryFault.Value is null;

    public static PassphraseDerivation ByArgon2id(int memoryKiB = 64 << 10, int passes = 3) =>
        new() { Method = Argon2id, MemoryKiB = memoryKiB, Passes = passes };

    public static PassphraseDerivation ByPbkdf2(int iterations = 600_000) => new() { Method = Pbkdf2, Iterations = iterations };

    /// <summary>What is best of what is at hand.</summary>
    public static PassphraseDerivation Best => HasArgon2id ? ByArgon2id() : ByPbkdf2();

    /// <summary>Derives.</summary>
    /// <param name="passphrase">Printable ASCII.</param>
    /// <param name="salt">As long as <see cref="SaltLength"/>.</param>
    /// <exception cref="BackupException">KeyDerivationUnavailable.</exception>
    public byte[] Derive(string passphrase, byte[] salt)
    {
        byte[] secret = Encoding.UTF8.GetBytes(passphrase);
        try
        {
            return Method == Argon2id
                ? DeriveByArgon2id(secret, salt)
                : Rfc2898DeriveBytes.Pbkdf2(secret, salt, Iterations, HashAlgorithmName.SHA512, Length);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private byte[] DeriveByArgon2id(byte[] secret, byte[] salt)
    {
        if (_libraryFault.Value is { } fault)
        {
            throw Unavailable("libsodium cannot be loaded here", fault);
        }

        try
        {
            return ByLibrary(secret, salt);
        }
        catch (Exception e) when (e is CryptographicException or OutOfMemoryException)
        {
            throw Unavailable($"the {MemoryKiB >> 10:N0} MiB of memory that it takes are not available", e);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte[] ByLibrary(byte[] secret, byte[] salt) =>
        PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = MemoryKiB, NumberOfPasses = Passes })
            .DeriveBytes(secret, salt, Length);

    private static BackupException Unavailable(string why, Exception inner) => new(
        BackupErrorId.KeyDerivationUnavailable,
        $"A key cannot be derived from the passphrase by Argon2id: {why} ({inner.GetBaseException().Message.TrimEnd('.')}).",
        "Open the vault on a machine where it can, and add a key slot that does not need libsodium: 'obengine key add --kdf pbkdf2'.",
        innerException: inner);

    private static Exception? LoadLibrary()
    {
        try
        {
            ByArgon2id(LeastMemoryKiB, passes: 1).ByLibrary([1], new byte[16]);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException or IOException or TypeInitializationException or PlatformNotSupportedException or InvalidOperationException)
        {
            return e;
        }
    }
}
