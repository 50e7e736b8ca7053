using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Tests.Schedules;

/// <summary>A scheduler in memory.</summary>
internal sealed class FakeScheduler : ISystemScheduler
{
    public Dictionary<string, ScheduledTask> Tasks { get; } = [];

    public bool IsEnabled { get; set; } = true;

    public string Account { get; set; } = "root";

    public string? Fault { get; set; }

    public BackupException? Refuses { get; set; }

    public string Name => "fake";

    public string PlaceOf(string task) => $"/fake/{task}";

    public Task InstallAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        if (Refuses is not null)
        {
            throw Refuses;
        }

        Tasks[task.Name] = task;
        IsEnabled = true;
        Account = "root";
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        Tasks.Remove(name);
        return Task.CompletedTask;
    }

    public Task<InstalledTask?> FindAsync(ScheduledTask task, CancellationToken cancellationToken) => Refuses is not null
        ? throw Refuses
        : Task.FromResult(Tasks.TryGetValue(task.Name, out ScheduledTask? found)
            ? new InstalledTask(found.Command.SequenceEqual(task.Command) && found.Minutes.SequenceEqual(task.Minutes), IsEnabled, Account)
            : null);

    public Task<string?> ReadAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult(Tasks.TryGetValue(name, out ScheduledTask? found) ? string.Join(' ', found.Command) : null);

    public Task<string?> FindFaultAsync(CancellationToken cancellationToken) => Task.FromResult(Fault);
}

/// <summary>A machine whose battery and network are as they are told.</summary>
internal sealed class FakeConditions : IMachineConditions
{
    public bool IsOnBattery { get; set; }

    public bool IsMetered { get; set; }

    public Task<bool> IsOnBatteryAsync(CancellationToken cancellationToken) => Task.FromResult(IsOnBattery);

    public Task<bool> IsMeteredAsync(CancellationToken cancellationToken) => Task.FromResult(IsMetered);
}
