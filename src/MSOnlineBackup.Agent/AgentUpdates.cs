using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent;

/// <summary>What became of an update, or of going back.</summary>
/// <param name="Change">The versions and folders.</param>
/// <param name="Schedules">The policies whose schedules were registered anew, since they name the folder of a version.</param>
/// <param name="Unscheduled">Why one could not be; null where all could. The version that it names is still there.</param>
public sealed record AgentUpdate(ModuleChange Change, IReadOnlyList<PolicyKind> Schedules, BackupException? Unscheduled);

/// <summary>
/// Updates of this machine's agent. Registration, policies, keys and the index lie in the state folder and are not touched. No job of this machine runs meanwhile, and its schedules
/// name the version that is in use afterwards.
/// </summary>
public sealed class AgentUpdates
{
    private readonly JobMachine _machine;
    private readonly AgentJobs _jobs;
    private readonly AgentSchedules _schedules;

    internal AgentUpdates(JobMachine machine, AgentJobs jobs, AgentSchedules schedules)
    {
        _machine = machine;
        _jobs = jobs;
        _schedules = schedules;
    }

    /// <summary>Called between the steps of an update: a test ends it there.</summary>
    internal Action<string>? Step { get; init; }

    /// <summary>What an update would change. All of the package is compared with its hashes.</summary>
    /// <param name="folder">The module's folder, with its manifest.</param>
    /// <param name="package">The package.</param>
    /// <param name="allowDowngrade">Whether it may be older than what is installed.</param>
    /// <exception cref="BackupException">PackageInvalid, PackageOutdated; ArgumentInvalid: the folder is that of a checkout, or of no module.</exception>
    public static ModuleChange Foresee(string folder, ModulePackage package, bool allowDowngrade)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(package);
        return new ModuleUpdater(folder).Foresee(package, allowDowngrade);
    }

    /// <summary>What going back to the version before would change.</summary>
    /// <exception cref="BackupException">PreviousVersionMissing, ArgumentInvalid.</exception>
    public static ModuleChange ForeseeRollBack(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new ModuleUpdater(folder).ForeseeRollBack();
    }

    /// <summary>Brings the module to the version of a package. A session that has it imported keeps the version that it has until it ends.</summary>
    /// <param name="folder">The module's folder, with its manifest.</param>
    /// <param name="package">The package.</param>
    /// <param name="allowDowngrade">Whether it may be older than what is installed.</param>
    /// <param name="cancellationToken">Stops it while the new version is put together; then nothing was changed.</param>
    /// <exception cref="BackupException">JobInProgress, PackageInvalid, PackageOutdated, ModuleNotUpdated, ArgumentInvalid, StateAccessDenied: the version that was in use is whole, and
    /// still used.</exception>
    public Task<AgentUpdate> UpdateAsync(string folder, ModulePackage package, bool allowDowngrade, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(package);
        return ChangeAsync(folder, updater => updater.InstallAsync(package, allowDowngrade, cancellationToken), cancellationToken);
    }

    /// <summary>Goes back to the version before; the one that was in use is kept, so that going back once more returns to it.</summary>
    /// <exception cref="BackupException">JobInProgress, PreviousVersionMissing, ModuleNotUpdated, ArgumentInvalid, StateAccessDenied.</exception>
    public Task<AgentUpdate> RollBackAsync(string folder, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return ChangeAsync(folder, updater => updater.RollBackAsync(cancellationToken), cancellationToken);
    }

    private async Task<AgentUpdate> ChangeAsync(string folder, Func<ModuleUpdater, Task<ModuleChange>> change, CancellationToken cancellationToken)
    {
        // A machine that has no state has no jobs, and gets none by an update.
        using IDisposable? _ = Directory.Exists(_machine.State.Path) ? await _jobs.LockAsync(cancellationToken).ConfigureAwait(false) : null;
        var updater = new ModuleUpdater(folder, Step);
        ModuleChange changed = await change(updater).ConfigureAwait(false);
        Step?.Invoke("schedules");
        (IReadOnlyList<PolicyKind> schedules, BackupException? unscheduled) = await AlignAsync(changed.Folder).ConfigureAwait(false);
        if (unscheduled is not null && changed.SetAside.Count > 0)
        {
            // What a schedule names must not go: it would run no more.
            throw unscheduled;
        }

        await updater.SetAside(changed).ConfigureAwait(false);
        return new AgentUpdate(changed, schedules, unscheduled);
    }

    private async Task<(IReadOnlyList<PolicyKind> Schedules, BackupException? Unscheduled)> AlignAsync(string folder)
    {
        var aligned = new List<PolicyKind>();
        if (!_schedules.NamesVersionBeside(folder))
        {
            return (aligned, null);
        }

        _schedules.VersionFolder = folder;
        foreach (PolicyKind kind in AgentSchedules.Kinds)
        {
            try
            {
                // What was switched off or taken out stays so. Nobody stops it from here on: the version is there.
                if ((await _schedules.FindAsync(kind, CancellationToken.None).ConfigureAwait(false)).Registration == ScheduleRegistration.Changed)
                {
                    await _schedules.AlignAsync(kind, CancellationToken.None).ConfigureAwait(false);
                    aligned.Add(kind);
                }
            }
            catch (BackupException e) when (e.Id is BackupErrorId.SchedulerUnavailable or BackupErrorId.ScheduleNotRegistered)
            {
                return (aligned, e);
            }
        }

        return (aligned, null);
    }
}
