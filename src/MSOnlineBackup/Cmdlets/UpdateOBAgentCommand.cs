using System.Management.Automation;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Brings the module on this machine to the version of a package, or back to the version before.</summary>
[Cmdlet(VerbsData.Update, "OBAgent", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = "Package")]
[OutputType(typeof(OBAgentUpdate))]
public sealed class UpdateOBAgentCommand : OBEngineCmdlet
{
    /// <summary>The package: a .nupkg or .zip file. A .sha256 file beside it is compared first.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Package")]
    [ValidateNotNullOrEmpty]
    public string PackagePath { get; set; } = "";

    /// <summary>Takes a package that is older than what is installed, too.</summary>
    [Parameter(ParameterSetName = "Package")]
    public SwitchParameter AllowDowngrade { get; set; }

    /// <summary>Goes back to the version that was in use before the last update.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Rollback")]
    public SwitchParameter Rollback { get; set; }

    /// <summary>The folder of a module; without it that of the module that is imported.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string folder = Path is null ? ModuleEnvironment.Folder : FullPath(Path);
        if (ParameterSetName == "Rollback")
        {
            ModuleChange foreseen = AgentUpdates.ForeseeRollBack(folder);
            if (ShouldProcess(foreseen.Folder, $"Go back from version {foreseen.OldVersion} to {foreseen.NewVersion}"))
            {
                Write(Run((_, stop) => Agent.Updates.RollBackAsync(folder, stop)));
            }

            return;
        }

        string source = FullPath(PackagePath);
        using ModulePackage package = Run((_, stop) => ModulePackage.OpenAsync(source, stop));
        ModuleChange change = AgentUpdates.Foresee(folder, package, AllowDowngrade);
        if (!change.IsChange)
        {
            WriteVerbose($"Version {change.NewVersion} is installed already. Test-OBModule says whether its files are sound.");
            WriteObject(new AgentUpdate(change, [], null).ToOutput(needsNewSession: false));
        }
        else if (ShouldProcess(change.Folder, $"Update from version {change.OldVersion} to {change.NewVersion} by '{source}'"))
        {
            Write(Run((_, stop) => Agent.Updates.UpdateAsync(folder, package, AllowDowngrade, stop)));
        }
    }

    private void Write(AgentUpdate update)
    {
        if (update.Unscheduled is { } unscheduled)
        {
            WriteError(unscheduled);
        }

        // An assembly cannot be unloaded: this session keeps what it has.
        bool isOwn = InstalledModule.AreOfOnePlace(update.Change.Folder, ModuleEnvironment.Folder);
        bool needsNewSession = isOwn && Product.Number != System.Version.Parse(update.Change.NewVersion);
        if (needsNewSession)
        {
            WriteWarning($"This session keeps version {Product.Number} until it ends; a new session has {update.Change.NewVersion}.");
        }
        else if (!isOwn)
        {
            WriteVerbose("Schedules that name the folder of a version of that module are registered anew by its own Repair-OBSchedule.");
        }

        WriteObject(update.ToOutput(needsNewSession));
    }
}
