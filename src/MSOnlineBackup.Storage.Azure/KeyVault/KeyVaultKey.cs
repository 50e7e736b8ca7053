using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>An RSA key in Azure Key Vault, over the Key Vault's REST interface.</summary>
public sealed class KeyVaultKey : IKeyEncryptionKey
{
    private const string ApiVersion = "7.4";
    private const string Algorithm = "RSA-OAEP-256";

    private readonly KeyVaultAddress _address;
    private readonly HttpPipeline _pipeline;

    internal KeyVaultKey(KeyVaultAddress address, TokenCredential credential, HttpPipelineTransport transport)
    {
        _address = address;
        _pipeline = HttpPipelineBuilder.Build(new KeyVaultClientOptions().Through(transport), new KeyVaultChallenge(credential, address));
    }

    /// <inheritdoc/>
    public string Id => _address.KeyId;

    private string Item => $"key '{_address.KeyName}'";

    /// <summary>Names a key; asks nobody yet.</summary>
    /// <param name="uri"><c>https://NAME.vault.azure.net/keys/KEY</c>, with <c>/VERSION</c> or, for the newest, without.</param>
    /// <param name="connection">How the Key Vault is reached.</param>
    /// <exception cref="BackupException">KeyVaultUriInvalid.</exception>
    public static KeyVaultKey Open(string uri, VaultConnection connection)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(connection);
        KeyVaultAddress address = KeyVaultAddress.ParseKey(uri);
        HttpPipelineTransport transport = AzureTransport.Create(connection);
        return new KeyVaultKey(address, AzureIdentity.CreateTokenCredential(connection), transport);
    }

    /// <inheritdoc/>
    public async Task<WrappedKey> WrapAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        string id = _address.KeyVersion is null ? await FindNewestAsync(cancellationToken).ConfigureAwait(false) : Id;
        using JsonDocument answer = await SendAsync(RequestMethod.Post, id, "wrapkey", key, "wrapKey", cancellationToken).ConfigureAwait(false);
        return new WrappedKey(id, Value(answer));
    }

    /// <inheritdoc/>
    public async Task<byte[]?> UnwrapAsync(WrappedKey wrapped, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wrapped);

        // The id comes from a vault, which is not to say where requests go.
        if (!IsVersion(wrapped.KeyId))
        {
            return null;
        }

        try
        {
            using JsonDocument answer =
                await SendAsync(RequestMethod.Post, wrapped.KeyId, "unwrapkey", wrapped.Content, "unwrapKey", cancellationToken).ConfigureAwait(false);
            return Value(answer);
        }
        catch (BackupException e) when (e.InnerException is RequestFailedException { Status: 400 })
        {
            // Key Vault's answer to what does not decrypt.
            return null;
        }
    }

    // {"key":{"kid":…,"kty":…},"attributes":…}
    private async Task<string> FindNewestAsync(CancellationToken cancellationToken)
    {
        using JsonDocument answer = await SendAsync(RequestMethod.Get, Id, null, default, "get", cancellationToken).ConfigureAwait(false);
        (string? id, string? type) =
            Read(answer, static root => (root.GetProperty("key").GetProperty("kid").GetString(), root.GetProperty("key").GetProperty("kty").GetString()));
        if (id is null || !IsVersion(id))
        {
            throw KeyVaultErrors.Senseless(_address.Vault, Item, null);
        }

        return type is "RSA" or "RSA-HSM"
            ? KeyVaultAddress.ParseKey(id).KeyId
            : throw KeyVaultErrors.KeyUnusable(_address.Vault, Item, string.Create(CultureInfo.InvariantCulture, $"it is of the type {type}, which does not wrap by {Algorithm}"));
    }

    // A key that has a version is that version only.
    private bool IsVersion(string id)
    {
        try
        {
            KeyVaultAddress address = KeyVaultAddress.ParseKey(id);
            return address.KeyVersion is not null && (address == _address || address with { KeyVersion = null } == _address);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.KeyVaultUriInvalid)
        {
            return false;
        }
    }

    private Task<JsonDocument> SendAsync(
        RequestMethod method, string id, string? operation, ReadOnlyMemory<byte> value, string permission, CancellationToken cancellationToken) =>
        KeyVaultErrors.TranslateAsync(
            _address.Vault,
            Item,
            permission,
            async () =>
            {
                using HttpMessage message = _pipeline.CreateMessage();
                message.Request.Method = method;
                message.Request.Uri.Reset(new Uri($"{id}/{operation}?api-version={ApiVersion}"));
                message.Request.Headers.Add(HttpHeader.Common.JsonAccept);
                if (operation is not null)
                {
                    message.Request.Headers.Add(HttpHeader.Common.JsonContentType);
                    message.Request.Content = RequestContent.Create(Body(value.Span));
                }

                await _pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
                if (message.Response.IsError)
                {
                    throw new RequestFailedException(message.Response);
                }

                try
                {
                    return JsonDocument.Parse(message.Response.Content);
                }
                catch (JsonException e)
                {
                    throw KeyVaultErrors.Senseless(_address.Vault, Item, e);
                }
            },
            cancellationToken);

    private static byte[] Body(ReadOnlySpan<byte> value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("alg", Algorithm);
            writer.WriteString("value", Base64Url.EncodeToString(value));
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private byte[] Value(JsonDocument answer) => Read(answer, static root => Base64Url.DecodeFromChars(root.GetProperty("value").GetString()));

    private T Read<T>(JsonDocument answer, Func<JsonElement, T> read)
    {
        try
        {
            return read(answer.RootElement);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw KeyVaultErrors.Senseless(_address.Vault, Item, e);
        }
    }
}
