using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>When a script is run.</summary>
internal enum ScriptKind
{
    /// <summary>Before snapshots are taken.</summary>
    Pre,

    /// <summary>After that.</summary>
    Post,
}

/// <summary>A script to be run.</summary>
/// <param name="Kind">When.</param>
/// <param name="Location">Its full path; empty where the file names none.</param>
/// <param name="Arguments">What it is given.</param>
/// <param name="Retries">How often it is run again when it ends with another status than 0.</param>
internal sealed record ScriptCommand(ScriptKind Kind, string Location, IReadOnlyList<string> Arguments, int Retries)
{
    private string Name => Kind == ScriptKind.Pre ? "pre-script" : "post-script";

    /// <summary>Why it cannot be run; null where it can.</summary>
    public BackupException? FindFault(IFileTrust trust) =>
        !File.Exists(Location) ? new BackupException(
            BackupErrorId.ScriptNotFound,
            Location.Length == 0 ? $"No {Name} is named." : $"The {Name} '{Location}' is not there.",
            "Name a script that is there, with its full path.",
            Location,
            errorCode: $"{Kind}-ScriptNotFound")
        : trust.FindFault(Location, isScript: true) is { } fault ? new BackupException(
            BackupErrorId.ScriptUntrusted,
            $"The {Name} '{Location}' was not run, because others could have changed it. {fault}",
            "Have root own the script, and run 'chmod 700' on it. On Windows let only administrators write to it.",
            Location,
            errorCode: $"InsufficientPermissionfor{Kind}-Script")
        : null;

    /// <summary>It ended with another status than 0, or could not be started.</summary>
    public BackupException Failed(string how, Exception? cause = null) => new(
        BackupErrorId.ScriptFailed,
        $"The {Name} '{Location}' {how}",
        "See what the script writes to its own log, and run it by hand.",
        Location,
        innerException: cause,
        errorCode: $"{Kind}-ScriptExecutionFailed");

    /// <summary>It took longer than it may, and was ended.</summary>
    public BackupException TimedOut(TimeSpan limit) => new(
        BackupErrorId.ScriptTimedOut,
        string.Create(CultureInfo.InvariantCulture, $"The {Name} '{Location}' had not ended after {limit.TotalSeconds} seconds, and was killed."),
        "Find what the script waits for, or give it more time (timeoutInSeconds, at most 1800).",
        Location,
        errorCode: $"{Kind}-ScriptTimeout");
}
