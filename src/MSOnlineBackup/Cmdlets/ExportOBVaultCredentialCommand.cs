using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Security;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Writes a credential file by which machines register with a vault. Only the newest of a vault holds, and only its owner can.</summary>
[Cmdlet(VerbsData.Export, "OBVaultCredential", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportOBVaultCredentialCommand : OwnerCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>The folder that the file is written to.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>For how long machines may register with it: 48 hours unless given, at most ten days.</summary>
    [Parameter]
    public TimeSpan? ValidFor { get; set; }

    /// <summary>
    /// A shared access signature of the container, for machines that have no identity in Azure: it goes into the file, and opens the vault to them.
    /// </summary>
    [Parameter]
    public SecureString? SasToken { get; set; }

    /// <summary>The vault is a copy, a twin in another place, and the file serves to recover from there: no machine registers with it.</summary>
    [Parameter]
    public SwitchParameter SecondaryRegion { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        string folder = FullPath(Path);
        if (SasToken.ToPlain() is { } signature && new VaultAddress(location).IsContainer && CheckSignature(signature, location) is { } doubt)
        {
            WriteWarning(doubt);
        }

        if (ShouldProcess(location, $"Write a new credential file to '{folder}' and invalidate earlier ones"))
        {
            OwnerAccess? owner = Owner;
            IssuedCredential issued = Run((_, stop) => Agent.Ownership.IssueCredentialAsync(location, folder, ValidFor, SasToken.ToPlain(), owner, stop, SecondaryRegion));
            if (issued.Warning is { } warning)
            {
                WriteWarning(warning);
            }

            WriteObject(new FileInfo(issued.File));
        }
    }

    // What a folder needs loads nothing of Azure.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string? CheckSignature(string signature, string location) => MachineSignature.Check(signature, location, TimeProvider.System);
}
