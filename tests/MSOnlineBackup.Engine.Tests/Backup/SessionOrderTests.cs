using FsCheck.Fluent;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>"Newest", "latest", parent and checkpoint follow the order of commits, whatever clocks say.</summary>
public sealed class SessionOrderTests
{
    [Fact]
    public async Task Points_are_in_the_order_of_their_commits_whatever_the_clocks_of_several_machines_say()
    {
        foreach (int seed in Enumerable.Range(0, Testing.Campaign.IsFull ? 100 : 8))
        {
            var random = new Random(seed);
            using var backups = new BackupFixture();
            await backups.OpenAsync();
            var committed = new List<RecoveryPoint>();
            foreach (DateTimeOffset now in SessionIdTests.Clocks(random, 8))
            {
                backups.Clock.JumpTo(now);
                string machine = $"machine {random.Next(3)}";
                backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", TestKeys.Bytes(random.Next(), 1000), random.Next());

                BackupResult made =
                    await (await backups.OpenAsync()).BackUpAsync(backups.Job("/data") with { MachineName = machine }, new JobMonitor(), Cancel);

                Assert.Equal(committed.FindLast(point => point.MachineName == machine)?.SessionId, made.Point.ParentSessionId);
                committed.Add(made.Point);
                UnlockedVault engine = await backups.OpenAsync();
                Assert.Equal(
                    committed.Select(point => point.SessionId).Reverse(), (await engine.ListPointsAsync(null, Cancel)).Select(point => point.SessionId));
                Assert.Equal(made.Point.SessionId, (await engine.GetPointAsync("latest", machine, Cancel)).SessionId);
            }
        }
    }

    [Fact]
    public async Task A_job_that_began_first_and_commits_last_is_the_newest()
    {
        using var backups = new BackupFixture();
        await backups.OpenAsync();
        BackupResult? second = null;
        FakeSourceTree slow = new FakeSourceTree("/slow").Folder("").File("a", TestKeys.Bytes(1, 200_000));
        backups.Fakes["/slow"] = slow;
        backups.Fakes["/quick"] = new FakeSourceTree("/quick").Folder("").File("b", TestKeys.Bytes(2, 1000));
#pragma warning disable VSTHRD002 // A source is read synchronously, and the other job has threads of its own.
        slow["a"].Reading = _ => second ??= Task.Run(() => backups.BackUpAsync(Request("/quick"))).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

        BackupResult first = await backups.BackUpAsync(Request("/slow"));

        Assert.True(first.Point.SessionId > second!.Point.SessionId);
        Assert.Equal(first.Point.SessionId, (await (await backups.OpenAsync()).GetPointAsync("latest", BackupFixture.Machine, Cancel)).SessionId);
        Assert.Equal(TestKeys.Bytes(1, 200_000), await backups.ReadAsync(first.Point, "/slow/a"));
        Assert.Empty((await backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task A_checkpoint_of_a_clock_that_was_ahead_is_stale_once_a_point_came_after_it()
    {
        using var backups = new BackupFixture();
        backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", TestKeys.Bytes(1, 1000));
        BackupResult made = await backups.BackUpAsync(Request("/data"));
        ChunkStore store = await backups.OpenStoreAsync();
        var record = new SessionRecord { MachineId = made.Point.MachineId, Started = backups.Clock.GetUtcNow().AddDays(400), AgentVersion = "1" };
        SessionId interrupted;
        await using (WriteSession session = await WriteSession.BeginAsync(store, new SessionAnnouncement(store, record), new TransferCounters(), 1, 0, Cancel))
        {
            interrupted = session.Id;
            await session.WriteCheckpointAsync(
                RecoveryPointCodec.Encode(made.Point with { SessionId = interrupted, Status = RecoveryPointStatus.InProgress }), Cancel);
        }

        BackupResult continued = await backups.BackUpAsync(Request("/data"));
        BackupResult next = await backups.BackUpAsync(Request("/data"));

        Assert.Equal(interrupted, continued.ResumedFromSession);
        Assert.True(continued.Point.SessionId > interrupted);
        Assert.Null(next.ResumedFromSession);
    }
}
