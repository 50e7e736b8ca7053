using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Writes the owner's key of a vault, which this machine keeps, to a file.</summary>
[Cmdlet(VerbsData.Export, "OBVaultOwner", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportOBVaultOwnerCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>The file to be written; it must not be there.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string OwnerFile { get; set; } = "";

    /// <summary>The passphrase that is to open it: at least 16 printable ASCII characters.</summary>
    [Parameter(Mandatory = true, Position = 2)]
    public SecureString OwnerPassphrase { get; set; } = null!;

    /// <summary>Lets this machine forget the key, once the file has been written and read back.</summary>
    [Parameter]
    public SwitchParameter Remove { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        string file = FullPath(OwnerFile);
        if (ShouldProcess(location, Remove ? $"Write the owner's key to '{file}' and remove it from this machine" : $"Write the owner's key to '{file}'"))
        {
            Run((_, stop) => Agent.Ownership.ExportKeyAsync(location, new OwnerAccess(file, OwnerPassphrase.ToPlain()), Remove, stop));
            WriteObject(new FileInfo(file));
        }
    }
}
