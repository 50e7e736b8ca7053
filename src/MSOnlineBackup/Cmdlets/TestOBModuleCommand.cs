using System.Management.Automation;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Compares the files of the module with the hashes that were shipped with it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBModule")]
[OutputType(typeof(OBModuleFile))]
public sealed class TestOBModuleCommand : OBEngineCmdlet
{
    /// <summary>The folder of a module; without it that of the module that is imported.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Returns every file, those that are sound, too.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string folder = Path is null ? ModuleEnvironment.Folder : FullPath(Path);
        ModuleCheck check = Run((_, stop) => InstalledModule.CheckAsync(folder, stop)) ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"'{folder}' has no list of hashes, '{InstalledModule.ListName}': it is a checkout or no module.",
            "Name the folder of an installed module with -Path. A checkout is compared by git; a lost list comes back with Repair-OBModule.",
            folder);
        WriteVerbose($"{check.Files.Count:N0} files in '{folder}' were compared; {check.Faults.Count():N0} are not as they were shipped.");
        foreach (ModuleFile file in All ? check.Files : check.Faults)
        {
            WriteObject(file.ToOutput(folder));
        }
    }
}
