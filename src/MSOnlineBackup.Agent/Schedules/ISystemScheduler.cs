using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>
/// What the system's scheduler is to run, once an hour at some minutes: the program that decides whether a backup is due. So zones, weeks, changes of the clocks and what was
/// missed are decided in one place, alike under every scheduler.
/// </summary>
/// <param name="Name">Letters, digits and hyphens; no other task of this machine has it.</param>
/// <param name="Description">One line for people.</param>
/// <param name="Command">A program by its absolute path, and its arguments.</param>
/// <param name="Minutes">Minutes of the hour, 0 to 59, in order; at least one.</param>
internal sealed record ScheduledTask(string Name, string Description, IReadOnlyList<string> Command, IReadOnlyList<int> Minutes);

/// <summary>A task as the scheduler has it.</summary>
/// <param name="IsCurrent">Whether it is what would be installed now.</param>
/// <param name="IsEnabled">Whether the scheduler runs it.</param>
/// <param name="Account">With whose rights.</param>
internal sealed record InstalledTask(bool IsCurrent, bool IsEnabled, string Account);

/// <summary>A scheduler of the operating system. Whatever is not a task of ours stays as it is.</summary>
internal interface ISystemScheduler
{
    /// <summary>What people call it.</summary>
    string Name { get; }

    /// <summary>Where it keeps a task: a file, or a place that people know.</summary>
    string PlaceOf(string task);

    /// <summary>Brings in a task, in the place of an earlier one of its name, and switches it on.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable: there is no such scheduler here; ScheduleNotRegistered: it refused.</exception>
    Task InstallAsync(ScheduledTask task, CancellationToken cancellationToken);

    /// <summary>Takes a task away, with all that belongs to it; nothing happens where there is none.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered: it refused.</exception>
    Task RemoveAsync(string name, CancellationToken cancellationToken);

    /// <summary>A task as it is installed; null where there is none.</summary>
    /// <param name="task">What would be installed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ScheduleNotRegistered: the scheduler does not tell.</exception>
    Task<InstalledTask?> FindAsync(ScheduledTask task, CancellationToken cancellationToken);

    /// <summary>What is installed under a name, as the scheduler has it; null where there is nothing.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered: the scheduler does not tell.</exception>
    Task<string?> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Why nothing that is installed would run; null where it would.</summary>
    Task<string?> FindFaultAsync(CancellationToken cancellationToken);
}
