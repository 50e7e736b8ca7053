using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes somebody an approver of a vault: a key of their own, in a file.</summary>
[Cmdlet(VerbsCommon.New, "OBApprover", SupportsShouldProcess = true)]
[OutputType(typeof(OBApprover))]
public sealed class NewOBApproverCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>The file to be written; it must not be there.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string ApproverFile { get; set; } = "";

    /// <summary>The passphrase that is to open it: at least 16 printable ASCII characters.</summary>
    [Parameter(Mandatory = true, Position = 2)]
    public SecureString ApproverPassphrase { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        string file = FullPath(ApproverFile);
        if (ShouldProcess(location, $"Write a new approver's key to '{file}'"))
        {
            OwnerIdentity made = Run((_, stop) => Agent.Ownership.CreateApproverAsync(location, new OwnerAccess(file, ApproverPassphrase.ToPlain()), stop));
            WriteObject(new OBApprover { PublicKey = made.PublicKey, Fingerprint = made.Fingerprint, File = file });
        }
    }
}
