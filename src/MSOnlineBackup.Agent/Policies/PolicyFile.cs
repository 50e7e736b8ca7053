using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Agent.Workloads;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>A policy as JSON has it.</summary>
internal sealed record PolicyFile(
    int Version,
    PolicyKind Kind,
    bool Paused,
    IReadOnlyList<FileSpecification> Files,
    Guid? Id = null,
    BackupSchedule? Schedule = null,
    RetentionPolicy? Retention = null,
    IReadOnlyList<string>? CopyTo = null,
    IReadOnlyList<WorkloadSettings>? Workloads = null,
    IReadOnlyList<VirtualMachineSettings>? VirtualMachines = null);

/// <summary>The serialiser, generated when the engine is built.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = true,
    Converters =
    [
        typeof(TimeOfDayConverter),
        typeof(NameConverter<PolicyKind>),
        typeof(NameConverter<DayOfWeek>),
        typeof(NameConverter<NthWeek>),
        typeof(NameConverter<WorkloadKind>),
    ])]
[JsonSerializable(typeof(PolicyFile))]
[JsonSerializable(typeof(RetentionPolicy))]
internal sealed partial class PolicyFileContext : JsonSerializerContext;

/// <summary>Times as <c>HH:mm</c>.</summary>
internal sealed class TimeOfDayConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return TimeOfDay.TryParse(text, out TimeSpan time)
            ? time
            : throw new JsonException("a time of day is written \"HH:mm\", from \"00:00\" to \"23:59\"");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteStringValue(TimeOfDay.Format(value));
}

/// <summary>Values of an enumeration by their names, never by their numbers; case does not count.</summary>
internal sealed class NameConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        foreach (T value in Enum.GetValues<T>())
        {
            if (value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        throw new JsonException($"expected one of {string.Join(", ", Enum.GetNames<T>())}");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
