using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Azure;
using Azure.Identity;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>From what a Key Vault answers, or does not, to the error that the user sees.</summary>
internal static class KeyVaultErrors
{
    private const string IdentityCode = "391224";
    private const string PermissionCode = "391225";
    private const string SecretDeletedCode = "391282";
    private const string VaultDeletedCode = "391283";

    /// <summary>Runs a call to a Key Vault.</summary>
    /// <param name="vault">The vault, for messages.</param>
    /// <param name="item">What the call is about: <c>secret 'x'</c>, <c>key 'x'</c>.</param>
    /// <param name="needs">The permission that it needs, as Key Vault calls it.</param>
    /// <param name="call">The call.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<T> TranslateAsync<T>(Uri vault, string item, string needs, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RequestFailedException e) when (e.Status != 0)
        {
            throw FromAnswer(vault, item, needs, e);
        }
        catch (AuthenticationFailedException e)
        {
            // Its CredentialUnavailableException too: nothing on this machine offered an identity.
            throw NoIdentity(vault, Sentence(e.Message), e);
        }
        catch (InvalidOperationException e) when (e.Message.Contains("challenge", StringComparison.OrdinalIgnoreCase))
        {
            // So the package for secrets puts it.
            throw Untrusted(vault, "asks for a token that is not Key Vault's", e);
        }
        catch (Exception e) when (e is RequestFailedException or HttpRequestException or IOException or AggregateException)
        {
            throw Unreachable(vault, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreachable(vault, new TimeoutException("no answer in time", e));
        }
    }

    /// <summary>The token that is asked for is not Key Vault's.</summary>
    public static BackupException Untrusted(Uri vault, string detail, Exception? inner = null) => new(
        BackupErrorId.KeyVaultUntrusted,
        $"What answers at '{vault}' {detail}. No token was sent.",
        "Check the URI, and that no proxy or name server on the way leads elsewhere.",
        vault.AbsoluteUri,
        innerException: inner);

    /// <summary>What the vault answers makes no sense.</summary>
    public static BackupException Senseless(Uri vault, string item, Exception? inner) => new(
        BackupErrorId.KeyVaultUnreachable,
        $"The Key Vault '{vault}' gave an unreadable answer about {item}.",
        "Check that no proxy on the way answers in its place, and try again.",
        vault.AbsoluteUri,
        transient: true,
        innerException: inner);

    public static BackupException KeyUnusable(Uri vault, string item, string why, Exception? inner = null) => new(
        BackupErrorId.KeyVaultKeyUnusable,
        $"The {item} in the Key Vault '{vault}' cannot be used: {why}.",
        "Enable the key or its version, or add a key slot for a sound one. "
            + "Wrapping asks for an RSA key that is enabled, not expired, and permitted to wrap and unwrap.",
        vault.AbsoluteUri,
        innerException: inner);

    private static BackupException FromAnswer(Uri vault, string item, string needs, RequestFailedException e)
    {
        (string code, string detail) = Read(e);
        bool isKey = item.StartsWith("key", StringComparison.Ordinal);
        return (e.Status, code) switch
        {
            (401, _) => NoIdentity(vault, $"the Key Vault did not accept it ({detail})", e),
            (403, "ForbiddenByFirewall" or "ForbiddenByConnection") => new BackupException(
                BackupErrorId.KeyVaultFirewalled,
                $"The firewall of the Key Vault '{vault}' refuses this machine: {detail}.",
                "Allow this machine's address in the Key Vault's networking, or reach it by a private endpoint.",
                vault.AbsoluteUri,
                innerException: e),
            (403, "KeyDisabled" or "KeyExpired" or "KeyNotYetValid" or "KeyOperationForbidden") => KeyUnusable(vault, item, detail, e),
            (403, _) when isKey && IsStateOfKey(detail) => KeyUnusable(vault, item, detail, e),
            (403, "SecretDisabled") => new BackupException(
                BackupErrorId.KeyVaultSecretUnusable,
                $"The {item} in the Key Vault '{vault}' cannot be used: {detail}.",
                "Enable the newest version of the secret in the Key Vault.",
                vault.AbsoluteUri,
                innerException: e),
            (403, _) => new BackupException(
                BackupErrorId.KeyVaultAccessDenied,
                $"The identity of this machine may not use the {item} in the Key Vault '{vault}': {detail}.",
                $"Give it the permission '{needs}' by an access policy, or a role that has it, and see that the URI is that of the right Key Vault.",
                vault.AbsoluteUri,
                innerException: e,
                errorCode: PermissionCode),
            (404, "VaultNotFound") => NotFound(vault, e),
            (404, _) when isKey => new BackupException(
                BackupErrorId.KeyVaultKeyNotFound,
                $"The Key Vault '{vault}' has no {item}.",
                "Check the URI. A key that was deleted can be recovered for as long as the Key Vault keeps it.",
                vault.AbsoluteUri,
                innerException: e),
            (404, _) => new BackupException(
                BackupErrorId.KeyVaultSecretNotFound,
                $"The Key Vault '{vault}' has no {item}.",
                "Check the URI, and whether the machine and the backup vault have the names that they had when the passphrase was set. "
                    + "A secret that was deleted can be recovered for as long as the Key Vault keeps it.",
                vault.AbsoluteUri,
                innerException: e),
            (409, _) => new BackupException(
                BackupErrorId.KeyVaultSecretDeleted,
                $"The {item} in the Key Vault '{vault}' is deleted but can still be recovered, so its name is not free: {detail}.",
                "Recover the secret in the Key Vault ('az keyvault secret recover'), and set the passphrase again.",
                vault.AbsoluteUri,
                innerException: e,
                errorCode: SecretDeletedCode),
            (408 or 429 or >= 500, _) => Unreachable(vault, e, detail),
            _ => new BackupException(
                BackupErrorId.KeyVaultUnreachable,
                $"The Key Vault '{vault}' refuses what was asked about the {item}: {detail} (HTTP {e.Status}).",
                "Check the URI, and the Key Vault's state in the Azure portal.",
                vault.AbsoluteUri,
                innerException: e),
        };
    }

