using System.Management.Automation;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the recovery points that are mounted on this machine. What a killed process has left is taken off, and is not listed.</summary>
[Cmdlet(VerbsCommon.Get, "OBRecoveryMount")]
[OutputType(typeof(OBRecoveryMount))]
public sealed class GetOBRecoveryMountCommand : OBCmdlet
{
    /// <summary>A folder, or a pattern for folders.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string Path { get; set; } = "*";

    /// <inheritdoc/>
    protected override void Process()
    {
        string wanted = WildcardPattern.ContainsWildcardCharacters(Path) ? Path : WildcardPattern.Escape(MountPlace.Resolve(SessionState, Path));
        var pattern = new WildcardPattern(wanted, OperatingSystem.IsWindows() ? WildcardOptions.IgnoreCase : WildcardOptions.None);
        foreach (RecoveryMount mount in Agent.Mounts.List().Where(mount => pattern.IsMatch(mount.Folder)))
        {
            WriteObject(mount.ToOutput());
        }
    }
}
