using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>
/// Which scripts are run around the taking of snapshots, and how: what a file says in the format of <c>VMSnapshotScriptPluginConfig.json</c>. Members that this
/// version does not know are passed over.
/// </summary>
internal sealed record ScriptSettings
{
    // Far more than any such file has.
    private const int MaxLength = 1 << 20;
    private const int LongestTimeout = 1800;

    /// <summary>Run before.</summary>
    public required ScriptCommand Before { get; init; }

    /// <summary>Run after, whenever the one before was begun.</summary>
    public required ScriptCommand After { get; init; }

    /// <summary>How long each run of a script may take: 1 to 1,800 seconds.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Whether there is a recovery point where a script failed.</summary>
    public required bool ContinuesOnFailure { get; init; }

    /// <summary>Whether file systems are held still where a snapshot needs that.</summary>
    public required bool FreezesFileSystems { get; init; }

    /// <summary>Reads such a file.</summary>
    /// <exception cref="BackupException">ScriptSettingsInvalid: it cannot be read as one. ScriptUntrusted: others could have written it.</exception>
    public static ScriptSettings Read(string path, IFileTrust trust)
    {
        if (!File.Exists(path))
        {
            throw Invalid(path, "there is no such file");
        }

        if (trust.FindFault(path, isScript: false) is { } fault)
        {
            throw new BackupException(
                BackupErrorId.ScriptUntrusted,
                $"The file '{path}' says which scripts run with a backup's rights, and others could have changed it. {fault}",
                "Have root own the file, and run 'chmod 600' on it. On Windows let only administrators write to it.",
                path);
        }

        try
        {
            ReadOnlySpan<byte> content = ReadShort(path);
            ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
            ReadOnlySpan<byte> text = content.StartsWith(mark) ? content[mark.Length..] : content;
            return Check(path, JsonSerializer.Deserialize(text, ScriptJson.Default.ScriptFile) ?? throw Invalid(path, "it is empty"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw Invalid(path, e.Message.TrimEnd('.'), e);
        }
    }

    private static byte[] ReadShort(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        byte[] content = new byte[Math.Min(file.Length, MaxLength)];
        file.ReadExactly(content);
        return content;
    }

    private static ScriptSettings Check(string path, ScriptFile file)
    {
        Within(path, "timeoutInSeconds", file.Timeout, 1, LongestTimeout);
        Within(path, "preScriptNoOfRetries", file.PreRetries, 0, int.MaxValue);
        Within(path, "postScriptNoOfRetries", file.PostRetries, 0, int.MaxValue);
        Within(path, "ScriptsExecutionPollTimeSeconds", file.PollTime, 1, 5);
        return new ScriptSettings
        {
            Before = new ScriptCommand(ScriptKind.Pre, Location(path, file.PreLocation), Arguments(file.PreParameters), file.PreRetries),
            After = new ScriptCommand(ScriptKind.Post, Location(path, file.PostLocation), Arguments(file.PostParameters), file.PostRetries),
            Timeout = TimeSpan.FromSeconds(file.Timeout),
            ContinuesOnFailure = file.ContinuesOnFailure,
            FreezesFileSystems = file.FreezesFileSystems,
        };
    }

    private static string Location(string path, string? location) => string.IsNullOrEmpty(location) ? "" : Path.IsPathFullyQualified(location)
        ? location
        : throw Invalid(path, $"'{location}' is no full path");

    private static IReadOnlyList<string> Arguments(IReadOnlyList<string?>? given) => [.. (given ?? []).Select(argument => argument ?? "")];

    private static void Within(string path, string name, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            string upTo = most == int.MaxValue ? "or more" : string.Create(CultureInfo.InvariantCulture, $"to {most}");
            throw Invalid(path, string.Create(CultureInfo.InvariantCulture, $"'{name}' is {value}, and has to be {least} {upTo}"));
        }
    }

    private static BackupException Invalid(string path, string why, Exception? cause = null) => new(
        BackupErrorId.ScriptSettingsInvalid,
        $"The file '{path}' does not say which scripts to run: {why}.",
        "Correct the file (docs/operations.md, \"Databases and other applications\").",
        path,
        innerException: cause,
        errorCode: "IncorrectJSONConfigFile");
}

/// <summary>The file. What it leaves out is as in the original's own template.</summary>
internal sealed record ScriptFile
{
    // Not 'init': a generated reader would set to nothing what the file leaves out.
    [JsonPropertyName("preScriptLocation")]
    public string? PreLocation { get; set; }

    [JsonPropertyName("postScriptLocation")]
    public string? PostLocation { get; set; }

    [JsonPropertyName("preScriptParams")]
    public IReadOnlyList<string?>? PreParameters { get; set; }

    [JsonPropertyName("postScriptParams")]
    public IReadOnlyList<string?>? PostParameters { get; set; }

    [JsonPropertyName("preScriptNoOfRetries")]
    public int PreRetries { get; set; }

    [JsonPropertyName("postScriptNoOfRetries")]
    public int PostRetries { get; set; }

    [JsonPropertyName("timeoutInSeconds")]
    public int Timeout { get; set; } = 30;

    [JsonPropertyName("continueBackupOnFailure")]
    public bool ContinuesOnFailure { get; set; } = true;

    [JsonPropertyName("fsFreezeEnabled")]
    public bool FreezesFileSystems { get; set; } = true;

    // How often the original looks whether a script has ended. Here nobody has to look.
    [JsonPropertyName("ScriptsExecutionPollTimeSeconds")]
    public int PollTime { get; set; } = 1;
}

/// <summary>The serialisers, generated when the engine is built.</summary>
[JsonSourceGenerationOptions]
[JsonSerializable(typeof(ScriptFile))]
internal sealed partial class ScriptJson : JsonSerializerContext;
