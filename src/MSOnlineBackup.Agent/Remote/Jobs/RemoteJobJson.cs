using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>The serialisers, generated when the agent is built. What a newer version says besides is passed over.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RemoteHello))]
[JsonSerializable(typeof(RemoteOrderMessage))]
[JsonSerializable(typeof(RemoteNotice))]
internal sealed partial class RemoteJobJson : JsonSerializerContext
{
    /// <summary>Reads what the other side has sent.</summary>
    /// <exception cref="BackupException">AgentVersionDiffers: it is none of it.</exception>
    public static T Read<T>(ReadOnlySpan<byte> content, int most, JsonTypeInfo<T> type)
    {
        try
        {
            return (content.Length > most ? default : JsonSerializer.Deserialize(content, type)) ?? throw RemoteErrors.NotUnderstood("it is too long, or nothing", null);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw RemoteErrors.NotUnderstood(RemoteFacts.Line(e.Message).TrimEnd('.'), e);
        }
    }
}
