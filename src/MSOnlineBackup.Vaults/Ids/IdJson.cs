using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Vaults.Ids;

/// <summary>Ids in JSON: a text of their digits. Anything else is a <see cref="JsonException"/>.</summary>
/// <typeparam name="TId">The kind of id.</typeparam>
public sealed class IdJson<TId> : JsonConverter<TId>
    where TId : struct, IVaultId<TId>
{
    /// <inheritdoc/>
    public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && TId.TryParse(reader.GetString(), out TId id)
            ? id
            : throw new JsonException($"A {typeof(TId).Name} is {IdDigits.Count} hexadecimal digits.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
