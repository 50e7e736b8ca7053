using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>What a recovery must know of the server, beside the full backup: a file of the recovery point.</summary>
/// <param name="Series">The server's series: "10.11".</param>
/// <param name="User">The number of the account that its data directory belongs to.</param>
/// <param name="Group">That of its group.</param>
/// <param name="Settings">Its settings, as far as statements of its log do something else under others.</param>
internal sealed record MariaFacts(string Series, uint User, uint Group, IReadOnlyDictionary<string, string> Settings)
{
    private const int MostText = 500;

    // The log has all that a session may set and replication needs, and leaves these to the server that follows.
    private static readonly string[] _names =
    [
        "character_set_server", "collation_server", "default_storage_engine", "default_week_format", "explicit_defaults_for_timestamp", "group_concat_max_len", "innodb_default_row_format",
        "innodb_file_per_table", "innodb_strict_mode", "lower_case_table_names", "old_mode",
    ];

    /// <summary>The file's name.</summary>
    public const string FileName = "server.json";

    /// <summary>Reads it; null where it is no such file.</summary>
    public static MariaFacts? Read(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, MariaFactsJson.Default.MariaFacts) is { } facts && facts.IsPlausible() ? facts : null;
        }
        catch (JsonException)
        {
            // A newer version's, or damaged: whoever asked says so.
            return null;
        }
    }

    /// <summary>The names of those settings.</summary>
    public static IReadOnlyList<string> SettingNames => _names;

    /// <summary>As a file has it.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, MariaFactsJson.Default.MariaFacts);

    // They become arguments of a program.
    private bool IsPlausible() => Settings.All(each => _names.Contains(each.Key) && each.Value.Length <= MostText && !each.Value.Any(char.IsControl));
}

/// <summary>The serialiser, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MariaFacts))]
internal sealed partial class MariaFactsJson : JsonSerializerContext;
