using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>A backup maintains the vault after itself, and has done its work whatever becomes of that.</summary>
public sealed class MaintenanceAfterBackupTests : IDisposable
{
    private readonly JobsFixture _machine = new();

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task It_is_done_once_a_day_and_points_that_no_rule_keeps_go()
    {
        BackupAgent agent = await ActivateAsync();
        JobRecord first = await BackUpAsync(agent);
        Assert.Null(first.Warnings);
        string record = Assert.Single(Records(".maintain"));
        Assert.Single(Records(".packs"));

        JobRecord second = await BackUpAsync(agent);
        Age(first, 50);
        Age(second, 20);
        await BackUpAsync(agent);
        Assert.Equal(record, Assert.Single(Records(".maintain")));
        Assert.Equal(3, await CountAsync(agent));

        File.SetLastWriteTimeUtc(record, DateTime.UtcNow.AddDays(-2));
        JobRecord last = await BackUpAsync(agent);
        Assert.Equal((JobState.Completed, null), (last.State, last.Warnings));
        Assert.NotEqual(record, Assert.Single(Records(".maintain")));
        Assert.Equal(3, await CountAsync(agent));
    }

    [Fact]
    public async Task The_owner_may_keep_backups_from_it()
    {
        BackupAgent agent = await ActivateAsync();
        BackupAgent owner = _machine.Open("OWNER", _machine["owner"]);
        await owner.Ownership.ChangeSettingsAsync(_machine.Vault, settings => settings with { MaintainsAfterBackup = false, VerifyDays = 7 }, null, Cancel);

        await BackUpAsync(agent);
        Assert.Empty(Records(".maintain"));

        await owner.Ownership.ChangeSettingsAsync(_machine.Vault, settings => settings with { MaintainsAfterBackup = true }, null, Cancel);
        Assert.Equal((true, 7), ((await owner.Vaults.ReadSettingsAsync(_machine.Vault, Cancel)).MaintainsAfterBackup, (await owner.Vaults.ReadSettingsAsync(_machine.Vault, Cancel)).VerifyDays));
        await BackUpAsync(agent);
        Assert.Single(Records(".maintain"));
    }

