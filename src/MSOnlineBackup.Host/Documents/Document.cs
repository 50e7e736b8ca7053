using System.Text.Json.Serialization;

namespace MSOnlineBackup.Host.Documents;

/// <summary>
/// One line of <c>--json</c>. The records of this folder are the documented schema (docs/cli.md, guarded by a test):
/// sizes are bytes, durations are seconds, times are ISO 8601 in UTC, a field without a value is null.
/// </summary>
internal abstract record Document
{
    /// <summary>Which kind of line it is.</summary>
    [JsonPropertyOrder(-3)]
    public abstract string Type { get; }
}

/// <summary>The last line of every command that was carried out.</summary>
internal abstract record Summary : Document
{
    public sealed override string Type => "summary";

    /// <summary>The command, as it is typed.</summary>
    [JsonPropertyOrder(-2)]
    public abstract string Command { get; }

    /// <summary>The process's exit code.</summary>
    [JsonPropertyOrder(-1)]
    public int ExitCode { get; init; }

    /// <summary>From the start of the command to its end.</summary>
    [JsonPropertyOrder(-1)]
    public double DurationSeconds { get; init; }
}
