using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>
/// What a recovery point holds of a workload, as it stands among the point's tags: a full backup, or a piece of the log. The pieces are one unbroken stream, whatever full
/// backups are made meanwhile: each names the one before it.
/// </summary>
public sealed record WorkloadPoint
{
    // As many characters as a tag may have, and fewer than a position could have.
    private const int MaxTextLength = 200;

    private static readonly WorkloadPointJson _json =
        new(new JsonSerializerOptions(WorkloadPointJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The workload's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required WorkloadKind Kind { get; init; }

    /// <summary>Whether it is a full backup rather than a piece of the log.</summary>
    [JsonIgnore]
    public bool IsFull { get; init; }

    /// <summary>Which unbroken log it belongs to.</summary>
    public required string Stream { get; init; }

    /// <summary>What the server calls its cluster: of PostgreSQL the system identifier.</summary>
    public required string System { get; init; }

    /// <summary>Which history of the cluster: of PostgreSQL the timeline.</summary>
    public required string Timeline { get; init; }

    /// <summary>What makes up the place of its files; a log with another one is not of use to a full backup.</summary>
    public required string Layout { get; init; }

    /// <summary>Position in the log where it begins.</summary>
    public required string Start { get; init; }

    /// <summary>Position in the log where it ends. A full backup needs the log from its start to its end.</summary>
    public required string End { get; init; }

    /// <summary>Of a full backup, the position where the next piece of the log begins: at its start, or before it.</summary>
    public string? LogStart { get; init; }

    /// <summary>When it begins, by the server's clock (UTC).</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>When it ends, by the server's clock (UTC): what was committed until then is in a log.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>The piece of the log before this one, or before the full backup; null for none: the stream begins.</summary>
    public SessionId? Previous { get; init; }

    /// <summary>The server's version.</summary>
    public string? Version { get; init; }

    /// <summary>What names are compared by.</summary>
    [JsonIgnore]
    public string Key => WorkloadSettings.KeyOf(Name);

    /// <summary>As a tag of its recovery point.</summary>
    public override string ToString() => (IsFull ? WorkloadTags.Full : WorkloadTags.Log) + JsonSerializer.Serialize(this, _json.WorkloadPoint);

    /// <summary>That of a recovery point; null where it holds no workload, or one of which this version does not know what to make.</summary>
    public static WorkloadPoint? Of(IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        return tags.Select(tag => TryParse(tag, out WorkloadPoint? point) ? point : null).FirstOrDefault(point => point is not null);
    }

    /// <summary>Reads a tag. False where it is another's, or of a form that this version does not know.</summary>
    public static bool TryParse(string tag, [NotNullWhen(true)] out WorkloadPoint? point)
    {
        ArgumentNullException.ThrowIfNull(tag);
        point = null;
        bool isFull = tag.StartsWith(WorkloadTags.Full, StringComparison.Ordinal);
        if (!isFull && !tag.StartsWith(WorkloadTags.Log, StringComparison.Ordinal))
        {
            return false;
        }

        try
        {
            point = JsonSerializer.Deserialize(tag.AsSpan((isFull ? WorkloadTags.Full : WorkloadTags.Log).Length), _json.WorkloadPoint);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            // A newer version's, or nobody's: it is not counted on, and nothing is deleted for it.
            return false;
        }

        point = point is null || !point.IsPlausible(isFull) ? null : point with { IsFull = isFull };
        return point is not null;
    }

    private bool IsPlausible(bool isFull)
    {
        string?[] texts = [Name, Stream, System, Timeline, Layout, Start, End, LogStart, Version];
        return Name.Length > 0
            && Enum.IsDefined(Kind)
            && texts.All(text => text is null || text.Length <= MaxTextLength)
            && From <= To
            && (LogStart is not null) == isFull;
    }
}

/// <summary>The serialiser, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WorkloadPoint))]
internal sealed partial class WorkloadPointJson : JsonSerializerContext;
