using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Creates a vault in a folder, or in a container in Azure Blob Storage.</summary>
[Cmdlet(VerbsCommon.New, "OBVault", SupportsShouldProcess = true, DefaultParameterSetName = InFolder)]
[OutputType(typeof(OBVault))]
public sealed class NewOBVaultCommand : OBEngineCmdlet
{
    private const string InFolder = "Path";
    private const string InContainer = "Url";

    /// <summary>The folder: new, or empty.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = InFolder)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The container, as https://ACCOUNT.blob.core.windows.net/CONTAINER: new, or empty.</summary>
    [Parameter(Mandatory = true, ParameterSetName = InContainer)]
    [ValidateNotNullOrEmpty]
    public string Url { get; set; } = "";

    /// <summary>What the vault is called; the folder's or container's name unless given.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string place = ParameterSetName == InContainer ? Url.TrimEnd('/') : System.IO.Path.TrimEndingDirectorySeparator(FullPath(Path));
        if (ShouldProcess(place, "Create vault"))
        {
            WriteVault(Run((_, stop) => Agent.CreateVaultAsync(place, Name ?? System.IO.Path.GetFileName(place), stop)));
        }
    }
}
