using System.Text.Encodings.Web;
using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>
/// A policy as text, for files and for the machine's state; <c>docs/policies.md</c> has the schema. The form is checked here,
/// what it says by <see cref="PolicyLimits.Check"/>.
/// </summary>
public static class PolicyJson
{
    private const int Version = 1;

    // The text goes into files that people read, not into web pages: only what JSON itself demands is escaped.
    private static readonly PolicyFileContext _context =
        new(new JsonSerializerOptions(PolicyFileContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Writes a policy.</summary>
    public static string Write(BackupPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var file = new PolicyFile(
            Version,
            policy.Kind,
            policy.IsPaused,
            policy.Files,
            policy.Id,
            policy.Schedule,
            policy.Retention,
            policy.CopyTo.Count == 0 ? null : policy.CopyTo,
            policy.Workloads is { Count: > 0 } workloads ? workloads : null,
            policy.VirtualMachines is { Count: > 0 } machines ? machines : null);
        return JsonSerializer.Serialize(file, _context.PolicyFile);
    }

    /// <summary>Reads a policy. Nothing is guessed: what is not known, is missing or stands twice is refused.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it came from, for messages.</param>
    /// <exception cref="BackupException">PolicyFileInvalid, naming the source and the place in it.</exception>
    public static BackupPolicy Read(string json, string source)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            CheckVersion(json, source);
            PolicyFile file = JsonSerializer.Deserialize(json, _context.PolicyFile) ?? throw new JsonException("it is empty");
            if (file.Files.Any(specification => specification is null))
            {
                throw new JsonException("the list of files contains null");
            }

            if (file.CopyTo?.Any(place => place is null) == true)
            {
                throw new JsonException("the list of twins contains null");
            }

            if (file.Workloads?.Any(workload => workload is null) == true)
            {
                throw new JsonException("the list of workloads contains null");
            }

            if (file.VirtualMachines?.Any(machine => machine is null || machine.Addresses.Concat(machine.Disks ?? []).Concat(machine.ExcludedDisks ?? []).Any(text => text is null)) == true)
            {
                throw new JsonException("the list of virtual machines, or a list in it, contains null");
            }

            return new BackupPolicy
            {
                Id = file.Id,
                Kind = file.Kind,
                Files = file.Files,
                Schedule = file.Schedule,
                Retention = file.Retention,
                CopyTo = file.CopyTo ?? [],
                IsPaused = file.Paused,
                Workloads = file.Workloads ?? [],
                VirtualMachines = file.VirtualMachines ?? [],
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter for names that are no text, such as half a surrogate pair. Lines and columns are counted from 0 there, and from 1 by people.
            string place =
                exception is JsonException { LineNumber: { } line, BytePositionInLine: var position } ? $", line {line + 1}, byte {position + 1}" : "";
            throw Invalid(source, $"{source}{place}: this is not a policy: {exception.Message}", exception);
        }
    }

    /// <summary>Writes a retention alone.</summary>
    public static string WriteRetention(RetentionPolicy retention)
    {
        ArgumentNullException.ThrowIfNull(retention);
        return JsonSerializer.Serialize(retention, _context.RetentionPolicy);
    }

    /// <summary>Reads a retention alone.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it came from, for messages.</param>
    /// <exception cref="BackupException">PolicyFileInvalid.</exception>
    public static RetentionPolicy ReadRetention(string json, string source)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonSerializer.Deserialize(json, _context.RetentionPolicy) ?? throw new JsonException("it is empty");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Invalid(source, $"{source}: this is not a retention: {exception.Message}", exception);
        }
    }

    // A newer version may hold what this one would refuse for other reasons: its version is what the user must be told.
    private static void CheckVersion(string json, string source)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("version", out JsonElement element)
            || element.ValueKind != JsonValueKind.Number
            || !element.TryGetInt32(out int version)
            || version < 1)
        {
            throw new JsonException("it has no version");
        }

        if (version > Version)
        {
            throw Invalid(
                source,
                $"{source}: the policy has version {version}; this version of the program reads policies up to version {Version}.",
                inner: null);
        }
    }

    private static BackupException Invalid(string source, string message, Exception? inner) => new(
        BackupErrorId.PolicyFileInvalid,
        message,
        "Correct the file (docs/policies.md has its form), or export the policy again with the version of the program that will read it.",
        source,
        innerException: inner);
}
