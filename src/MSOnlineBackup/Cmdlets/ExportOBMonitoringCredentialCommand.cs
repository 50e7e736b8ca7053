using System.Management.Automation;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Writes a file by which an observer reads the statuses of this machine's chunk store, without its passphrase.</summary>
[Cmdlet(VerbsData.Export, "OBMonitoringCredential", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportOBMonitoringCredentialCommand : OBEngineCmdlet
{
    /// <summary>The file to be written; it must not be there.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string file = FullPath(Path);
        if (ShouldProcess(file, "Write a monitoring credential"))
        {
            Run(async (_, stop) =>
            {
                using UnlockedVault vault = await Agent.OpenEngineAsync(stop).ConfigureAwait(false);
                vault.CreateMonitoringCredential().Write(file);
            });
            WriteObject(new FileInfo(file));
        }
    }
}
