using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Policies;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>No full backup ends while a log needs it, no log without its full backup stays, and files are kept for themselves.</summary>
public sealed class WorkloadRetentionTests
{
    private static readonly DateTimeOffset _start = Simulation.At("2026-01-01");

    [Fact]
    public async Task What_a_workload_keeps_can_be_recovered()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(SamplePolicy.Files with { Retention = new RetentionPolicy(3) }, _start);
        SessionId? last = null;
        for (int day = 0; day < 6; day++)
        {
            await machine.BackUpAsync(_start.AddDays(day));

            // A full backup every second day, and a log every six hours.
            for (int quarter = 0; quarter < 4; quarter++)
            {
                DateTimeOffset time = _start.AddDays(day).AddHours((6 * quarter) + 1);
                if (day % 2 == 0 && quarter == 0)
                {
                    await machine.BackUpAsync(time, Point(isFull: true, time, last));
                }

                last = (await machine.BackUpAsync(time.AddMinutes(5), Point(isFull: false, time.AddMinutes(5), last))).SessionId;
            }
        }

        for (int hour = 0; hour < 24 * 5; hour += 5)
        {
            DateTimeOffset now = _start.AddDays(6).AddHours(hour);
            RetentionPlan plan = await machine.PlanAsync(now);
            List<RecoveryPoint> kept = [.. plan.Points.Where(planned => !planned.Expires).Select(planned => planned.Point)];
            WorkloadState state = Assert.Single(WorkloadState.Find(kept));

            // Every log that stays is in a chain with its full backup, and every full backup has its log.
            Assert.All(state.Chains, chain => Assert.NotNull(chain.Window));
            HashSet<SessionId> inChains = [.. state.Chains.SelectMany(chain => chain.Logs.Append(chain.Full)).Select(link => link.Id)];
            Assert.All(kept.Where(WorkloadTags.AreOn), point => Assert.Contains(point.SessionId, inChains));

            // Files have a newest point of their own.
            Assert.Contains(kept, point => !WorkloadTags.AreOn(point));
            await machine.LetGoAsync(now);
            Assert.Equal(kept.Count, (await machine.ListAsync()).Count);
        }

        // In the end the newest log stays, and what it needs: the last full backup and what is between.
        Assert.Contains((await machine.PlanAsync(_start.AddDays(12))).Points, planned => planned.Reason == RetentionReason.NeededByWorkload);
    }

    [Fact]
    public async Task A_tag_of_a_newer_version_is_left_alone()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(SamplePolicy.Files with { Retention = new RetentionPolicy(3) }, _start);
        machine.Backups.Clock.JumpTo(_start);
        string[] tags = ["retain:files:daily:2026-01-04T00:00:00Z", WorkloadTags.Log + """{"form":"of tomorrow"}"""];
        await machine.Vault.BackUpAsync(machine.Backups.Job("/data") with { Tags = tags }, new JobMonitor(), BackupFixture.Cancel);
        await machine.BackUpAsync(_start.AddDays(1));

        RetentionPlan plan = await machine.PlanAsync(_start.AddDays(9));

        Assert.Equal(RetentionReason.TagUnknown, plan.Points[0].Reason);
    }

    private static WorkloadPoint Point(bool isFull, DateTimeOffset time, SessionId? previous) => new()
    {
        Name = "pg1", Kind = WorkloadKind.PostgreSql, IsFull = isFull, Stream = "s", System = "1", Timeline = "1", Layout = "l",
        Start = "p", End = "p", LogStart = isFull ? "p" : null,
        From = time.AddMinutes(-1), To = time, Previous = previous,
    };
}
