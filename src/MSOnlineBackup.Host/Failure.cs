using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host;

/// <summary>A command's failure as the user gets it: never a stack trace, always something to do.</summary>
/// <param name="Id">A <see cref="BackupErrorId"/>, or "Stopped".</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Action">What to do about it.</param>
/// <param name="Target">The thing the error is about.</param>
/// <param name="ExitCode">How the process will end.</param>
/// <param name="Cause">The exception, for <c>--debug</c>.</param>
internal sealed record Failure(string Id, string Message, string Action, string? Target, ExitCode ExitCode, Exception? Cause)
{
    /// <summary>The <see cref="Id"/> of a command that was stopped by the user.</summary>
    public const string StoppedId = "Stopped";

    /// <summary>Tells an exception to the user.</summary>
    /// <param name="exception">What escaped the command.</param>
    /// <param name="stopping">Whether the user asked to stop: then the failure of a producer that got the same Ctrl+C is no news.</param>
    public static Failure From(Exception exception, bool stopping) => exception switch
    {
        OperationCanceledException or BackupException { Id: BackupErrorId.CommandFailed } when stopping => new Failure(
            StoppedId,
            "Stopped before the end.",
            "Run the same command again: it continues with what has already arrived.",
            null,
            ExitCode.Stopped,
            exception),
        BackupException known => new Failure(
            known.Id.ToString(), known.Message, known.RecommendedAction, known.Target, ExitCodes.Of(known.Id), known),
        FileNotFoundException or DirectoryNotFoundException when CurrentFolder.IsGone => new Failure(
            nameof(BackupErrorId.ArgumentInvalid),
            "The current folder no longer exists, and a path that was given is relative to it.",
            "Use full paths, or change to a folder that exists.",
            null,
            ExitCode.Usage,
            exception),
        _ => new Failure(
            nameof(BackupErrorId.UnexpectedError),
            $"{exception.GetType().Name}: {exception.Message}",
            "This is a bug. Run the same command with --debug and report what it prints.",
            null,
            ExitCode.Failed,
            exception),
    };

    /// <summary>A command line that does not parse.</summary>
    public static Failure Usage(string message, string commandName) => new(
        nameof(BackupErrorId.ArgumentInvalid),
        message,
        $"See '{commandName} --help'.",
        null,
        ExitCode.Usage,
        null);
}
