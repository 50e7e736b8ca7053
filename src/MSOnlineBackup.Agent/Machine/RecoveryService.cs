using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>A vault that the machine's configuration gives to the holder of a certificate.</summary>
/// <param name="Certificate">The certificate's thumbprint: 40 hexadecimal digits.</param>
/// <param name="VaultCredentials">The credential file by which machines register with it.</param>
public sealed record RecoveryService(string Certificate, string VaultCredentials)
{
    /// <summary>The file of the state folder that lists them: an array of objects with these two members.</summary>
    internal const string FileName = "recoveryservices.json";

    /// <summary>Whether it is for this certificate; spaces and colons, as other programs write them, do not count.</summary>
    public bool IsFor(string thumbprint) => string.Equals(Plain(Certificate), Plain(thumbprint), StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the list; empty where there is none. Relative credential files are taken from the state folder.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    internal static IReadOnlyList<RecoveryService> Read(StateFolder folder)
    {
        if (folder.Read(FileName) is not { } content)
        {
            return [];
        }

        try
        {
            RecoveryService?[]? services = JsonSerializer.Deserialize(content, RecoveryServiceJson.Default.RecoveryServiceArray);
            return services is null || services.Contains(null)
                ? throw Invalid(folder, "it is not an array of services.", null)
                : [.. services.Select(service => service! with { VaultCredentials = Path.Combine(folder.Path, service.VaultCredentials) })];
        }
        catch (JsonException e)
        {
            throw Invalid(folder, e.Message, e);
        }
    }

    private static BackupException Invalid(StateFolder folder, string why, JsonException? inner) => new(
        BackupErrorId.StateInvalid,
        $"'{folder.PathOf(FileName)}' does not list recovery services: {why}",
        """Write it as [ { "certificate": "THUMBPRINT", "vaultCredentials": "FILE.VaultCredentials" } ].""",
        folder.PathOf(FileName),
        innerException: inner);

    private static string Plain(string thumbprint) => string.Concat(thumbprint.Where(char.IsAsciiHexDigit));
}

/// <summary>What a credential file says that is no secret.</summary>
/// <param name="VaultName">The vault's name.</param>
/// <param name="Vault">Where it is, and what it takes to come in.</param>
/// <param name="Expires">Until when machines may register with it (UTC).</param>
public sealed record VaultCredentialInfo(string VaultName, VaultAddress Vault, DateTimeOffset Expires);

[JsonSerializable(typeof(RecoveryService[]))]
[JsonSourceGenerationOptions(
    AllowTrailingCommas = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class RecoveryServiceJson : JsonSerializerContext;
