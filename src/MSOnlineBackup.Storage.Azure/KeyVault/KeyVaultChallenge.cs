using Azure.Core;
using Azure.Core.Pipeline;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>
/// Signs in as a Key Vault asks: its first answer, a 401, names who issues tokens and for what. The first request carries neither a token nor a body;
/// and what is not asked for Key Vault's own domain gets no token.
/// </summary>
internal sealed class KeyVaultChallenge(TokenCredential credential, KeyVaultAddress address) : BearerTokenAuthenticationPolicy(credential, [])
{
    private const string BodyProperty = "MSOnlineBackup.KeyVaultBody";

    // Set once; a race sets the same.
    private volatile Demand? _demand;

    protected override async ValueTask AuthorizeRequestAsync(HttpMessage message)
    {
        if (_demand is { } demand)
        {
            RestoreBody(message);
            await AuthenticateAndAuthorizeRequestAsync(message, demand.ToContext(message)).ConfigureAwait(false);
        }
        else if (message.Request.Content is { } body)
        {
            message.SetProperty(BodyProperty, body);
            message.Request.Content = null;
        }
    }

    protected override async ValueTask<bool> AuthorizeRequestOnChallengeAsync(HttpMessage message)
    {
        if (!message.Response.Headers.TryGetValue("WWW-Authenticate", out string? header))
        {
            return false;
        }

        Demand demand = Read(header);
        bool isNews = demand != _demand;
        if (!isNews && message.Request.Headers.Contains("Authorization"))
        {
            // The token that was asked for was refused.
            return false;
        }

        _demand = demand;
        RestoreBody(message);
        await AuthenticateAndAuthorizeRequestAsync(message, demand.ToContext(message)).ConfigureAwait(false);
        return true;
    }

    private static void RestoreBody(HttpMessage message)
    {
        if (message.Request.Content is null && message.TryGetProperty(BodyProperty, out object? body))
        {
            message.Request.Content = (RequestContent?)body;
        }
    }

    // Bearer authorization="https://login.microsoftonline.com/TENANT", resource="https://vault.azure.net"; or scope="…/.default".
    private Demand Read(string header)
    {
        Dictionary<string, string> parts = new(StringComparer.OrdinalIgnoreCase);
        string fields = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..] : "";
        foreach (string part in fields.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            string[] sides = part.Split('=', 2);
            parts.TryAdd(sides[0], sides.Length == 2 ? sides[1].Trim('"') : "");
        }

        string wanted = parts.GetValueOrDefault("resource") ?? parts.GetValueOrDefault("scope") ?? "";
        if (!Uri.TryCreate(wanted, UriKind.Absolute, out Uri? resource)
            || resource.Scheme != Uri.UriSchemeHttps || !resource.IdnHost.Equals(address.Domain, StringComparison.OrdinalIgnoreCase))
        {
            throw KeyVaultErrors.Untrusted(address.Vault, $"asks for a token for '{wanted}' and not for '{address.Domain}'");
        }

        string? authority = parts.GetValueOrDefault("authorization") ?? parts.GetValueOrDefault("authorization_uri");
        string? tenant = Uri.TryCreate(authority, UriKind.Absolute, out Uri? uri) ? uri.Segments.ElementAtOrDefault(1)?.Trim('/') : null;
        return new Demand($"https://{address.Domain}/.default", tenant);
    }

    private sealed record Demand(string Scope, string? Tenant)
    {
        public TokenRequestContext ToContext(HttpMessage message) => new([Scope], message.Request.ClientRequestId, tenantId: Tenant);
    }
}
