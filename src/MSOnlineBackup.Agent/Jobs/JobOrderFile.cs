using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>An order as another process gets it, with what its starter goes by and the other could not know. Secrets are not in it.</summary>
/// <param name="Version">3.</param>
/// <param name="Limits">The name of the profile of limits that holds.</param>
/// <param name="MachineName">The name of the machine, where it is not registered.</param>
/// <param name="Secrets">The names of the secrets that come by standard input, a line each, in this order.</param>
/// <param name="Order">The order, without its secrets; its member "kind" says of which kind it is.</param>
internal sealed record JobOrderFile(int Version, string Limits, string MachineName, IReadOnlyList<string> Secrets, JobOrder Order)
{
    /// <summary>The file's name in the job's folder.</summary>
    public const string FileName = "order.json";

    /// <summary>The version that is written, and the only one that is read.</summary>
    public const int Current = 3;

    /// <summary>The form of an order that a machine gives.</summary>
    public static JobOrderFile Of(JobOrder order, JobMachine starter) =>
        new(Current, starter.Limits.Name, starter.OwnName, [.. order.Secrets.Select(secret => secret.Name)], order.ToWritten());

    /// <summary>As JSON.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, OrderJson.Default.JobOrderFile);

    /// <summary>Reads what <see cref="Encode"/> wrote. Nothing is guessed: what is missing, is not known or stands twice is refused.</summary>
    /// <param name="content">JSON.</param>
    /// <param name="source">Where it came from, for messages.</param>
    /// <exception cref="BackupException">
    /// StateInvalid: it is not an order, or of another version; NotAvailable: it is for a kind of job that this version does not have.
    /// </exception>
    public static JobOrderFile Decode(ReadOnlyMemory<byte> content, string source)
    {
        try
        {
            CheckForm(content, source);
            JobOrderFile? file = JsonSerializer.Deserialize(content.Span, OrderJson.Default.JobOrderFile);
            return file is not null && PolicyLimits.Find(file.Limits) is not null ? file : throw Invalid(source, "it is not a job order", null);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            // The last is of a text that is no Unicode.
            throw Invalid(source, $"it is truncated, or is not a job order: {e.Message.TrimEnd('.')}", e);
        }
    }

    // Another version may have other members, and another kind surely has: what the user must be told is that.
    private static void CheckForm(ReadOnlyMemory<byte> content, string source)
    {
        using var document = JsonDocument.Parse(content, new JsonDocumentOptions { AllowDuplicateProperties = false });
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("version", out JsonElement number)
            || number.ValueKind != JsonValueKind.Number
            || !number.TryGetInt32(out int version))
        {
            throw Invalid(source, "it has no version", null);
        }

        if (version != Current)
        {
            throw Invalid(source, $"it has version {version}, but this version of MSOnlineBackup runs orders of version {Current}", null);
        }

        if (!root.TryGetProperty("order", out JsonElement order)
            || order.ValueKind != JsonValueKind.Object
            || !order.TryGetProperty(JobOrder.Discriminator, out JsonElement kind)
            || kind.ValueKind != JsonValueKind.String)
        {
            throw Invalid(source, "it does not say what kind of job it is for", null);
        }

        if (!Kinds.Contains(kind.GetString()))
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                $"The order '{source}' is for a job of the kind '{kind}', but this version of MSOnlineBackup knows only {string.Join(", ", Kinds)}.",
                "Run it with the version that created it, or with a newer one.",
                source);
        }
    }

    private static IEnumerable<string?> Kinds =>
        OrderJson.Default.JobOrder.PolymorphismOptions!.DerivedTypes.Select(type => type.TypeDiscriminator?.ToString());

    private static BackupException Invalid(string source, string why, Exception? cause) => new(
        BackupErrorId.StateInvalid, $"The order '{source}' cannot be run: {why}.", "Start the job again.", source, innerException: cause);
}

/// <summary>The serialisers, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobOrderFile))]
internal sealed partial class OrderJson : JsonSerializerContext;
