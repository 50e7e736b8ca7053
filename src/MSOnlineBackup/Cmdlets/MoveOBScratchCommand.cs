using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Moves the scratch folder of this machine.</summary>
[Cmdlet(VerbsCommon.Move, "OBScratch", SupportsShouldProcess = true)]
[OutputType(typeof(DirectoryInfo))]
public sealed class MoveOBScratchCommand : OBEngineCmdlet
{
    /// <summary>An existing folder on a local disk.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string folder = System.IO.Path.TrimEndingDirectorySeparator(FullPath(Path));
        if (ShouldProcess(Agent.Machine.Scratch.Path, $"Move the scratch folder to '{folder}'"))
        {
            Run((_, stop) => Agent.Machine.Scratch.MoveAsync(folder, stop));
            WriteObject(new DirectoryInfo(Agent.Machine.Scratch.Path));
        }
    }
}
