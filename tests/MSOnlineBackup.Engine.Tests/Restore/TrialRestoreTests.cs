using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>A sample of a point is restored, compared, and removed again.</summary>
public sealed class TrialRestoreTests : IDisposable
{
    private readonly BackupFixture _backups = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _backups.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_sample_is_restored_found_as_it_was_and_removed()
    {
        RecoveryPoint point = await BackUpAsync();

        TrialResult trial = await TryAsync(new TrialRequest { Point = point, Folder = _folder["new"], Files = 7 });

        Assert.Equal((7, 7, 0), (trial.Files, trial.Verified, trial.Differences.Count));
        Assert.True(trial.Seed > 0 && trial.Bytes > 0);
        Assert.False(Directory.Exists(_folder["new"]));
    }

    [Fact]
    public async Task The_same_seed_draws_the_same_files_and_another_one_others()
    {
        RecoveryPoint point = await BackUpAsync();
        IReadOnlyList<string> one = await DrawAsync(new TrialRequest { Point = point, Folder = "x", Files = 9 }, 5);

        Assert.Equal(9, one.Distinct().Count());
        Assert.Equal(one, await DrawAsync(new TrialRequest { Point = point, Folder = "x", Files = 9 }, 5));
        Assert.NotEqual(one, await DrawAsync(new TrialRequest { Point = point, Folder = "x", Files = 9 }, 6));
    }

    [Fact]
    public async Task Each_file_is_as_likely_as_any_other_and_the_bytes_are_bounded()
    {
        RecoveryPoint point = await BackUpAsync();
        var drawn = new Dictionary<string, int>();
        for (int seed = 1; seed <= 400; seed++)
        {
            foreach (string path in await DrawAsync(new TrialRequest { Point = point, Folder = "x", Files = 10 }, seed))
            {
                drawn[path] = drawn.GetValueOrDefault(path) + 1;
            }
        }

        // 40 files, each in a quarter of the samples; the seeds are the same in each run.
        Assert.Equal(40, drawn.Count);
        Assert.All(drawn.Values, times => Assert.InRange(times, 60, 140));

        IReadOnlyList<string> share = await DrawAsync(new TrialRequest { Point = point, Folder = "x", Share = 0.5 }, 1);
        Assert.InRange(share.Count, 10, 30);
        Assert.Equal(40, (await DrawAsync(new TrialRequest { Point = point, Folder = "x", Share = 1 }, 1)).Count);
        TrialResult small = await TryAsync(new TrialRequest { Point = point, Folder = _folder.Path, Files = 40, MaxBytes = 5_000 });
        Assert.InRange(small.Bytes, 1_000, 5_000);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal(0, (await TryAsync(new TrialRequest { Point = point, Folder = _folder.Path, Files = 40, MaxBytes = 1 })).Files);
    }

    [Fact]
    public async Task What_is_damaged_in_the_vault_is_a_difference_and_nothing_stays()
    {
        RecoveryPoint point = await BackUpAsync();
        foreach (string pack in _backups.Objects.Names.Where(name => name.Contains("/packs/", StringComparison.Ordinal)).OrderByDescending(name => _backups.Objects.GetContent(name).Length).Take(1))
        {
            _backups.Objects.Damage(pack, content => [.. content.Select((value, at) => at > 60 && at < content.Length - 400 ? (byte)(value ^ 1) : value)]);
        }

        TrialResult trial = await TryAsync(new TrialRequest { Point = point, Folder = _folder.Path, Files = 40 });

        Assert.NotEmpty(trial.Differences);
        Assert.All(trial.Differences, difference => Assert.StartsWith("/data/", difference.Path, StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Stopped_it_leaves_nothing_behind()
    {
        RecoveryPoint point = await BackUpAsync();
        using UnlockedVault vault = await _backups.OpenAsync();
        using var stop = new CancellationTokenSource();
        IndexedVault indexed = await vault.IndexAsync(Cancel);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            indexed.TryRestoreAsync(new TrialRequest { Point = point, Folder = _folder["new"] }, new JobMonitor(), stop.Token));

        Assert.False(Directory.Exists(_folder["new"]));
    }

    private async Task<RecoveryPoint> BackUpAsync()
    {
        var tree = new FakeSourceTree("/data").Folder("");
        for (int file = 10; file < 50; file++)
        {
            tree.File($"{file}", TestKeys.Bytes(file, 1_000 + file));
        }

        _backups.Fakes["/data"] = tree;
        using UnlockedVault vault = await _backups.OpenAsync();
        return (await VaultFiles.BackUpAsync(vault, _backups.Job("/data"), new JobMonitor(), Cancel)).Point;
    }

    private async Task<TrialResult> TryAsync(TrialRequest request)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        return await (await vault.IndexAsync(Cancel)).TryRestoreAsync(request, new JobMonitor(), Cancel);
    }

    private async Task<IReadOnlyList<string>> DrawAsync(TrialRequest request, int seed)
    {
        using UnlockedVault vault = await _backups.OpenAsync();
        return [.. (await new TrialSample(request, seed).DrawAsync(await vault.IndexAsync(Cancel), Cancel)).Select(item => item.FullPath)];
    }
}
