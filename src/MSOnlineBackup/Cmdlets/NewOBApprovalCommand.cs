using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Approves of one operation that destroys, as one of a vault's approvers.</summary>
[Cmdlet(VerbsCommon.New, "OBApproval", SupportsShouldProcess = true)]
[OutputType(typeof(OBApproval))]
public sealed class NewOBApprovalCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>Of what.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    public OBGuardedOperation Operation { get; set; }

    /// <summary>The approver's file, from New-OBApprover.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string ApproverFile { get; set; } = "";

    /// <summary>The passphrase that opens it.</summary>
    [Parameter(Mandatory = true)]
    public SecureString ApproverPassphrase { get; set; } = null!;

    /// <summary>For how long it is good: an hour unless given, at most a day.</summary>
    [Parameter]
    public TimeSpan? ValidFor { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, $"Approve of {Operation}"))
        {
            IssuedConsent given = Run((_, stop) => Agent.Ownership.ApproveAsync(
                location, new OwnerAccess(FullPath(ApproverFile), ApproverPassphrase.ToPlain()), Enum.Parse<GuardedOperation>(Operation.ToString()), ValidFor, stop));
            WriteObject(new OBApproval { Approval = given.Code, Operation = Operation, ValidUntil = given.ValidUntil.UtcDateTime, Vault = location });
        }
    }
}
