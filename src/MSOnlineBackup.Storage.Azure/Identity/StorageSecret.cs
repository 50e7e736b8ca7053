using System.Globalization;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>A secret that opens a container by itself. No text of this class repeats it.</summary>
internal abstract class StorageSecret
{
    private const string ConnectionStringVariable = "AZURE_STORAGE_CONNECTION_STRING";
    private const string SasTokenVariable = "AZURE_STORAGE_SAS_TOKEN";
    private const string KeyVariable = "AZURE_STORAGE_KEY";
    private const string AccountNameVariable = "AZURE_STORAGE_ACCOUNT";

    // Every emulator has this account with this key; they are published, and no secret.
    private const string EmulatorAccount = "devstoreaccount1";
    private const string EmulatorKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private StorageSecret()
    {
    }

    /// <summary>The secret for a container; null where there is none, and the machine has to say who it is.</summary>
    /// <param name="location">The container.</param>
    /// <param name="connection">What this machine keeps for it.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <exception cref="BackupException">StorageSecretInvalid, StorageSecretForeign, StorageSecretExpired. What was given is never
    /// passed over in silence for something else.</exception>
    public static StorageSecret? Find(BlobLocation location, VaultConnection connection, Func<string, string?> variable)
    {
        DateTimeOffset now = connection.TimeProvider.GetUtcNow();
        if (connection.Secret is { Length: > 0 } kept)
        {
            return Parse(kept, "the shared access signature of this machine's registration", location, now);
        }

        if (Read(ConnectionStringVariable) is { } connectionString)
        {
            return Parse(connectionString, ConnectionStringVariable, location, now);
        }

        if (Read(SasTokenVariable) is { } token)
        {
            CheckAccount(Read(AccountNameVariable), AccountNameVariable, location);
            return Parse(token, SasTokenVariable, location, now);
        }

        if (Read(KeyVariable) is { } key)
        {
            CheckAccount(Read(AccountNameVariable), AccountNameVariable, location);
            return OfKey(key, KeyVariable, location);
        }

        return location.Url.IsLoopback && location.Account == EmulatorAccount ? new AccountKey(EmulatorKey) : null;

        string? Read(string name) => variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
    }

    /// <summary>Reads a shared access signature or a connection string.</summary>
    /// <param name="text">It.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <param name="location">What it is to open.</param>
    /// <param name="now">The time.</param>
    public static StorageSecret Parse(string text, string origin, BlobLocation location, DateTimeOffset now)
    {
        if (!text.Contains(';', StringComparison.Ordinal) && !text.StartsWith("UseDevelopmentStorage=", StringComparison.OrdinalIgnoreCase))
        {
            return OfSignature(text, origin, location, now);
        }

        Dictionary<string, string> parts = Split(text, ';');
        if (bool.TryParse(Part("UseDevelopmentStorage"), out bool isEmulator) && isEmulator)
        {
            CheckAccount(EmulatorAccount, origin, location);
            return new AccountKey(EmulatorKey);
        }

        CheckAccount(Part("AccountName"), origin, location);
        CheckEndpoint(Part("BlobEndpoint"), origin, location);
        return (Part("SharedAccessSignature"), Part("AccountKey")) switch
        {
            ({ } signature, _) => OfSignature(signature, origin, location, now),
            (_, { } key) => OfKey(key, origin, location),
            _ => throw IdentityErrors.Invalid(origin, "has neither an AccountKey nor a SharedAccessSignature", location.ToString()),
        };

        string? Part(string name) => parts.GetValueOrDefault(name);
    }

    private static Dictionary<string, string> Split(string text, char separator) => text.Split(separator)
        .Select(part => part.Split('=', 2))
        .Where(part => part.Length == 2)
        .GroupBy(part => part[0].Trim(), part => part[1].Trim(), StringComparer.OrdinalIgnoreCase)
        .ToDictionary(part => part.Key, part => part.First(), StringComparer.OrdinalIgnoreCase);

    private static AccountKey OfKey(string key, string origin, BlobLocation location) => Convert.TryFromBase64String(key, new byte[key.Length], out _)
        ? new AccountKey(key)
        : throw IdentityErrors.Invalid(origin, "has an account key that is not base64", location.ToString());

    private static SharedAccess OfSignature(string text, string origin, BlobLocation location, DateTimeOffset now)
    {
        string signature = text.TrimStart('?');
        Dictionary<string, string> fields = Split(signature, '&');
        if (!fields.ContainsKey("sig") || !fields.ContainsKey("sv") || signature.Contains("://", StringComparison.Ordinal))
        {
            throw IdentityErrors.Invalid(origin, "is not a shared access signature", location.ToString());
        }

        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (fields.TryGetValue("se", out string? expires)
            && DateTimeOffset.TryParse(Uri.UnescapeDataString(expires), CultureInfo.InvariantCulture, Utc, out DateTimeOffset end) && end <= now)
        {
            throw IdentityErrors.Expired(origin, end, location.ToString());
        }

        return new SharedAccess(signature);
    }

    private static void CheckAccount(string? account, string origin, BlobLocation location)
    {
        if (account is not null && !account.Equals(location.Account, StringComparison.OrdinalIgnoreCase))
        {
            throw IdentityErrors.Foreign(origin, account, location);
        }
    }

    private static void CheckEndpoint(string? endpoint, string origin, BlobLocation location)
    {
        if (Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? url) && !url.Host.Equals(location.Url.Host, StringComparison.OrdinalIgnoreCase))
        {
            throw IdentityErrors.Foreign(origin, url.Host, location);
        }
    }

    /// <summary>An account's key.</summary>
    internal sealed class AccountKey(string key) : StorageSecret
    {
        /// <summary>In base64.</summary>
        public string Key { get; } = key;
    }

    /// <summary>A shared access signature.</summary>
    internal sealed class SharedAccess(string signature) : StorageSecret
    {
        /// <summary>Without a question mark.</summary>
        public string Signature { get; } = signature;

        /// <summary>The letters of its permissions; null where a stored access policy of the container says them.</summary>
        public string? Permissions => Split(Signature, '&').TryGetValue("sp", out string? letters) ? Uri.UnescapeDataString(letters) : null;
    }
}
