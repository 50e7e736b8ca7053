using System.Text;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>Who reads for long, and has said so, is waited for.</summary>
public sealed class ReadingSessionTests : IDisposable
{
    private readonly MaintainedVault _vault = new();

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task What_a_point_needs_stays_as_long_as_somebody_reads_it_though_the_point_has_ended()
    {
        (RecoveryPoint point, IItemView view) = await OpenAsync();
        await using (ReadingSession reading = await ReadingSession.BeginAsync(await _vault.Backups.OpenStoreAsync(), Cancel))
        {
            await _vault.DropAsync(point);
            for (int hour = 0; hour < 20; hour++)
            {
                _vault.Clock.Advance(TimeSpan.FromHours(1));
                await _vault.MaintainAsync();
                await ReadAllAsync(view);
            }
        }

        await MaintainForDaysAsync();
        await Assert.ThrowsAsync<BackupException>(() => ReadAllAsync(view));
    }

    [Fact]
    public async Task Who_has_said_nothing_is_not_waited_for()
    {
        (RecoveryPoint point, IItemView view) = await OpenAsync();
        await _vault.DropAsync(point);

        await MaintainForDaysAsync();

        await Assert.ThrowsAsync<BackupException>(() => ReadAllAsync(view));
    }

    [Fact]
    public async Task Who_was_killed_is_taken_for_dead_after_a_day()
    {
        (RecoveryPoint point, IItemView view) = await OpenAsync();
        _ = await ReadingSession.BeginAsync(await _vault.Backups.OpenStoreAsync(), Cancel);
        await _vault.DropAsync(point);

        _vault.Clock.Advance(TimeSpan.FromHours(25));
        await MaintainForDaysAsync();

        await Assert.ThrowsAsync<BackupException>(() => ReadAllAsync(view));
        await _vault.BackUpAsync([3, 4]);
    }

    [Fact]
    public async Task Backups_go_on_beside_it()
    {
        await _vault.CreateAsync();
        await _vault.BackUpAsync([1, 2]);
        await using ReadingSession reading = await ReadingSession.BeginAsync(await _vault.Backups.OpenStoreAsync(), Cancel);

        RecoveryPoint point = await _vault.BackUpAsync([2, 3]);
        await _vault.MaintainAsync();

        Assert.Equal(2, (await _vault.RestoreAsync(point)).Whole);
        Assert.Empty((await _vault.VerifyAsync()).Findings);
    }

    private static async Task ReadAllAsync(IItemView view)
    {
        ViewItem folder = (await view.FindAsync(view.Root.Id, Encoding.UTF8.GetBytes(Backup.BackupFixture.Machine), Cancel))!;
        foreach (int number in (int[])[1, 2])
        {
            ViewItem file = (await view.FindAsync(folder.Id, Encoding.UTF8.GetBytes($"{number}"), Cancel))!;
            byte[] content = new byte[file.Entry.Size];
            await view.ReadAsync(file.Id, 0, content, Cancel);
            Assert.Equal(MaintainedVault.Content(number), content);
        }
    }

    private async Task MaintainForDaysAsync()
    {
        for (int day = 0; day < 5; day++)
        {
            _vault.Clock.Advance(TimeSpan.FromDays(1));
            await _vault.BackUpAsync([10 + day]);
            await _vault.MaintainAsync();
        }
    }

    private async Task<(RecoveryPoint Point, IItemView View)> OpenAsync()
    {
        await _vault.CreateAsync();
        RecoveryPoint point = await _vault.BackUpAsync([1, 2]);
        await _vault.BackUpAsync([3]);
        UnlockedVault vault = await _vault.Backups.OpenAsync();
        IItemView view = await (await vault.IndexAsync(Cancel)).OpenViewAsync(point, new ViewOptions { CacheBytes = 1 }, Cancel);
        await ReadAllAsync(view);
        return (point, view);
    }
}
