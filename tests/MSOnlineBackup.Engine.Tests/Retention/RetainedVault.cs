using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>A machine with a vault in memory, whose backups and maintenance happen when a test says so. The vault's clock is the machine's.</summary>
internal sealed class RetainedVault : IDisposable
{
    private readonly BackupFixture _backups;
    private readonly UnlockedVault _vault;

    private RetainedVault(BackupFixture backups, UnlockedVault vault, BackupPolicy policy)
    {
        _backups = backups;
        _vault = vault;
        Policies = [policy];
    }

    /// <summary>The policies in force. Backups are made by the first.</summary>
    public BackupPolicy[] Policies { get; set; }

    /// <summary>When their retention was shortened, as the machine knows it.</summary>
    public DateTimeOffset? Shortened { get; set; }

    public UnlockedVault Vault => _vault;

    public BackupFixture Backups => _backups;

    public static async Task<RetainedVault> MakeAsync(BackupPolicy policy, DateTimeOffset start)
    {
        var backups = new BackupFixture();
        backups.Clock.JumpTo(start);
        backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", [1, 2, 3]);
        return new RetainedVault(backups, await backups.OpenAsync(), policy);
    }

    public void Dispose()
    {
        _vault.Dispose();
        _backups.Dispose();
    }

    /// <summary>Backs up at a time by the policy, as a job does.</summary>
    public async Task<RecoveryPoint> BackUpAsync(DateTimeOffset time, bool isPartial = false, DateTimeOffset? retainUntil = null)
    {
        _backups.Clock.JumpTo(time);
        var run = new RetentionRun(time, TimeZoneInfo.Utc, isPartial, retainUntil);
        IReadOnlyList<string> tags = await RetentionHistory.FindTagsAsync(Policies[0], run, (await _vault.OpenHistoryAsync(BackupFixture.Machine, Cancel)).NewestFirst, Cancel);
        return (await _vault.BackUpAsync(_backups.Job("/data") with { Tags = tags }, new JobMonitor(), Cancel)).Point;
    }

    /// <summary>Makes a point of a workload at a time, as a job does.</summary>
    public async Task<RecoveryPoint> BackUpAsync(DateTimeOffset time, WorkloadPoint workload)
    {
        _backups.Clock.JumpTo(time);
        var run = new RetentionRun(time, TimeZoneInfo.Utc);
        IReadOnlyList<string> tags = await RetentionHistory.FindTagsAsync(Policies[0], run, (await _vault.OpenHistoryAsync(BackupFixture.Machine, Cancel)).NewestFirst, Cancel, workload.Key);
        return (await _vault.BackUpAsync(_backups.Job("/data") with { Tags = [.. tags, workload.ToString()] }, new JobMonitor(), Cancel)).Point;
    }

    /// <summary>Backs up at all of the schedule's times of the days from one to another, the last not included.</summary>
    public async Task RunDaysAsync(string from, string to, Func<DateTimeOffset, Task>? afterDay = null)
    {
        for (DateTimeOffset day = Simulation.At(from); day < Simulation.At(to); day = day.AddDays(1))
        {
            foreach (TimeSpan time in Policies[0].Schedule!.Times)
            {
                await BackUpAsync(day + time);
            }

            if (afterDay is not null)
            {
                await afterDay(day.AddDays(1));
            }
        }
    }

    /// <summary>What the policies in force say, or, where there are none, the tags.</summary>
    public Task<RetentionPlan> PlanAsync(DateTimeOffset now) => At(now).PlanAsync(BackupFixture.Machine, Cancel);

    /// <summary>Deletes what no rule keeps any more.</summary>
    public async Task<int> LetGoAsync(DateTimeOffset now) => await At(now).ApplyAsync(await PlanAsync(now), Cancel);

    /// <summary>Ends deleted points whose time is over, and frees what is not needed.</summary>
    public async Task FreeAsync()
    {
        MaintenanceReport report = await _vault.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);
        Xunit.Assert.Empty(report.Findings);
    }

    /// <summary>The points that are listed, by when they were made, the oldest first.</summary>
    public async Task<List<string>> ListAsync() =>
        [.. (await _vault.ListPointsAsync(BackupFixture.Machine, Cancel)).Reverse().Select(point => point.Started.UtcDateTime.ToString("s"))];

    private VaultRetention At(DateTimeOffset now)
    {
        _backups.Clock.JumpTo(now);
        return VaultRetention.ByPolicies(_vault, _backups.Clock, Policies, _ => Shortened);
    }
}
