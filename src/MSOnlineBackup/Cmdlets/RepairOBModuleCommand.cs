using System.Management.Automation;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Puts damaged and missing files of the module right, from a package of the same version.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "OBModule", SupportsShouldProcess = true)]
[OutputType(typeof(OBModuleFile))]
public sealed class RepairOBModuleCommand : OBEngineCmdlet
{
    /// <summary>The package: a .nupkg or .zip file. A .sha256 file beside it is compared first.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Package { get; set; } = "";

    /// <summary>The folder of a module; without it that of the module that is imported.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string folder = Path is null ? ModuleEnvironment.Folder : FullPath(Path);
        string source = FullPath(Package);
        using ModulePackage package = Run((_, stop) => ModulePackage.OpenAsync(source, stop));
        if (ShouldProcess(folder, $"Put damaged and missing files right from '{source}'"))
        {
            foreach (string file in Run((_, stop) => InstalledModule.RepairAsync(folder, package, stop)))
            {
                WriteObject(new ModuleFile(file, ModuleFileState.Sound).ToOutput(folder));
            }
        }
    }
}
