using System.Text.Json.Serialization;

namespace MSOnlineBackup.Host.Documents;

/// <summary>
/// One line of <c>--json</c>. The records of this folder are the documented schema (docs/cli.md, guarded by a test):
/// sizes are bytes, durations are seconds, times are ISO 8601 in UTC, a field without a value is null.
/// </summary>
/// <param name="Type">Which kind of line it is.</param>
internal abstract record Document([property: JsonPropertyOrder(-2)] string Type);

/// <summary>The last line of every command that was carried out.</summary>
/// <param name="Command">The command, as it is typed.</param>
internal abstract record Summary([property: JsonPropertyOrder(-1)] string Command) : Document("summary")
{
    /// <summary>The process's exit code.</summary>
    [JsonPropertyOrder(-1)]
    public int ExitCode { get; init; }

    /// <summary>From the start of the command to its end.</summary>
    [JsonPropertyOrder(-1)]
    public double DurationSeconds { get; init; }
}
