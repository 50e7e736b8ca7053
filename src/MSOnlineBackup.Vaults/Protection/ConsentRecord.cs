using System.Security.Cryptography;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>What the vault knows of a code that was given out: a salted slow hash, for what and for how long. Signed by whoever gave it out.</summary>
internal sealed record ConsentRecord
{
    public const string Pin = "pin";
    public const string Approval = "approval";

    private const int MaxSeconds = 24 * 60 * 60;

    // Less than a key slot may ask for: several are tried.
    private const long MaxWork = 1 << 20;
    private const int MaxMemoryKiB = 256 << 10;

    /// <summary>Whose it is: "pin" of the vault's owner, "approval" of an approver.</summary>
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>For what; null for any one operation.</summary>
    [JsonPropertyName("operation")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public GuardedOperation? Operation { get; init; }

    /// <summary>For how long, from when the store took this record.</summary>
    [JsonPropertyName("seconds")]
    public required int Seconds { get; init; }

    [JsonPropertyName("kdf")]
    public required string Method { get; init; }

    [JsonPropertyName("memoryKiB")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int MemoryKiB { get; init; }

    [JsonPropertyName("passes")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Passes { get; init; }

    [JsonPropertyName("iterations")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Iterations { get; init; }

    [JsonPropertyName("salt")]
    public required byte[] Salt { get; init; }

    [JsonPropertyName("hash")]
    public required byte[] Hash { get; init; }

    /// <summary>Whether it says what it has to, and asks for no more work than a key slot may.</summary>
    [JsonIgnore]
    public bool IsSound =>
        Kind is Pin or Approval
        && Seconds is > 0 and <= MaxSeconds
        && Method is PassphraseDerivation.Argon2id or PassphraseDerivation.Pbkdf2
        && Derivation is { IsWithinBounds: true, Work: <= MaxWork, MemoryKiB: <= MaxMemoryKiB } derivation
        && Salt?.Length == derivation.SaltLength
        && Hash?.Length == PassphraseDerivation.Length
        && (Operation is not { } operation || Enum.IsDefined(operation));

    private PassphraseDerivation Derivation => new() { Method = Method, MemoryKiB = MemoryKiB, Passes = Passes, Iterations = Iterations };

    /// <summary>A record of a code.</summary>
    /// <param name="kind">Whose it is.</param>
    /// <param name="code">The code, normalized.</param>
    /// <param name="operation">For what; null for any one operation.</param>
    /// <param name="validity">For how long.</param>
    /// <param name="derivation">How slow a trial is.</param>
    public static ConsentRecord Create(string kind, string code, GuardedOperation? operation, TimeSpan validity, PassphraseDerivation derivation)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(derivation.SaltLength);
        return new ConsentRecord
        {
            Kind = kind,
            Operation = operation,
            Seconds = (int)validity.TotalSeconds,
            Method = derivation.Method,
            MemoryKiB = derivation.MemoryKiB,
            Passes = derivation.Passes,
            Iterations = derivation.Iterations,
            Salt = salt,
            Hash = derivation.Derive(code, salt),
        };
    }

    /// <summary>Whether it is of this code. Takes some 0.15 s.</summary>
    public bool Is(string code) => CryptographicOperations.FixedTimeEquals(Derivation.Derive(code, Salt), Hash);
}

[JsonSerializable(typeof(ConsentRecord))]
[JsonSourceGenerationOptions(MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class ConsentJson : JsonSerializerContext;
