using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>How often a job waits for a vault that is far away: what depends on nothing that is asked for is asked for at the same time.</summary>
public sealed class RoundTripTests : IDisposable
{
    private readonly BackupFixture _fixture = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_wait_for_a_distant_vault_a_few_times_only()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The tree is made by Linux calls.");
        foreach (int folder in Enumerable.Range(0, 40))
        {
            foreach (int file in Enumerable.Range(0, 200))
            {
                _fixture.Tree.File($"folder-{folder}/file-{file}", 200);
            }
        }

        // Points and index segments of a machine that has been at it for some days.
        foreach (int day in Enumerable.Range(0, 12))
        {
            _fixture.Tree.File($"folder-{day}/new", 1000, seed: day);
            await _fixture.BackUpAsync();
        }

        int change = 0;
        int changed = await CountAsync(15, async objects =>
        {
            _fixture.Tree.File("folder-1/later", 300_000, seed: ++change);
            await BackUpAsync(objects);
        });
        int unchanged = await CountAsync(13, async objects => await BackUpAsync(objects));
        int restored = await CountAsync(13, RestoreAsync);
        int verified = await CountAsync(22, async objects =>
            Assert.Empty((await (await _fixture.OpenAsync(objects, VaultUse.Read)).VerifyAsync(VerifyLevel.Structure, new JobMonitor(), Stop)).Findings));

        Assert.True(
            changed <= 15 && unchanged <= 13 && restored <= 13 && verified <= 22,
            $"changed {changed}, unchanged {unchanged}, restored {restored}, verified {verified}");
    }

    public void Dispose() => _fixture.Dispose();

    // A machine that is busy with something else makes the count too high, never too low: the least of some rounds is the count.
    private async Task<int> CountAsync(int enough, Func<IVaultStore, Task> job)
    {
        int least = int.MaxValue;
        for (int round = 0; round < 6 && least > enough; round++)
        {
            var distant = new DistantVaultStore(_fixture.Objects, TimeSpan.FromMilliseconds(60 << round));
            await job(distant);
            least = Math.Min(least, distant.RoundTrips);
        }

        return least;
    }

    private async Task<BackupResult> BackUpAsync(IVaultStore objects)
    {
        _fixture.Clock.Advance(TimeSpan.FromMinutes(1));
        return await (await _fixture.OpenAsync(objects, VaultUse.Write)).BackUpAsync(_fixture.Job(_fixture.Root), new JobMonitor(), Stop);
    }

    private async Task RestoreAsync(IVaultStore objects)
    {
        using var target = new TempFolder();
        UnlockedVault engine = await _fixture.OpenAsync(objects, VaultUse.Read);
        RecoveryPoint point = await engine.GetPointAsync("latest", BackupFixture.Machine, Stop);
        var request = new RestoreRequest { Point = point, TargetFolder = target.Path };
        RestoreResult result = await engine.RestoreAsync(request, new JobMonitor(), Stop);
        Assert.Equal(8013, result.Files);
    }
}