    private static BackupException NoIdentity(Uri vault, string detail, Exception e) => new(
        BackupErrorId.KeyVaultIdentityMissing,
        $"There is no identity to sign in to the Key Vault '{vault}' with: {detail}.",
        "Give the machine a managed identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and a client secret or certificate; at a desk, 'az login' will do.",
        vault.AbsoluteUri,
        innerException: e,
        errorCode: IdentityCode);

    // A deleted vault is known by no name server; what has been deleted softly keeps its name for its owner.
    private static BackupException NotFound(Uri vault, Exception e) => new(
        BackupErrorId.KeyVaultNotFound,
        $"There is no Key Vault '{vault}': it was deleted, or never there.",
        "Check the URI. A Key Vault that was deleted can be recovered ('az keyvault recover') for as long as Azure keeps it; or use another one. "
            + "If no other name is found either, the network is away.",
        vault.AbsoluteUri,
        innerException: e,
        errorCode: VaultDeletedCode);

    private static BackupException Unreachable(Uri vault, Exception e, string? detail = null)
    {
        for (Exception? cause = e; cause is not null; cause = cause is AggregateException { InnerExceptions: [.., { } last] } ? last : cause.InnerException)
        {
            // What the transport itself has told apart: a proxy that refuses, a public address that is not to be used.
            if (cause is BackupException known)
            {
                return known;
            }

            if (cause is SocketException { SocketErrorCode: SocketError.HostNotFound })
            {
                return NotFound(vault, e);
            }

            detail ??= cause.InnerException is null ? Sentence(cause.Message) : null;
        }

        return new BackupException(
            BackupErrorId.KeyVaultUnreachable,
            $"The Key Vault '{vault}' does not answer: {detail}.",
            "Check the network and the proxy, and try again.",
            vault.AbsoluteUri,
            transient: true,
            innerException: e,
            retryAfter: RetryAfter(e));
    }

    private static TimeSpan? RetryAfter(Exception e) =>
        (e as RequestFailedException)?.GetRawResponse() is { } response
        && response.Headers.TryGetValue("Retry-After", out string? text)
        && RetryConditionHeaderValue.TryParse(text, out RetryConditionHeaderValue? value)
            ? value.Delta
            : null;

    // Where the service names no inner code, its words tell.
    private static bool IsStateOfKey(string detail) =>
        detail.Contains("disabled key", StringComparison.OrdinalIgnoreCase)
        || detail.Contains("expired", StringComparison.OrdinalIgnoreCase)
        || detail.Contains("not yet valid", StringComparison.OrdinalIgnoreCase)
        || detail.Contains("not permitted on this key", StringComparison.OrdinalIgnoreCase);

    // {"error":{"code":…,"message":…,"innererror":{"code":…}}}; the inner code says more.
    private static (string Code, string Detail) Read(RequestFailedException e)
    {
        string code = e.ErrorCode ?? "";
        string detail = ((HttpStatusCode)e.Status).ToString();
        try
        {
            using JsonDocument? document = e.GetRawResponse()?.Content is { } content ? JsonDocument.Parse(content) : null;
            if (document?.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("error", out JsonElement error)
                && error.ValueKind == JsonValueKind.Object)
            {
                code = Text(error, "code") ?? code;
                detail = Text(error, "message") is { } message ? Sentence(message) : detail;
                if (error.EnumerateObject().FirstOrDefault(part => part.Name.Equals("innererror", StringComparison.OrdinalIgnoreCase)).Value is { ValueKind: JsonValueKind.Object } inner)
                {
                    code = Text(inner, "code") ?? code;
                }
            }
        }
        catch (JsonException)
        {
            // Not of Key Vault's making: the status says what there is to say.
        }

        return (code, detail);
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Sentence(string message) => message.Split('\n', 2)[0].Trim().TrimEnd('.');
}
