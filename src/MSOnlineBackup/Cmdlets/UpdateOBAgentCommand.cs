using System.Management.Automation;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Brings the module on this machine, or the agents on others, to another version, or back to the version before.</summary>
[Cmdlet(VerbsData.Update, "OBAgent", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = PackageSet)]
[OutputType(typeof(OBAgentUpdate), ParameterSetName = [PackageSet, RollbackSet])]
[OutputType(typeof(OBAgent), ParameterSetName = [HostSet, HostRollbackSet])]
public sealed class UpdateOBAgentCommand : RemoteAgentCmdlet
{
    private const string PackageSet = "Package";
    private const string RollbackSet = "Rollback";
    private const string HostSet = "Host";
    private const string HostRollbackSet = "HostRollback";

    private readonly List<RemoteMachine> _machines = [];

    /// <summary>Of this machine the package: a .nupkg or .zip file. A .sha256 file beside it is compared first. Of others the folder of a package from 'dotnet publish'.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PackageSet)]
    [Parameter(ParameterSetName = HostSet)]
    [ValidateNotNullOrEmpty]
    public string? PackagePath { get; set; }

    /// <summary>Takes a package that is older than what is installed, too.</summary>
    [Parameter(ParameterSetName = PackageSet)]
    [Parameter(ParameterSetName = HostSet)]
    public SwitchParameter AllowDowngrade { get; set; }

    /// <summary>Goes back to the version that was in use before the last update.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RollbackSet)]
    [Parameter(Mandatory = true, ParameterSetName = HostRollbackSet)]
    public SwitchParameter Rollback { get; set; }

    /// <summary>The folder of a module; without it that of the module that is imported.</summary>
    [Parameter(ParameterSetName = PackageSet)]
    [Parameter(ParameterSetName = RollbackSet)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Machines on which this one has put agents.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = HostSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = HostRollbackSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AgentCompleter))]
    public string[] HostName { get; set; } = [];

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ParameterSetName is HostSet or HostRollbackSet)
        {
            Collect(HostName, Rollback ? "Go back to the version before" : "Update the agent there", _machines);
            return;
        }

        string folder = Path is null ? ModuleEnvironment.Folder : FullPath(Path);
        if (ParameterSetName == RollbackSet)
        {
            ModuleChange foreseen = AgentUpdates.ForeseeRollBack(folder);
            if (ShouldProcess(foreseen.Folder, $"Go back from version {foreseen.OldVersion} to {foreseen.NewVersion}"))
            {
                Write(Run((_, stop) => Agent.Updates.RollBackAsync(folder, stop)));
            }

            return;
        }

        string source = FullPath(PackagePath!);
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

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_machines.Count == 0)
        {
            return;
        }

        string? package = PackagePath is null ? null : FullPath(PackagePath);
        Write(Run((_, stop) => Rollback
            ? Agent.Remotes.RollBackAsync(_machines, stop)
            : Agent.Remotes.InstallAsync(_machines, new RemoteInstallOptions { PackagePath = package, AllowDowngrade = AllowDowngrade }, stop)));
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
