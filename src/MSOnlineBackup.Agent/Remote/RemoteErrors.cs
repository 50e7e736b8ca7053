using System.Globalization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Versioning;

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

    /// <summary>Of an agent and a server that do not understand each other.</summary>
    public static BackupException NotUnderstood(string why, Exception? inner) => new(
        BackupErrorId.AgentVersionDiffers,
        $"What the other side has sent is not understood: {why}.",
        "Bring both machines to the same version of MSOnlineBackup: Update-OBAgent -HostName, or 'obengine agent update'.",
        innerException: inner);

    /// <summary>Of an agent that does not understand this version's orders.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="said">What is known of it: "has version 0.1", for example.</param>
    public static BackupException VersionDiffers(string host, string said) => new(
        BackupErrorId.AgentVersionDiffers,
        $"The agent on '{host}' cannot be given orders by this version of MSOnlineBackup ({Product.Version}): it {said}. Nothing was begun there, and it was given no key.",
        $"Bring it to this version: Update-OBAgent -HostName {host}, or 'obengine agent update {host}'. If it is the newer one, update this machine.",
        host);

    /// <summary>Of an agent that is not where it was put.</summary>
    public static BackupException AgentGone(string host, string words) => new(
        BackupErrorId.AgentNotInstalled,
        $"On '{host}' there is no agent any more where it was put (~/{AgentScripts.Place}): {words}.",
        $"Put it there again: Install-OBAgent -HostName {host}, or 'obengine agent install {host}'.",
        host);

    /// <summary>Of a machine of which a backup runs already from here.</summary>
    public static BackupException JobBusy(string host) => new(
        BackupErrorId.JobInProgress, $"A backup of '{host}' that this machine has started is in progress.", "Wait until it has ended, then run the same again.", host);

    /// <summary>Of an agent that ended before it had told how its job went.</summary>
    public static BackupException JobLost(string host, string how) => new(
        BackupErrorId.RemoteJobLost,
        $"The agent on '{host}' ended before it had told how the backup went: {how}. There is no new recovery point.",
        "Look there for what has ended it (memory, a restart, somebody), and run the backup again: what had arrived is used.",
        host);

    /// <summary>Of an agent that somebody over there has stopped.</summary>
    public static BackupException JobStopped(string host) => new(
        BackupErrorId.RemoteJobLost, $"The backup was stopped on '{host}' itself. There is no new recovery point.", "Run it again: what had arrived is used.", host);

    /// <summary>Of an agent that has told nothing for too long.</summary>
    public static BackupException JobSilent(string host, TimeSpan patience) => new(
        BackupErrorId.AgentUnreachable,
        $"The agent on '{host}' has told nothing for {patience.TotalSeconds:0} seconds, and was ended.",
        "Look whether the machine hangs, and whether anything waits for somebody in the login there. Run the backup again: what had arrived is used.",
        host,
        transient: true);

    /// <summary>Of an agent whose word is not borne out by the vault.</summary>
    public static BackupException PointMissing(string host, string point, string why, Exception? inner = null) => new(
        BackupErrorId.RemotePointMissing,
        $"The agent on '{host}' says that it has made the recovery point {point}, but {why}.",
        "Do not rely on that backup. Verify the vault (obengine verify), look into the machine, and run the backup again.",
        host,
        innerException: inner);

    /// <summary>A number of bytes, exact.</summary>
    private static string Bytes(long number) => $"{number.ToString("N0", CultureInfo.InvariantCulture)} bytes";
}
