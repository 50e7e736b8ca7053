using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>What the end of ssh means where it was to run a command on another machine, by its own words, which are passed on.</summary>
internal static class SshShellEnds
{
    /// <summary>The error for ssh's own failure.</summary>
    /// <param name="machine">Where to.</param>
    /// <param name="exitCode">How it ended.</param>
    /// <param name="words">What it wrote to standard error.</param>
    /// <param name="wasSent">Whether something was being sent.</param>
    public static BackupException Explain(RemoteMachine machine, int exitCode, string words, bool wasSent)
    {
        string host = machine.HostName;
        if (words.StartsWith("setsid:", StringComparison.Ordinal))
        {
            return NoProgram(machine, "ssh", SshEnds.Line(words), null);
        }

        if (Says("REMOTE HOST IDENTIFICATION HAS CHANGED") || Says("Host key verification failed"))
        {
            string keys = SshKnownHosts.Compare(words, SshKnownHosts.ReadFile);
            return new BackupException(
                BackupErrorId.VaultHostUntrusted,
                $"The host key of '{host}' is not the one that this machine has pinned, so nobody logged in.{(keys.Length > 0 ? keys : $" ssh says: {SshEnds.Line(words)}.")}",
                $"Ask whoever runs '{host}' whether its key was changed, and compare the fingerprints. Only then pin the new one: Install-OBAgent -HostName {host} -HostKeyFingerprint SHA256:…, or 'obengine agent install {host} --host-key SHA256:…'.",
                host);
        }

        return Says("Permission denied (")
            ? new BackupException(
                BackupErrorId.AgentAccessDenied,
                $"'{host}' does not let the account log in: {SshEnds.Line(words)}.",
                "See that the account's authorized_keys there has the public key, and that the private key here has no passphrase or is in an agent; -KeyFilePath or --key names it.",
                host)
            : new BackupException(
                BackupErrorId.AgentUnreachable,
                wasSent && Says("closed by remote host") ? $"The line to '{host}' was cut. ssh says: {SshEnds.Line(words)}." : $"'{host}' cannot be reached. ssh ended with {exitCode}, and says: {SshEnds.Line(words)}.",
                "Check the name, the network and the machine, then run the same again.",
                host,
                transient: true);

        bool Says(string what) => words.Contains(what, StringComparison.Ordinal);
    }

    /// <summary>Of a machine that says nothing for too long.</summary>
    public static BackupException Silent(RemoteMachine machine, TimeSpan patience) => new(
        BackupErrorId.AgentUnreachable,
        $"'{machine.HostName}' has said nothing for {patience.TotalMinutes:0} minutes.",
        "Look whether the machine is busy or its disk hangs, then run the same again.",
        machine.HostName,
        transient: true);

    /// <summary>Of an ssh that is not there.</summary>
    public static BackupException NoProgram(RemoteMachine machine, string program, string why, Exception? inner) => new(
        BackupErrorId.VaultProgramUnusable,
        $"The program '{program}', which reaches '{machine.HostName}', cannot be started: {why}.",
        $"Install the OpenSSH client, or name another program with the variable {SshPipe.ProgramVariable}.",
        program,
        innerException: inner);
}
