using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Creates a vault in a folder.</summary>
[Cmdlet(VerbsCommon.New, "OBVault", SupportsShouldProcess = true)]
[OutputType(typeof(OBVault))]
public sealed class NewOBVaultCommand : OBEngineCmdlet
{
    /// <summary>The folder: new, or empty.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>What the vault is called; the folder's name unless given.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string folder = System.IO.Path.TrimEndingDirectorySeparator(FullPath(Path));
        if (ShouldProcess(folder, "Create vault"))
        {
            WriteObject(Run((_, stop) => Agent.CreateVaultAsync(folder, Name ?? System.IO.Path.GetFileName(folder), stop)).ToOutput());
        }
    }
}
