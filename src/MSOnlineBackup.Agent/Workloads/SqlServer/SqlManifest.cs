using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>A backup of a database or of its log, in a file beside the manifest.</summary>
/// <param name="Database">The database's name.</param>
/// <param name="File">The file's name.</param>
/// <param name="First">LSN at which it begins.</param>
/// <param name="Last">LSN behind its last record.</param>
/// <param name="Fork">Which history of the database.</param>
/// <param name="IsOfSystem">Whether it is master, model or msdb.</param>
/// <param name="HasLog">Whether its log is backed up.</param>
/// <param name="Files">The database's files, of a full backup.</param>
internal sealed record SqlPart(string Database, string File, decimal First, decimal Last, string Fork, bool IsOfSystem, bool HasLog, IReadOnlyList<SqlFile> Files);

/// <summary>What a recovery point of SQL Server is made of: a file of it.</summary>
/// <param name="From">Position where it begins.</param>
/// <param name="End">Position where it ends.</param>
/// <param name="OffsetMinutes">Minutes by which the server's local time was ahead of UTC.</param>
/// <param name="Parts">The backups, those of one database in order.</param>
internal sealed record SqlManifest(string From, string End, int OffsetMinutes, IReadOnlyList<SqlPart> Parts)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "manifest.json";

    private const int PositionBytes = 16;

    /// <summary>A position in the log of a server: a hash of where that of each database stands, and of which history. Somebody else's backup of a log, a database that comes or goes, or another
    /// recovery model makes another one.</summary>
    public static string PositionOf(IEnumerable<SqlDatabase> databases)
    {
        IEnumerable<string> lines = databases.Where(each => !each.IsOfSystem)
            .Select(each => each.HasLog ? FormattableString.Invariant($"{SqlText.Hex(each.Name)} {each.Fork} {each.Next}") : SqlText.Hex(each.Name))
            .Order(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', lines)))[..PositionBytes]);
    }

    /// <summary>Reads it; null where it is no such file.</summary>
    public static SqlManifest? Read(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, SqlManifestJson.Default.SqlManifest) is { } manifest && manifest.Parts.All(IsPlausible) ? manifest : null;
        }
        catch (JsonException)
        {
            // A newer version's, or damaged: whoever asked says so.
            return null;
        }
    }

    /// <summary>As a file has it.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, SqlManifestJson.Default.SqlManifest);

    // The names of files become part of paths and of a script.
    private static bool IsPlausible(SqlPart? part) =>
        part is not null && part.Database.Length > 0 && part.First <= part.Last && SqlFolder.IsOurs(part.File) && part.Files.All(file => file is { Name.Length: > 0, Type.Length: 1 });
}

/// <summary>The serialiser, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SqlManifest))]
internal sealed partial class SqlManifestJson : JsonSerializerContext;
