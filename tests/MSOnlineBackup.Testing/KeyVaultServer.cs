using System.Buffers.Text;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace MSOnlineBackup.Testing;

/// <summary>
/// A Key Vault on loopback, over TLS: secrets and keys with versions, permissions, soft deletion, a firewall; it asks for a bearer token as the real one
/// does, checks it, and wraps and unwraps by real RSA. Clients reach it under the name of any Key Vault, by <see cref="CreateHandler"/>.
/// </summary>
public sealed class KeyVaultServer : IAsyncDisposable
{
    public const string Uri = "https://backups.vault.azure.net/";
    public const string Tenant = "11111111-2222-3333-4444-555555555555";

    private readonly LoopbackServer _server;
    private readonly Lock _gate = new();
    private readonly List<Request> _requests = [];
    private readonly Dictionary<string, List<Key>> _keys = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<Secret>> _secrets = new(StringComparer.OrdinalIgnoreCase);
    private int _versions;

    public KeyVaultServer() => _server = new LoopbackServer(LoopbackServer.Secured(ServeAsync));

    /// <summary>The token that is accepted.</summary>
    public string Token { get; set; } = "a token of the test's tenant";

    /// <summary>What the challenge asks a token for.</summary>
    public string Resource { get; set; } = "https://vault.azure.net";

    /// <summary>What the holder of the token may do, as "secrets/get", "keys/wrapKey".</summary>
    public HashSet<string> Permissions { get; } = ["secrets/get", "secrets/set", "keys/get", "keys/wrapKey", "keys/unwrapKey"];

    public bool IsFirewalled { get; set; }

    /// <summary>Statuses that the next requests get instead of an answer; null lets one pass.</summary>
    public Queue<int?> Failures { get; } = [];

    /// <summary>Names of secrets that are deleted softly.</summary>
    public HashSet<string> Deleted { get; } = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<Request> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>The versions of a secret, the oldest first.</summary>
    public IReadOnlyList<Secret> SecretsOf(string name) => _secrets.GetValueOrDefault(name) ?? [];

    public void Put(string name, Secret secret) => Versions(_secrets, name).Add(secret);

    /// <summary>Makes a key, or a new version of it.</summary>
    public Key AddKey(string name, string type = "RSA")
    {
        var key = new Key(string.Create(CultureInfo.InvariantCulture, $"{++_versions:x32}"), RSA.Create(2048)) { Type = type };
        Versions(_keys, name).Add(key);
        return key;
    }

