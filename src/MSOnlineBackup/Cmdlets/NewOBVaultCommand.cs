using System.Management.Automation;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Creates a vault in a folder, or in a container in Azure Blob Storage.</summary>
[Cmdlet(VerbsCommon.New, "OBVault", SupportsShouldProcess = true, DefaultParameterSetName = InFolder)]
[OutputType(typeof(OBVault))]
public sealed class NewOBVaultCommand : OBEngineCmdlet
{
    private const string InFolder = "Path";
    private const string InContainer = "Url";

    /// <summary>The folder: new, or empty. A URL is taken as <see cref="Url"/> is.</summary>
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
        VaultAddress vault = ParameterSetName == InContainer ? Url : VaultPlace(Path);
        if (ParameterSetName == InContainer && !vault.IsRemote)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"'{Url}' is no URL.", "Give the vault's container as https://ACCOUNT.blob.core.windows.net/CONTAINER, or a folder with -Path.", Url);
        }

        string place = vault.IsRemote ? vault.Location.TrimEnd('/') : System.IO.Path.TrimEndingDirectorySeparator(vault.Location);
        if (ShouldProcess(place, "Create vault"))
        {
            WriteVault(Run((_, stop) => Agent.CreateVaultAsync(place, Name ?? System.IO.Path.GetFileName(place), stop)));
        }
    }
}
