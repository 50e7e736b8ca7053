using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>How much a line of a job's log matters.</summary>
public enum JobLogLevel
{
    /// <summary>As it should be.</summary>
    Info,

    /// <summary>Somebody may have to see to it.</summary>
    Warning,

    /// <summary>The job, or one of its sources, failed.</summary>
    Error,
}

/// <summary>What a line of a job's log tells of.</summary>
public enum JobLogEvent
{
    /// <summary>The job began; <see cref="JobLogEntry.Settings"/> has what it goes by.</summary>
    Started,

    /// <summary>It does something else now.</summary>
    Phase,

    /// <summary>An item was not backed up or brought back as asked.</summary>
    Skipped,

    /// <summary>Something that somebody may want to know.</summary>
    Note,

    /// <summary>Something that somebody should see to, though the job goes on.</summary>
    Warning,

    /// <summary>Damage to the vault was met, and worked around.</summary>
    Damage,

    /// <summary>A call on the vault failed, and is tried again.</summary>
    Retry,

    /// <summary>A source could not be read at all.</summary>
    Source,

    /// <summary>The log has no room for more lines of this kind; the record of the job counts on.</summary>
    Full,

    /// <summary>The job ended, or was not begun; <see cref="JobLogEntry.Figures"/> has what it did.</summary>
    Ended,
}

/// <summary>A line of a job's log.</summary>
public sealed record JobLogEntry
{
    /// <summary>When (UTC).</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>How much it matters.</summary>
    public required JobLogLevel Level { get; init; }

    /// <summary>What it tells of.</summary>
    public required JobLogEvent Event { get; init; }

    /// <summary>The same as a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>The name of the error, which <c>docs/errors.md</c> explains; null for none.</summary>
    public string? Id { get; init; }

    /// <summary>What it is about: mostly a path.</summary>
    public string? Path { get; init; }

    /// <summary>What to do.</summary>
    public string? Action { get; init; }

    /// <summary>What the job goes by, by name; never a secret. Null but for the beginning.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>What the job did, by name: bytes, counts and milliseconds. Null but for the end.</summary>
    public IReadOnlyDictionary<string, long>? Figures { get; init; }

    /// <summary>As one line of JSON, without its end.</summary>
    internal byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, JobLogJson.Lines.JobLogEntry);

    /// <summary>Reads a line; null for one that was cut off, and for what is none.</summary>
    internal static JobLogEntry? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, JobLogJson.Lines.JobLogEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The serialiser, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(JobLogEntry))]
internal sealed partial class JobLogJson : JsonSerializerContext
{
    /// <summary>One line each, paths readable: no HTML page will ever hold it.</summary>
    public static JobLogJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
