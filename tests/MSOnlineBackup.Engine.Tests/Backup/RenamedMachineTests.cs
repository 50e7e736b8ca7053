using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A machine that is called otherwise goes on from its own points.</summary>
public sealed class RenamedMachineTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task The_next_backup_reads_only_what_changed_and_all_points_are_the_machines_own()
    {
        _backups.Tree.Populate(seed: 1, items: 40).Describe("f large 3M");
        BackupResult first = await _backups.BackUpAsync();
        await RenameAsync("Renamed");
        _backups.Tree.File("new", 100);

        BackupResult second = await _backups.BackUpAsync(Request(_backups.Root) with { MachineName = "RENAMED" });

        Assert.Equal((100, 1L, 0L), (second.ReadBytes, second.NewFiles, second.ChangedFiles));
        Assert.Equal(
            (first.Point.SessionId, first.Point.MachineId, "RENAMED"), (second.Point.ParentSessionId!.Value, second.Point.MachineId, second.Point.MachineName));
        UnlockedVault vault = await _backups.OpenAsync();
        foreach (string name in new[] { "renamed", BackupFixture.Machine })
        {
            Assert.Equal([second.Point.SessionId, first.Point.SessionId], (await vault.ListPointsAsync(name, Cancel)).Select(point => point.SessionId));
            Assert.Equal(second.Point.SessionId, (await vault.GetPointAsync("latest", name, Cancel)).SessionId);
            Assert.Equal(2, (await vault.OpenHistoryAsync(name, Cancel)).Count);
        }

        await vault.Deletions.DeleteAsync(first.Point, "", Cancel);
        Assert.Equal(first.Point.SessionId, Assert.Single(await vault.Deletions.ListAsync("renamed", Cancel)).SessionId);
        await vault.Deletions.RestoreAsync($"{first.Point.SessionId}", "renamed", Cancel);
        await foreach (BackupPreviewItem item in (await vault.IndexAsync(Cancel)).PreviewAsync(_backups.Job(_backups.Root) with { MachineName = "Renamed" }, Cancel))
        {
            Assert.Equal(PreviewChange.Unchanged, item.Change);
        }

        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task An_interrupted_backup_goes_on_under_the_new_name()
    {
        _backups.Tree.Describe("f first 1000");
        await _backups.BackUpAsync();
        await RenameAsync("Renamed");
        _backups.Tree.Describe(string.Join('\n', Enumerable.Range(0, 48).Select(i => $"f {i:x2} 1M")));
        using var stop = new CancellationTokenSource();
        var watched = new WatchedVaultStore(_backups.Objects, name =>
        {
            if (name.Contains("/checkpoints/", StringComparison.Ordinal))
            {
                stop.Cancel();
            }

            // A quick one would be over before it sees that.
            if (name.Contains("/points/", StringComparison.Ordinal))
            {
                stop.Token.ThrowIfCancellationRequested();
            }
        });
        UnlockedVault vault = await _backups.OpenAsync(watched);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.BackUpAsync(
            _backups.Job(_backups.Root) with { MachineName = "Renamed", CheckpointBytes = 2 << 20 }, new JobMonitor(), stop.Token));

        BackupResult result = await _backups.BackUpAsync(Request(_backups.Root) with { MachineName = "Renamed" });

        Assert.NotNull(result.ResumedFromSession);
        Assert.InRange(result.ReadBytes, 0, 47 << 20);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task The_earlier_name_is_refused_to_whoever_backs_up_by_it()
    {
        _backups.Tree.Describe("f a 1000");
        await _backups.BackUpAsync();
        await RenameAsync("Renamed");
        string[] before = [.. _backups.Objects.Names];

        BackupException fault = await _backups.FailAsync(Request(_backups.Root));

        Assert.Equal(BackupErrorId.MachineNameTaken, fault.Id);
        Assert.Contains("'Renamed'", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, _backups.Objects.Names);
    }

    private async Task RenameAsync(string name) =>
        await (await _backups.OpenAsync()).RenameMachineAsync(BackupFixture.Machine.ToUpperInvariant(), name, Cancel);
}
