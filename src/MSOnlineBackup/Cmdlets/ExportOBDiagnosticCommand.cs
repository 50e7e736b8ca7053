using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Writes what somebody has to know who is to help into a zip file. No secret is in it.</summary>
[Cmdlet(VerbsData.Export, "OBDiagnostic", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(FileInfo))]
public sealed class ExportOBDiagnosticCommand : OBEngineCmdlet
{
    /// <summary>The new file, or an existing folder, where the file is named by the time; without it the current folder.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = ".";

    /// <inheritdoc/>
    protected override void Process()
    {
        string path = Agent.Health.PlaceReport(FullPath(Path));
        if (ShouldProcess(path, "Write a report without secrets"))
        {
            Run((_, stop) => Agent.Health.ExportAsync(path, stop));
            WriteObject(new FileInfo(path));
        }
    }
}
