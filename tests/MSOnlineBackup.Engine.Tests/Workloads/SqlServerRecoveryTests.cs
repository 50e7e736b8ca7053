using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Agent.Workloads.SqlServer;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>What a recovery of SQL Server makes: a folder with the backups and the script.</summary>
public sealed class SqlServerRecoveryTests : IDisposable
{
    private static readonly DateTimeOffset _noon = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_folder_has_the_backups_that_are_needed_and_the_script()
    {
        WorkloadChain chain = Chain();

        await new SqlServerRecovery().RestoreAsync(chain, _noon.AddMinutes(20), MakeStaging(), _folder["target"], new Items(_folder), _stop);

        Assert.Equal(
            ["d5-00000000000000aa.bak", "d5-00000000000000bb.trn", "d5-00000000000000cc.trn", "restore.sql"],
            Directory.GetFiles(_folder["target"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        string[] script = await File.ReadAllLinesAsync(Path.Combine(_folder["target"], "restore.sql"), _stop);
        Assert.Equal(
            [
                "DECLARE @f nvarchar(4000) = N'$(BackupFolder)/d5-00000000000000aa.bak';",
                "SET @f = N'$(BackupFolder)/d5-00000000000000bb.trn';",
                "SET @f = N'$(BackupFolder)/d5-00000000000000cc.trn';",
            ],
            script.Where(line => line.Contains("$(BackupFolder)", StringComparison.Ordinal)));
        Assert.Contains(script, line => line.EndsWith("STOPAT = '2026-11-30T13:20:00.000';", StringComparison.Ordinal));
        Assert.Contains("DataFolder=", new SqlServerRecovery().Advise(chain, _folder["target"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2/log/d5-00000000000000bb.trn")]
    [InlineData("1/full/manifest.json")]
    [InlineData("3/log/manifest.json")]
    public async Task What_is_not_whole_is_not_recovered(string lost)
    {
        WorkloadChain chain = Chain();
        File.Delete(_folder[lost]);

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => new SqlServerRecovery().RestoreAsync(chain, null, MakeStaging(), _folder["target"], new Items(_folder), _stop));

        Assert.Equal(BackupErrorId.WorkloadIncomplete, error.Id);
        Assert.False(Directory.Exists(_folder["target"]));
    }

    private static SessionId Id(int number) => SessionId.Parse($"0193a0000000700080000000000000{number:x2}");

    private static WorkloadLink Link(int number) => new(Id(number), new WorkloadPoint
    {
        Name = "sql1", Kind = WorkloadKind.SqlServer, IsFull = number == 1, Stream = "s", System = "sql1", Timeline = "", Layout = "", Start = "a", End = "b", LogStart = number == 1 ? "a" : null,
        From = _noon, To = _noon.AddMinutes(number * 10), Version = "16.0.4105.2",
    });

    private string MakeStaging() => Directory.CreateDirectory(_folder["staging"]).FullName;

    private WorkloadChain Chain()
    {
        Write("1/full", new SqlPart("app", "d5-00000000000000aa.bak", 90, 110, "f", false, true, [new SqlFile("app", "D")]));
        Write("2/log", new SqlPart("app", "d5-00000000000000bb.trn", 100, 150, "f", false, true, []));
        Write("3/log", new SqlPart("app", "d5-00000000000000cc.trn", 150, 200, "f", false, true, []));
        return new WorkloadChain(Link(1), [Link(2), Link(3)]);
    }

    private void Write(string folder, SqlPart part)
    {
        Directory.CreateDirectory(_folder[folder]);
        File.WriteAllText(Path.Combine(_folder[folder], part.File), part.File);
        File.WriteAllBytes(Path.Combine(_folder[folder], SqlManifest.FileName), new SqlManifest("a", "b", 60, [part]).Write());
    }

    private sealed class Items(TempFolder folder) : IWorkloadItems
    {
        public Task<RecoveryPoint> ReadAsync(SessionId point, CancellationToken stop)
        {
            int number = Convert.ToInt32(point.ToString()[^2..], 16);
            return Task.FromResult(new RecoveryPoint
            {
                SessionId = point,
                MachineId = MachineId.Parse(new string('b', 32)),
                MachineName = "m",
                OperatingSystem = "o",
                AgentVersion = "0",
                Started = default,
                Ended = default,
                Status = RecoveryPointStatus.Completed,
                Sources = [new RecoveryPointSource { Path = folder[number == 1 ? "1/full" : $"{number}/log"], Manifest = new ManifestRoot(default(ChunkId), 0, 1, 1, 1, 1) }],
            });
        }

        public Task RestoreAsync(RecoveryPoint point, IReadOnlyList<string> paths, string folder, CancellationToken stop)
        {
            string made = Directory.CreateDirectory(Path.Combine(folder, Path.GetFileName(paths[0]))).FullName;
            foreach (string file in Directory.GetFiles(paths[0]))
            {
                File.Copy(file, Path.Combine(made, Path.GetFileName(file)));
            }

            return Task.CompletedTask;
        }
    }
}
