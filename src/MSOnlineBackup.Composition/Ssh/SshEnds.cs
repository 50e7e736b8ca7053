using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>What the end of ssh means, by its exit code and its own words, which are passed on.</summary>
internal static class SshEnds
{
    // ssh's own failures; every other code is of the program that it ran.
    private const int OfSsh = 255;
    private const int NotFound = 127;

    /// <summary>The error for a way that has ended.</summary>
    /// <param name="place">Where to.</param>
    /// <param name="end">What the pipe says.</param>
    /// <param name="wasOpen">Whether the server had the vault.</param>
    /// <param name="exitCode">How ssh ended.</param>
    /// <param name="words">What it, or the program that it ran, wrote to standard error.</param>
    public static BackupException Explain(SshLocation place, BackupException end, bool wasOpen, int exitCode, string words)
    {
        if (!wasOpen && words.StartsWith("setsid:", StringComparison.Ordinal))
        {
            return new BackupException(
                BackupErrorId.VaultProgramUnusable,
                $"The program that reaches '{place.Location}' cannot be started: {Line(words)}.",
                $"Install the OpenSSH client, or name another program with the variable {SshPipe.ProgramVariable}.",
                place.Location);
        }

        if (exitCode == OfSsh && end.Id == BackupErrorId.VaultUnreachable)
        {
            return OfSshItself(place, wasOpen, words);
        }

        if (!wasOpen && (exitCode == NotFound || words.Contains("is not recognized as", StringComparison.Ordinal)))
        {
            return new BackupException(
                BackupErrorId.VaultProgramUnusable,
                $"On '{place.Host}' there is no obengine where a login by ssh finds it: {Line(words)}.",
                $"Install MSOnlineBackup there, so that '{Login(place)} obengine --version' answers, or name it with {SshPipe.RemoteProgramVariable}.",
                place.Location);
        }

        // What came over the pipe counts for more than what was written for people.
        return end.Id != BackupErrorId.VaultUnreachable || wasOpen ? end : new BackupException(
            BackupErrorId.VaultProgramUnusable,
            $"The program on '{place.Host}' ended with {exitCode} before it had the vault, and said: {Line(words)}.",
            "See that the login there runs 'obengine serve store', and bring both machines to the same version of MSOnlineBackup.",
            place.Location);
    }

    private static BackupException OfSshItself(SshLocation place, bool wasOpen, string words)
    {
        if (Says("REMOTE HOST IDENTIFICATION HAS CHANGED"))
        {
            return new BackupException(
                BackupErrorId.VaultHostUntrusted,
                $"The host key of '{place.Host}' is not the one that ssh knows, so nothing was sent.{(SshKnownHosts.Compare(words, SshKnownHosts.ReadFile) is { Length: > 0 } keys ? keys : $" ssh says: {Line(words)}.")}",
                $"Ask whoever runs '{place.Host}' whether its key was changed, and compare the fingerprints. Only then: {SshKnownHosts.RemedyIn(words) ?? $"ssh-keygen -R {HostAlone(place)}"}, and log in once by hand.",
                place.Location);
        }

        if (Says("Host key verification failed"))
        {
            return new BackupException(
                BackupErrorId.VaultHostUntrusted,
                $"ssh does not know the host key of '{place.Host}', and asks nobody, since jobs run where nobody answers. ssh says: {Line(words)}.",
                $"Log in once by hand as the account that backs up, and compare the fingerprint: {Login(place)}.",
                place.Location);
        }

        return Says("Permission denied (")
            ? new BackupException(
                BackupErrorId.VaultAccessDenied,
                $"'{place.Host}' does not let this account log in: {Line(words)}.",
                $"See that '{Login(place)} -o BatchMode=yes true' works for the account that backs up: its public key in authorized_keys there, its key here without a passphrase or in an agent.",
                place.Location)
            : new BackupException(
                BackupErrorId.VaultUnreachable,
                wasOpen ? $"The connection to the vault '{place.Location}' was cut. ssh says: {Line(words)}." : $"'{place.Host}' cannot be reached. ssh says: {Line(words)}.",
                "Check the network and the other machine. Run the job again: what had arrived is used.",
                place.Location,
                transient: true);

        bool Says(string what) => words.Contains(what, StringComparison.Ordinal);
    }

    private static string Login(SshLocation place) => place.Port is { } port ? $"ssh -p {port} {place.Host}" : $"ssh {place.Host}";

    private static string HostAlone(SshLocation place) => place.Port is { } port
        ? $"'[{place.Host[(place.Host.IndexOf('@', StringComparison.Ordinal) + 1)..]}]:{port}'"
        : place.Host[(place.Host.IndexOf('@', StringComparison.Ordinal) + 1)..];

    /// <summary>What was said as one line, for people. ssh writes frames of '@' around what is important.</summary>
    public static string Line(string words)
    {
        string line = string.Join(' ', words.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(text => text.Trim('@', ' ')).Where(text => text.Length > 0));
        return line.Length == 0 ? "nothing" : line.TrimEnd('.');
    }
}
