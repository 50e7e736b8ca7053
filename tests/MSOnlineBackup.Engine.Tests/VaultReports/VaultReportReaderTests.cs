using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultReports;

/// <summary>What a report takes from a vault.</summary>
public sealed class VaultReportReaderTests
{
    [Fact]
    public async Task Machines_stand_there_as_a_watch_finds_them_also_without_points()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        using var folder = new TempFolder();
        var clock = new FakeClock(TimeProvider.System.GetUtcNow());
        Vault vault = await Vault.CreateAsync(FolderVaultStore.Create(folder["vault"]), Obengine.Passphrase, new VaultOptions { TimeProvider = clock, KeyDerivationIterations = 1000 }, stop);
        using UnlockedVault unlocked = await vault.UnlockAsync(Obengine.Passphrase, stop);
        foreach ((string machine, double hours) in new[] { ("ALPHA", 24.0), ("BRAVO", 1.0) })
        {
            await vault.Entrance.ClaimAsync(machine, unlocked.Key, stop);
            await unlocked.WriteStatusAsync(
                new RunStatus { Machine = machine, Policy = "files", Outcome = RunOutcome.Completed, AgentVersion = "1", NextSeconds = (long)(hours * 3600), GraceSeconds = 60 }, stop);
        }

        clock.Advance(TimeSpan.FromHours(3));
        VaultReport report = await VaultReportReader.ReadAsync(unlocked, new VaultReportRequest { PricePerGib = 1_000_000, Days = 7 }, stop);

        Assert.Equal(["ALPHA Ok", "BRAVO Late"], report.Machines.Select(machine => $"{machine.Machine} {machine.State}").Order());
        Assert.Equal((1, 7, 0, 24), (report.Sound, report.Growth.Count, report.Points, report.ObjectiveHours));
        Assert.All(report.Machines, machine => Assert.Equal((null, null), (machine.Points, machine.Objective)));
        Assert.Equal(Math.Round(report.StoredBytes * 1_000_000m / 1_073_741_824, 2), report.Cost!.Total);
        Assert.Contains("BRAVO", ReportPage.Write(report), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_fifty_machines_the_silent_ones_stand_first_and_for_how_long()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        var clock = new FakeClock(SampleReport.At);
        Vault vault = await Vault.CreateAsync(new MemoryVaultStore(clock), Obengine.Passphrase, new VaultOptions { TimeProvider = clock, KeyDerivationIterations = 1000 }, stop);
        using UnlockedVault unlocked = await vault.UnlockAsync(Obengine.Passphrase, stop);
        string[] machines = [.. Enumerable.Range(1, 50).Select(number => $"M{number:00}")];
        foreach (string machine in machines)
        {
            await vault.Entrance.ClaimAsync(machine, unlocked.Key, stop);
            await unlocked.WriteStatusAsync(Daily(machine), stop);
        }

        // M37 tells nothing any more, M12 for a day less; M45 tells that its backups fail, and M03 that it is paused.
        for (int day = 1; day <= 3; day++)
        {
            clock.Advance(TimeSpan.FromDays(1));
            foreach (string machine in machines.Where(machine => machine != "M37" && (machine != "M12" || day == 1)))
            {
                RunStatus status = Daily(machine);
                await unlocked.WriteStatusAsync(day < 3 ? status : status with { Outcome = machine switch { "M45" => RunOutcome.Failed, "M03" => RunOutcome.Paused, _ => status.Outcome } }, stop);
            }
        }

        clock.Advance(TimeSpan.FromHours(1));
        VaultReport report = await VaultReportReader.ReadAsync(unlocked, new VaultReportRequest(), stop);

        Assert.Equal(["M37 Late 73", "M12 Late 49", "M45 Failing 25", "M03 Stopped 25"], report.Machines.Take(4).Select(machine => $"{machine.Machine} {machine.State} {machine.HoursSinceSuccess}"));
        Assert.Equal(46, report.Sound);
        Assert.Equal(machines.Except(["M37", "M12", "M45", "M03"]), report.Machines.Skip(4).Select(machine => machine.Machine));
        Assert.All(report.Machines.Skip(4), machine => Assert.Equal((1, SampleReport.At.AddDays(4).AddHours(2)), (machine.HoursSinceSuccess, machine.NextBy)));
        string page = ReportPage.Write(report);
        Assert.StartsWith("<span class=\"badge\">Late</span> <strong>No backup for 3 days.</strong> <bdi>&#39;M37&#39;", page[(page.IndexOf("<ul class=\"list\">\n<li>", StringComparison.Ordinal) + 22)..], StringComparison.Ordinal);
    }

    [Fact]
    public void Growth_counts_days_of_UTC_and_what_was_before()
    {
        DateTimeOffset now = SampleReport.At;

        IReadOnlyList<ReportedDay> growth = VaultReportReader.GrowthOf([Point(now.AddDays(-9), 1000), Point(now.AddHours(-22), 10), Point(now.AddHours(-20), 20), Point(now.AddHours(5), 40)], 3, now);

        Assert.Equal(
            [
                new ReportedDay(new DateOnly(2024, 2, 27), 0, 0, 1000),
                new ReportedDay(new DateOnly(2024, 2, 28), 1, 10, 1010),
                new ReportedDay(new DateOnly(2024, 2, 29), 2, 60, 1070),
            ],
            growth);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        VaultReportRequest[] requests =
            [new() { Days = 0 }, new() { Days = 367 }, new() { Objective = TimeSpan.Zero }, new() { PricePerGib = -1 }, new() { Currency = "a currency of many words" }];

        Assert.All(requests, request => Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(request.Check).Id));
        new VaultReportRequest().Check();
    }

    private static RunStatus Daily(string machine) =>
        new() { Machine = machine, Policy = "files", Outcome = RunOutcome.Completed, AgentVersion = "1", NextSeconds = 86_400, GraceSeconds = 7200 };

    private static RecoveryPoint Point(DateTimeOffset created, long stored) => new()
    {
        SessionId = SessionId.Parse(new string('5', 32)),
        MachineId = MachineId.Parse(new string('a', 32)),
        MachineName = "m",
        OperatingSystem = "os",
        AgentVersion = "1",
        Started = DateTimeOffset.UnixEpoch,
        Ended = DateTimeOffset.UnixEpoch,
        Created = created,
        Status = RecoveryPointStatus.Completed,
        Sources = [new RecoveryPointSource { Path = "/", Manifest = new ManifestRoot(default(ChunkId), 0, 3, 2, 1, 1) }],
        StoredBytes = stored,
    };
}
