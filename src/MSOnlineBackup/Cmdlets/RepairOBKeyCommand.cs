using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes this machine's key file anew where it was lost or damaged.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "OBKey", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class RepairOBKeyCommand : OBEngineCmdlet
{
    /// <summary>The machine's passphrase.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public SecureString EncryptionPassphrase { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ShouldProcess(Agent.Machine.ScratchFolder, "Make the key file anew"))
        {
            Run((_, stop) => Agent.Machine.RepairKeyAsync(EncryptionPassphrase.ToPlain(), stop));
        }
    }
}
