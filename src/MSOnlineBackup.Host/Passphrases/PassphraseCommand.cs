using System.CommandLine.Parsing;
using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Passphrases;

/// <summary>Runs a password manager.</summary>
internal static class PassphraseCommand
{
    /// <summary>What the command prints. It keeps the terminal, so that it can ask for its own password.</summary>
    /// <param name="commandLine">Split at spaces, with quotes; no shell sees it.</param>
    /// <param name="cancellationToken">Kills the command.</param>
    /// <exception cref="BackupException">ArgumentInvalid: nothing to run. CommandFailed: it cannot be run, or ends with a status other than 0.</exception>
    public static async Task<string> ReadAsync(string commandLine, CancellationToken cancellationToken)
    {
        string[] parts = [.. CommandLineParser.SplitCommandLine(commandLine)];
        if (parts.Length == 0)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, "The passphrase command is empty.", "Name a program that prints the passphrase.");
        }

        try
        {
            using var process = Process.Start(new ProcessStartInfo(parts[0], parts[1..]) { RedirectStandardOutput = true })!;
            using CancellationTokenRegistration kill = cancellationToken.Register(() => process.Kill(entireProcessTree: true));
            string text = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0
                ? PassphraseOptions.WithoutLineBreak(text)
                : throw Failed(parts[0], $"ended with status {process.ExitCode}", null);
        }
        catch (Win32Exception e)
        {
            throw Failed(parts[0], $"cannot be started: {e.Message}", e);
        }
    }

    private static BackupException Failed(string program, string what, Exception? cause) => new(
        BackupErrorId.CommandFailed,
        $"The passphrase command '{program}' {what}.",
        "Run it by hand to see what is wrong; it must print the passphrase and end with status 0.",
        program,
        innerException: cause);
}
