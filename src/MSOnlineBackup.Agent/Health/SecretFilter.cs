using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MSOnlineBackup.Agent.Health;

/// <summary>
/// Takes secrets out of what others are to read: those that are known, wherever they stand, and what looks like one. Rather a word too many than one too few.
/// </summary>
/// <param name="known">Secrets of this machine.</param>
internal sealed partial class SecretFilter(IEnumerable<string> known)
{
    private const string Hidden = "***";
    private const int LeastLength = 4;

    // As they are, and as they stand in URLs. The longest first, for one may be a part of another.
    private readonly string[] _known =
    [
        .. known.SelectMany(secret => new[] { secret, Uri.EscapeDataString(secret), Uri.UnescapeDataString(secret) })
            .Where(secret => secret.Length >= LeastLength)
            .Distinct()
            .OrderByDescending(secret => secret.Length),
    ];

    /// <summary>A text without them.</summary>
    public string Clean(string text)
    {
        foreach (string secret in _known)
        {
            text = text.Replace(secret, Hidden, StringComparison.OrdinalIgnoreCase);
        }

        text = UserOfUrl().Replace(text, $"//{Hidden}@");
        text = Bearer().Replace(text, $"$1 {Hidden}");
        text = Named().Replace(text, $"$1{Hidden}");
        return Encoded().Replace(text, Hidden);
    }

    /// <summary>A document in which every text, and every name, is without them.</summary>
    public JsonNode? Clean(JsonNode? node) => node switch
    {
        JsonObject item => new JsonObject(item.Select(pair =>
            KeyValuePair.Create(Clean(pair.Key), IsSecret(pair.Key) && pair.Value is not null ? Hidden : Clean(pair.Value)))
            .DistinctBy(pair => pair.Key)),
        JsonArray list => new JsonArray([.. list.Select(Clean)]),
        JsonValue value when value.TryGetValue(out string? text) => Clean(text),
        _ => node?.DeepClone(),
    };

    // Ours that are sealed are not needed, either.
    private static bool IsSecret(string name) => SecretName().IsMatch(name);

    [GeneratedRegex("passphrase|password|secret|sealed|wrapped|token|digest", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex(@"//[^/\s]+@")]
    private static partial Regex UserOfUrl();

    [GeneratedRegex(@"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", RegexOptions.IgnoreCase)]
    private static partial Regex Bearer();

    // As in a signature's sig=…, or a connection string's AccountKey=….
    [GeneratedRegex(@"((?<![A-Za-z])(?:sig|AccountKey|SharedAccessSignature|SharedAccessKey|password|passphrase|pwd|secret|token)\s*[=:]\s*)[^\s;&,""']+", RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    // 30 bytes or more in base64 that end as such keys do: an account's key, a seal, a hash.
    [GeneratedRegex("[A-Za-z0-9+/_-]{38,}={1,2}")]
    private static partial Regex Encoded();
}
