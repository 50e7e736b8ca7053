using System.Management.Automation;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Gives out a security PIN of a vault, which only its owner can.</summary>
[Cmdlet(VerbsCommon.New, "OBSecurityPin", SupportsShouldProcess = true)]
[OutputType(typeof(OBSecurityPin))]
public sealed class NewOBSecurityPinCommand : OwnerCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, "Give out a security PIN"))
        {
            OwnerAccess? owner = Owner;
            IssuedConsent pin = Run((_, stop) => Agent.Ownership.IssuePinAsync(location, owner, stop));
            WriteObject(new OBSecurityPin { SecurityPin = pin.Code, ValidUntil = pin.ValidUntil.UtcDateTime, Vault = location });
        }
    }
}
