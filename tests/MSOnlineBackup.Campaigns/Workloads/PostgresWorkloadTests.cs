using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Campaigns.Workloads;

/// <summary>
/// PostgreSQL under pgbench, backed up whole and by its log, and recovered to moments: each recovered cluster starts by itself, has exactly the rows that were committed by then,
/// and passes pg_amcheck. Backups are killed in their midst, and the log gets gaps.
/// </summary>
public sealed class PostgresWorkloadTests : IDisposable
{
    private const int RecoveredPort = 5433;

    // Of one writer, with commit times that PostgreSQL itself has kept: which rows a moment has is known for certain.
    private const string LedgerOf = "SELECT count(*), coalesce(sum(n), 0) FROM ledger";

    private readonly WorkloadMachine _machine = new();
    private readonly PgCluster _cluster;

    public PostgresWorkloadTests() => _cluster = PgCluster.Create(_machine.Folder, "pg");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private WorkloadSettings Settings => new("pg1", WorkloadKind.PostgreSql, _cluster.Sockets, User: "postgres");

    public void Dispose()
    {
        _cluster?.Dispose();
        _machine.Dispose();
    }

    [Fact]
    public async Task A_recovered_cluster_has_exactly_the_rows_that_were_committed_by_then()
    {
        int recoveries = Campaign.Rounds(usual: 3, full: 20);
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        using (ServerProcess ledger = await WriteLedgerAsync())
        using (ServerProcess bench = _cluster.Bench("--client", "3", "--builtin", "tpcb-like", "--rate", "300"))
        {
            for (int run = 0; run < Math.Max(3, recoveries / 3); run++)
            {
                JobRecord job = await _machine.BackUpAsync();
                Assert.Equal((JobState.Completed, 0L), (job.State, job.Skipped));
                Assert.Null(job.Warnings);
                await WaitForRowsAsync(150);
            }

            await _machine.BackUpAsync();
            Assert.False(bench.HasExited || ledger.HasExited, "There was nothing going on.");
        }

        WorkloadState state = await _machine.FindAsync();
        WorkloadWindow window = Assert.Single(state.Windows);
        Assert.Equal(["app", "postgres", "template1"], state.Databases.Order(StringComparer.Ordinal));
        var random = new Random(Campaign.FirstSeed(20261130));
        for (int recovery = 0; recovery < recoveries; recovery++)
        {
            await CheckAsync(window, random, recovery);
        }

        // A time outside is refused, and the window is told.
        BackupException outside = await Assert.ThrowsAsync<BackupException>(() => _machine.RecoverAsync("pg1", window.To.AddSeconds(5), _machine.Folder["outside"]));
        Assert.Equal(BackupErrorId.WorkloadTimeOutside, outside.Id);
        Assert.Contains(window.From.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), outside.RecommendedAction, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_machine.Folder["outside"]));
    }

    [Fact]
    public async Task A_gap_in_the_log_is_found_by_the_next_backup_which_is_full()
    {
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        using ServerProcess ledger = await WriteLedgerAsync();
        await _machine.BackUpAsync();
        WorkloadWindow before = Assert.Single((await _machine.FindAsync()).Windows);

        // The slot goes, and with the next checkpoints all that it had kept.
        _cluster.Ask("SELECT pg_drop_replication_slot('obengine_pg1')");
        for (int i = 0; i < 3; i++)
        {
            _cluster.Ask("SELECT pg_switch_wal()");
            _cluster.Ask("CHECKPOINT");
        }

        JobRecord job = await _machine.BackUpAsync();

        Assert.Equal(nameof(BackupErrorId.WorkloadLogGap), Assert.Single(job.Warnings!).Id);
        await WaitForRowsAsync(50);
        Assert.Null((await _machine.BackUpAsync()).Warnings);
        WorkloadState state = await _machine.FindAsync();
        Assert.Equal((2, 2), (state.Chains.Count, state.Windows.Count));
        Assert.Equal(before, state.Windows[0]);
        await CheckAsync(state.Windows[1], new Random(1), 0);

        // Segments that go though the slot is there are found, too.
        _cluster.Ask("SELECT pg_switch_wal()");
        _cluster.Ask("CHECKPOINT");
        string oldest = Directory.GetFiles(_cluster.Data + "/pg_wal", "0*").Where(path => Path.GetFileName(path).Length == 24)
            .Order(StringComparer.Ordinal).First(path => string.CompareOrdinal(Path.GetFileName(path), SegmentOf(state.LastLog!.End)) >= 0);
        File.Delete(oldest);
        Assert.Equal(nameof(BackupErrorId.WorkloadLogGap), Assert.Single((await _machine.BackUpAsync()).Warnings!).Id);
    }

    [Fact]
    public async Task Backups_that_are_killed_leave_nothing_half_and_the_next_one_goes_on()
    {
        int rounds = Campaign.Rounds(usual: 2, full: 12);
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        using ServerProcess ledger = await WriteLedgerAsync();
        var random = new Random(Campaign.FirstSeed(7));
        for (int round = 0; round < rounds; round++)
        {
            // Before there is a full backup, that is what is killed; afterwards a log.
            JobRecord begun = await _machine.Agent.Jobs.StartAsync(new BackupOrder { Policy = Agent.Policies.PolicyKind.Files, Only = [] }, Cancel);
            await Task.Delay(random.Next(20, 900), Cancel);
            using (Process process = Process.GetProcessById(begun.ProcessId))
            {
                process.Kill();
                await process.WaitForExitAsync(Cancel);
            }

            if (round % 2 == 1)
            {
                JobRecord job = await _machine.BackUpAsync();
                Assert.Equal(JobState.Completed, job.State);
                Assert.Null(job.Warnings);
            }
        }

        await WaitForRowsAsync(50);
        await _machine.BackUpAsync();
        await WaitForRowsAsync(50);
        await _machine.BackUpAsync();
        WorkloadState state = await _machine.FindAsync();
        Assert.Equal("f", _cluster.Ask("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'obengine')"));
        await CheckAsync(Assert.Single(state.Windows), random, 0);
    }

    [Fact]
    public async Task What_rules_a_backup_out_is_told_before_anything_is_read()
    {
        await _machine.PrepareAsync(Settings);
        await RefusedAsync(BackupErrorId.WorkloadUnreachable);
        foreach ((string setting, BackupErrorId id) in new[]
        {
            ("wal_level=minimal", BackupErrorId.WorkloadUnfit),
            ("max_replication_slots=0", BackupErrorId.WorkloadUnfit),
            ("max_wal_senders=0", BackupErrorId.WorkloadUnfit),
        })
        {
            await _cluster.StartAsync(setting == "wal_level=minimal" ? ["max_wal_senders=0", setting] : [setting]);
            await RefusedAsync(id);
            _cluster.Dispose();
        }

        await StartAsync();
        _cluster.Ask("CREATE ROLE weak LOGIN");
        await _machine.SaveAsync(Settings with { User = "weak" });
        await RefusedAsync(BackupErrorId.WorkloadAccessDenied);
        await _machine.SaveAsync(Settings with { User = "nosuch" });
        await RefusedAsync(BackupErrorId.WorkloadAccessDenied);

        // The rights that docs/workloads.md names are enough.
        _cluster.Ask("ALTER ROLE weak REPLICATION; GRANT pg_monitor TO weak; GRANT EXECUTE ON FUNCTION pg_backup_start, pg_backup_stop, pg_switch_wal TO weak");
        await _machine.SaveAsync(Settings with { User = "weak" });
        Assert.Equal(JobState.Completed, (await _machine.BackUpAsync()).State);
        Assert.Single((await _machine.FindAsync()).Windows);
    }

    // What docs/benchmarks.md has: how much a server does beside backups, and what a piece of its log takes.
    [Fact]
    public async Task Transactions_go_on_beside_backups()
    {
        Assert.SkipUnless(Campaign.IsFull, "Measures for a minute.");
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        double alone = await MeasureAsync(seconds: 20);
        Task<double> beside = MeasureAsync(seconds: 20);
        int runs = 0;
        var times = new List<double>();
        while (!beside.IsCompleted)
        {
            long began = Stopwatch.GetTimestamp();
            JobRecord job = await _machine.BackUpAsync();
            times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            Assert.Equal(JobState.Completed, job.State);
            TestContext.Current.TestOutputHelper?.WriteLine($"run {++runs}: {times[^1]:0.00} s, read {job.Sources.Sum(source => source.ChangedBytes):n0} bytes, stored {job.StoredBytes:n0}");
        }

        double backedUp = await beside;
        TestContext.Current.TestOutputHelper?.WriteLine($"alone {alone:0} tps, beside backups without a pause {backedUp:0} tps: {backedUp / alone:P0}; a log takes {times.Skip(1).Average():0.00} s");
        Assert.Single((await _machine.FindAsync()).Windows);
    }

    [Fact]
    public async Task Transactions_lose_little_to_a_log_in_each_minute()
    {
        const int Pairs = 5;
        const int Seconds = 60;
        Assert.SkipUnless(Campaign.IsFull, "Measures for ten minutes.");
        await StartAsync();
        await _machine.PrepareAsync(Settings);
        await MeasureAsync(Seconds / 2);
        Assert.Equal(JobState.Completed, (await _machine.BackUpAsync()).State);
        double alone = 0;
        double beside = 0;
        for (int i = 0; i < 2 * Pairs; i++)
        {
            // Now with a backup, now without, and in turn the one and the other first: what drifts meets both.
            bool isBackedUp = i % 4 is 1 or 2;
            Task<double> measured = MeasureAsync(Seconds);
            if (isBackedUp)
            {
                await Task.Delay(TimeSpan.FromSeconds(Seconds / 3), Cancel);
                long began = Stopwatch.GetTimestamp();
                JobRecord job = await _machine.BackUpAsync();
                Assert.Equal(JobState.Completed, job.State);
                TestContext.Current.TestOutputHelper?.WriteLine($"log: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s, {job.Sources.Sum(source => source.ChangedBytes):n0} bytes, stored {job.StoredBytes:n0}");
            }

            double rate = await measured;
            TestContext.Current.TestOutputHelper?.WriteLine($"{(isBackedUp ? "with" : "without")} a backup: {rate:0} tps");
            (alone, beside) = isBackedUp ? (alone, beside + rate) : (alone + rate, beside);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"alone {alone / Pairs:0} tps, with a log in each minute {beside / Pairs:0} tps: {beside / alone:P1}");
        Assert.Single((await _machine.FindAsync()).Windows);
    }

    private async Task<double> MeasureAsync(int seconds)
    {
        string said = await Task.Run(
            () => Shell.RunChecked(
                Applications.ApplicationDisk.Find("pgbench")!, "--no-vacuum", "--host", _cluster.Sockets, "--username", "postgres", "--client", "4", "--time", $"{seconds}", "postgres"),
            Cancel);
        string line = said.Split('\n').Single(each => each.StartsWith("tps = ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture);
    }

    private async Task StartAsync()
    {
        await _cluster.StartAsync();
        string space = Directory.CreateDirectory(_cluster.Sockets + "/space").FullName;
        Shell.RunChecked("chown", ServerProcess.Account, space);
        _cluster.Ask($"CREATE TABLESPACE elsewhere LOCATION '{space}'");
        _cluster.Ask("CREATE DATABASE app");
        _cluster.Ask("CREATE EXTENSION amcheck");
        _cluster.Ask("CREATE TABLE ledger (n bigserial PRIMARY KEY, note text) TABLESPACE elsewhere");
        Shell.RunChecked(Applications.ApplicationDisk.Find("pgbench")!, "--initialize", "--quiet", "--scale", "2", "--host", _cluster.Sockets, "--username", "postgres", "postgres");
    }

    private async Task<ServerProcess> WriteLedgerAsync()
    {
        string script = _machine.Folder["ledger.sql"];
        await File.WriteAllTextAsync(script, "INSERT INTO ledger (note) VALUES (repeat('x', 300));\n", Cancel);
        ServerProcess ledger = _cluster.Bench("--client", "1", "--rate", "100", "--file", script);
        await WaitForRowsAsync(20);
        return ledger;
    }

    private async Task WaitForRowsAsync(int count)
    {
        long before = _cluster.Number("SELECT count(*) FROM ledger");
        while (_cluster.Number("SELECT count(*) FROM ledger") < before + count)
        {
            await Task.Delay(20, Cancel);
        }
    }

    // A moment amid commits, which are further from it than a commit takes.
    private async Task CheckAsync(WorkloadWindow window, Random random, int recovery)
    {
        string between = string.Create(
            CultureInfo.InvariantCulture,
            $"FROM (SELECT t, lead(t) OVER (ORDER BY t) AS next FROM (SELECT pg_xact_commit_timestamp(xmin) AS t FROM ledger) AS times) AS gaps WHERE next - t > interval '6 ms' AND t > '{window.From:O}' AND next < '{window.To:O}'");
        long gaps = _cluster.Number($"SELECT count(*) {between}");
        Assert.True(gaps > 0, "There is no moment amid commits.");
        string text = _cluster.Ask($"SELECT (t + (next - t) / 2) AT TIME ZONE 'UTC' {between} ORDER BY t LIMIT 1 OFFSET {random.NextInt64(gaps)}");
        DateTimeOffset moment = DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        string expected = _cluster.Ask(string.Create(CultureInfo.InvariantCulture, $"{LedgerOf} WHERE pg_xact_commit_timestamp(xmin) <= '{moment:O}'"));
        string target = _cluster.Sockets + "/recovered-" + recovery;

        JobRecord job = await _machine.RecoverAsync("pg1", moment, target);

        Assert.Equal((JobState.Completed, 0L), (job.State, job.Skipped));
        Assert.Contains("pg_ctl", job.Notes, StringComparison.Ordinal);
        var recovered = PgCluster.Recovered(target, _cluster.Sockets, RecoveredPort);
        await recovered.StartByItselfAsync();
        try
        {
            Assert.Equal(expected, recovered.Ask(LedgerOf));
            Assert.Equal("t", recovered.Ask("SELECT (SELECT coalesce(sum(delta), 0) FROM pgbench_history) = (SELECT sum(abalance) FROM pgbench_accounts)"));
            Assert.Equal("", PgCluster.Run("pg_amcheck", "--host", recovered.Sockets, "--port", $"{recovered.Port}", "--username", "postgres", "--heapallindexed", "postgres").Trim());
            Assert.StartsWith(target, recovered.Ask("SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'elsewhere'"), StringComparison.Ordinal);
        }
        finally
        {
            recovered.Stop();
        }

        Directory.Delete(target, recursive: true);
    }

    private async Task RefusedAsync(BackupErrorId id)
    {
        BackupException refused = await Assert.ThrowsAsync<BackupException>(_machine.BackUpAsync);
        Assert.True(refused.Id == id, $"{id} was expected: {refused.Id}: {refused.Message}");
    }

    private static string SegmentOf(string position)
    {
        string[] parts = position.Split('/');
        uint low = Convert.ToUInt32(parts[1], 16);
        return $"00000001{Convert.ToUInt32(parts[0], 16):X8}{low >> 24:X8}";
    }
}
