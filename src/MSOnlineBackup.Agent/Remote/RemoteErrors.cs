using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>What is said of machines on which an agent is put.</summary>
internal static class RemoteErrors
{
    /// <summary>Of a machine on which no agent can be.</summary>
    public static BackupException Unsuitable(string host, string why, string action) => new(BackupErrorId.AgentMachineUnsuitable, $"No agent can be put on '{host}': {why}.", action, host);

    /// <summary>Of a disk that is too full.</summary>
    public static BackupException NoSpace(string host, string place, long wanted, long? free) => new(
        BackupErrorId.AgentNoSpace,
        $"There is no room for the agent on '{host}': it takes {Bytes(wanted)} in '{place}'{(free is { } bytes ? $", and {Bytes(bytes)} are free" : "")}. What was there before is still used.",
        "Make room there, then run the same again.",
        host);

    /// <summary>Of a version that was not put into use.</summary>
    public static BackupException NotUpdated(string host, string why, string action = "Look into what is said there, then run the same again.") => new(
        BackupErrorId.AgentNotUpdated, $"The agent on '{host}' was not changed: {why}. What was there before is still used.", action, host);

    /// <summary>Of a machine that nothing is known of.</summary>
    public static BackupException NotInstalled(string host) => new(
        BackupErrorId.AgentNotInstalled,
        $"This machine has put no agent on '{host}'.",
        "Get-OBAgent and 'obengine agent list' show those that it has. Put one there with Install-OBAgent or 'obengine agent install'.",
        host);

    /// <summary>Of a machine on which somebody is at work from here.</summary>
    public static BackupException Busy(string host) => new(
        BackupErrorId.AgentNotUpdated, $"Another process of this machine is just working on the agent of '{host}'.", "Wait until it has ended, then run the same again.", host, transient: true);

    /// <summary>Of going back where there is nothing to go back to.</summary>
    public static BackupException NoPrevious(string host) => new(
        BackupErrorId.PreviousVersionMissing,
        $"No version before the one that is used is kept on '{host}'. Nothing was changed.",
        "Put the version there that is wanted: Update-OBAgent -HostName with -PackagePath and -AllowDowngrade, or 'obengine agent update' with --package and --allow-downgrade.",
        host);

    /// <summary>Of a package that is older than what is there.</summary>
    public static BackupException Outdated(string host, string version, string installed) => new(
        BackupErrorId.PackageOutdated,
        $"'{host}' has version {installed}, and what would be put there is {version}: that would be a step back. Nothing was changed.",
        "Update this machine first. To go back to the version before, use -Rollback or 'obengine agent rollback'; to any other, add -AllowDowngrade or --allow-downgrade.",
        host);

    /// <summary>Of a package that does not serve.</summary>
    public static BackupException Package(string path, string why, Exception? inner = null) => new(
        BackupErrorId.PackageInvalid,
        $"'{path}' cannot be used: {why}. Nothing was changed.",
        "Make one for the machine's platform by 'dotnet publish src/MSOnlineBackup.Host -c Release -r PLATFORM', and name its folder; docs/agents.md tells how.",
        path,
        innerException: inner);

    /// <summary>Of a host whose key nobody has said is right.</summary>
    public static BackupException Unknown(string host, HostKey shown) => new(
        BackupErrorId.VaultHostUntrusted,
        $"The host key of '{host}' is not known yet, so nobody logged in. It shows {shown}.",
        $"Compare the fingerprint with that of the machine itself (there: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub), then run the same with -HostKeyFingerprint {shown.Fingerprint} or --host-key {shown.Fingerprint}. -Force or --accept-new takes it as it is.",
        host);

    /// <summary>Of a host that shows another key than the one that somebody has named.</summary>
    public static BackupException Different(string host, HostKey shown, IEnumerable<string> wanted) => new(
        BackupErrorId.VaultHostUntrusted,
        $"The host key of '{host}' is not the one that was named, so nobody logged in. It shows {shown}; named was {string.Join(" or ", wanted)}.",
        "Find out whose key that is: this may be another machine, or somebody in between.",
        host);

    /// <summary>A number of bytes, exact.</summary>
    private static string Bytes(long number) => $"{number.ToString("N0", CultureInfo.InvariantCulture)} bytes";
}