    /// <summary>What a client uses instead of the network.</summary>
    public HttpMessageHandler CreateHandler() => new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, token) =>
        {
            var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", _server.Port, token);
            return client.GetStream();
        },
        SslOptions =
            { RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetCertHashString() == LoopbackServer.Certificate.GetCertHashString() },
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static List<T> Versions<T>(Dictionary<string, List<T>> all, string name)
    {
        if (!all.TryGetValue(name, out List<T>? versions))
        {
            all[name] = versions = [];
        }

        return versions;
    }

    private async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        while (await ReadAsync(stream, stop) is { } request)
        {
            (int status, JsonNode? body, string? header) answer;
            lock (_gate)
            {
                _requests.Add(request);
                answer = Answer(request);
            }

            string body = answer.body?.ToJsonString() ?? "";
            string head = $"HTTP/1.1 {answer.status} Answer\r\nContent-Type: application/json\r\nContent-Length: "
                + $"{Encoding.UTF8.GetByteCount(body)}\r\n{answer.header}\r\n";
            await stream.WriteAsync(Encoding.UTF8.GetBytes(head + body), stop);
        }
    }

    private static async Task<Request?> ReadAsync(Stream stream, CancellationToken stop)
    {
        if (await LoopbackServer.ReadHeadAsync(stream, stop) is not [string line, .. string[] rest])
        {
            return null;
        }

        Dictionary<string, string> headers =
            rest.Select(header => header.Split(": ", 2)).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.OrdinalIgnoreCase);
        byte[] body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length") ?? "0", CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, stop);
        string[] first = line.Split(' ');
        return new Request(first[0], first[1].Split('?')[0], headers.GetValueOrDefault("Authorization"), Encoding.UTF8.GetString(body));
    }

    private (int Status, JsonNode? Body, string? Header) Answer(Request request)
    {
        if (Failures.TryDequeue(out int? failure) && failure is int status)
        {
            return (status, null, "Retry-After: 0\r\n");
        }

        if (request.Authorization != $"Bearer {Token}")
        {
            string challenge = $"WWW-Authenticate: Bearer authorization=\"https://login.microsoftonline.com/{Tenant}\", resource=\"{Resource}\"\r\n";
            return (401, Fault("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token."), challenge);
        }

        if (IsFirewalled)
        {
            return (403, Fault("Forbidden", "Client address is not authorized and caller is not a trusted service.", "ForbiddenByFirewall"), null);
        }

        string[] path = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        (int code, JsonNode body) = path[0] == "secrets" ? AnswerSecret(request, path[1]) : AnswerKey(request, path);
        return (code, body, null);
    }

    private (int Status, JsonNode Body) AnswerSecret(Request request, string name)
    {
        bool sets = request.Method == "PUT";
        if (!Permissions.Contains(sets ? "secrets/set" : "secrets/get"))
        {
            return (403, Fault("Forbidden", "The user, group or application does not have secrets permission on key vault 'backups'.", "AccessDenied"));
        }

        if (Deleted.Contains(name))
        {
            return sets
                ? (409, Fault("Conflict", $"Secret {name} is currently in a deleted but recoverable state.", "ObjectIsDeletedButRecoverable"))
                : (404, Fault("SecretNotFound", $"A secret with (name/id) {name} was not found in this key vault."));
        }

        if (sets)
        {
            JsonNode body = JsonNode.Parse(request.Body)!;
            Put(
                name,
                new Secret(
                    body["value"]!.GetValue<string>(), body["tags"]?.AsObject().ToDictionary(tag => tag.Key, tag => tag.Value!.GetValue<string>()) ?? []));
        }

        IReadOnlyList<Secret> versions = SecretsOf(name);
        return versions is not [.., { } newest] ? (404, Fault("SecretNotFound", $"A secret with (name/id) {name} was not found in this key vault."))
            : !newest.IsEnabled ? (403, Fault("Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"))
            : (200, new JsonObject
            {
                ["value"] = newest.Value,
                ["id"] = $"{Uri}secrets/{name}/{versions.Count:x32}",
                ["attributes"] = new JsonObject { ["enabled"] = true, ["created"] = 1, ["updated"] = 1 },
                ["tags"] = new JsonObject(newest.Tags.Select(tag => KeyValuePair.Create(tag.Key, (JsonNode?)tag.Value))),
            });
    }

    // keys/NAME, keys/NAME/VERSION/wrapkey
    private (int Status, JsonNode Body) AnswerKey(Request request, string[] path)
    {
        string operation = path.ElementAtOrDefault(3) switch { "wrapkey" => "wrapKey", "unwrapkey" => "unwrapKey", _ => "get" };
        if (!Permissions.Contains($"keys/{operation}"))
        {
            return (403, Fault("Forbidden", $"Caller is not authorized to perform action on resource: {operation}.", "ForbiddenByRbac"));
        }

        Key? key = _keys.GetValueOrDefault(path[1])?.LastOrDefault(version => path.Length < 3 || version.Version == path[2]);
        if (key is null)
        {
            return (404, Fault("KeyNotFound", $"A key with (name/id) {path[1]} was not found in this key vault."));
        }

        string id = $"{Uri}keys/{path[1]}/{key.Version}";
        if (operation == "get")
        {
            return (200, new JsonObject { ["key"] = new JsonObject { ["kid"] = id, ["kty"] = key.Type } });
        }

        if (!key.IsEnabled)
        {
            return (403, Fault("Forbidden", $"Operation {operation} is not allowed on a disabled key.", "KeyDisabled"));
        }

        // As documented: outside its time a key still unwraps.
        if (key.IsExpired && operation == "wrapKey")
        {
            return (403, Fault("Forbidden", "Operation wrapKey is not allowed on an expired key."));
        }

        JsonNode asked = JsonNode.Parse(request.Body)!;
        byte[] value = Base64Url.DecodeFromChars(asked["value"]!.GetValue<string>());
        if (asked["alg"]!.GetValue<string>() != "RSA-OAEP-256")
        {
            return (400, Fault("BadParameter", "Unknown algorithm."));
        }

        try
        {
            byte[] result =
                operation == "wrapKey" ? key.Rsa.Encrypt(value, RSAEncryptionPadding.OaepSHA256) : key.Rsa.Decrypt(value, RSAEncryptionPadding.OaepSHA256);
            return (200, new JsonObject { ["kid"] = id, ["value"] = Base64Url.EncodeToString(result) });
        }
        catch (CryptographicException)
        {
            return (400, Fault("BadParameter", "The parameter is incorrect."));
        }
    }

    private static JsonObject Fault(string code, string message, string? inner = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message };
        if (inner is not null)
        {
            error["innererror"] = new JsonObject { ["code"] = inner };
        }

        return new JsonObject { ["error"] = error };
    }

    public sealed record Request(string Method, string Path, string? Authorization, string Body);

    public sealed record Secret(string Value, Dictionary<string, string> Tags)
    {
        public bool IsEnabled { get; set; } = true;
    }

    public sealed record Key(string Version, RSA Rsa)
    {
        public required string Type { get; init; }

        public bool IsEnabled { get; set; } = true;

        public bool IsExpired { get; set; }
    }
}