    [Fact]
    public async Task Who_may_not_delete_lets_go_of_points_and_leaves_the_rest_to_the_owner()
    {
        BackupAgent agent = await ActivateAsync();
        JobRecord[] old = [await BackUpAsync(agent), await BackUpAsync(agent)];
        File.Delete(Assert.Single(Records(".maintain")));
        Age(old[0], 50);
        Age(old[1], 20);
        _machine.Between = store => new NothingDeletedStore(store);

        JobRecord job = await BackUpAsync(_machine.Open());

        Assert.Equal((JobState.Completed, null), (job.State, job.Warnings));
        Assert.Equal(2, await CountAsync(agent));
        Assert.Empty(Records(".maintain"));
        Assert.DoesNotContain(Objects(), name => name.EndsWith(".probe", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Maintenance_that_is_asked_for_by_who_may_not_delete_is_refused_before_anything_is_done()
    {
        BackupAgent agent = await ActivateAsync();
        JobRecord[] old = [await BackUpAsync(agent), await BackUpAsync(agent)];
        Age(old[0], 50);
        _machine.Between = store => new NothingDeletedStore(store);
        string[] before = Objects();

        BackupException refused = await FailAsync(() => _machine.Open().MaintainAsync(new MaintenanceRequest(), new JobMonitor(), null, Cancel));

        Assert.Equal(BackupErrorId.VaultAccessDenied, refused.Id);
        Assert.Equal(before, Objects());
        Assert.Equal(2, await CountAsync(agent));
    }

    [Fact]
    public async Task Its_failure_is_a_warning_and_the_backup_is_complete()
    {
        BackupAgent agent = await ActivateAsync();
        _machine.Between = store => new FaultyVaultStore(store) { Counts = (call, name) => call == VaultCall.List && name.Contains("/gc/", StringComparison.Ordinal), FailEvery = 2 };

        JobRecord job = await BackUpAsync(_machine.Open());

        Assert.Equal(JobState.Completed, job.State);
        Assert.NotNull(job.RecoveryPointId);
        Assert.Contains("The backup is complete. The maintenance after it failed:", Assert.Single(job.Warnings!).Message, StringComparison.Ordinal);
        Assert.Equal(1, await CountAsync(agent));
    }

    [Fact]
    public async Task What_takes_too_long_is_stopped_and_said_and_the_backup_is_complete()
    {
        using var machine = new JobsFixture { Clock = new FakeClock(DateTimeOffset.UtcNow) };
        machine.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", [1, 2, 3]);
        BackupAgent agent = await machine.ActivateAsync("/data");
        machine.Between = store => new HangingStore(store, () => ((FakeClock)machine.Clock).Advance(MaintenanceAfterBackup.Longest));

        JobRecord job = await BackUpAsync(machine.Open());

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(nameof(BackupErrorId.MaintenanceUnfinished), Assert.Single(job.Warnings!).Id);
    }

    [Fact]
    public async Task Damage_that_it_finds_is_a_warning_of_the_job()
    {
        BackupAgent agent = await ActivateAsync();
        await _machine.Open("OWNER", _machine["owner"]).Ownership.ChangeSettingsAsync(
            _machine.Vault, settings => settings with { VerifyDays = 1 }, null, Cancel);
        await BackUpAsync(agent);
        string pack = Directory.GetFiles(Path.Combine(_machine.Vault, "stores"), "*", SearchOption.AllDirectories)
            .Where(name => name.Contains("/packs/", StringComparison.Ordinal)).MaxBy(name => new FileInfo(name).Length)!;
        byte[] content = await File.ReadAllBytesAsync(pack, Cancel);
        content[^20] ^= 1;
        File.SetAttributes(pack, FileAttributes.Normal);
        await File.WriteAllBytesAsync(pack, content, Cancel);
        foreach (string record in Records("s").Concat(Records(".maintain")))
        {
            File.Delete(record);
        }

        JobRecord job = await BackUpAsync(agent);

        Assert.Contains(job.Warnings ?? [], warning => warning.Id == nameof(BackupErrorId.VaultDataCorrupt));
    }

    private Task<BackupAgent> ActivateAsync()
    {
        _machine.Tree.File("a", 1000);
        return _machine.ActivateAsync();
    }

    private string[] Objects() => [.. Directory.GetFiles(_machine.Vault, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private IEnumerable<string> Records(string suffix) =>
        Objects().Where(name => name.Contains("/proofs/", StringComparison.Ordinal) && name.EndsWith(suffix, StringComparison.Ordinal));

    private void Age(JobRecord job, int days) =>
        File.SetLastWriteTimeUtc(
            Objects().Single(
                name => name.Contains("/points/", StringComparison.Ordinal) && name.EndsWith(job.RecoveryPointId!.Value.ToString(), StringComparison.Ordinal)),
            DateTime.UtcNow.AddDays(-days));

    private static async Task<int> CountAsync(BackupAgent agent)
    {
        using MSOnlineBackup.Vaults.UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        return (await vault.ListPointsAsync(null, Cancel)).Count;
    }

    /// <summary>A vault from which this identity may delete nothing, as a cloud refuses it.</summary>
    private sealed class NothingDeletedStore(IVaultStore inner) : PassingStore(inner)
    {
        public override ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
            throw new BackupException(BackupErrorId.VaultAccessDenied, "This identity may not delete.", "None: a test.", name);
    }

    /// <summary>Never ends listing collections.</summary>
    private sealed class HangingStore(IVaultStore inner, Action meanwhile) : PassingStore(inner)
    {
        private int _lists;

        public override async IAsyncEnumerable<StoredObject> ListAsync(
            string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            // The first is the backup's own.
            if (prefix.Contains("/gc/", StringComparison.Ordinal) && ++_lists > 1)
            {
                meanwhile();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            await foreach (StoredObject found in base.ListAsync(prefix, cancellationToken))
            {
                yield return found;
            }
        }
    }

    private abstract class PassingStore(IVaultStore inner) : IVaultStore
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public virtual IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
            inner.ListAsync(prefix, cancellationToken);

        public virtual ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
