using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>A sector that failed below one object stops nothing that needs it not.</summary>
public sealed class UnreadableObjectTests : IDisposable
{
    private readonly BackupFixture _backups = new();
    private readonly TempFolder _target = new();

    public void Dispose()
    {
        _backups.Dispose();
        _target.Dispose();
    }

    [Theory]
    [InlineData("/packs/")]
    [InlineData("/index/")]
    [InlineData("/points/")]
    [InlineData("/sessions/")]
    [InlineData("machines/")]
    [InlineData("settings/")]
    public async Task What_does_not_need_it_goes_on(string kind)
    {
        _backups.Tree.File("a", 200_000);
        await VaultWithSettingsAsync();
        BackupResult first = await _backups.BackUpAsync();
        _backups.Tree.File("b", 200_000);
        BackupResult second = await _backups.BackUpAsync();
        string[] unreadable =
        [
            .. _backups.Objects.Names.Where(
                name => name.Contains(kind, StringComparison.Ordinal) && !name.Contains($"{second.Point.SessionId}", StringComparison.Ordinal)),
        ];
        Assert.NotEmpty(unreadable);
        UnlockedVault engine = await _backups.OpenAsync(new UnreadableVaultStore(_backups.Objects, unreadable.Contains));
        var told = new List<BackupException>();

        RecoveryPointList points = await engine.ListPointsAsync(null, Cancel);
        Assert.Equal(second.Point.SessionId, points[0].SessionId);
        Assert.Equal(kind == "/points/" ? [first.Point.SessionId] : [], points.Damaged.Select(point => point.SessionId));
        Assert.Equal(2, (await engine.FindItemsAsync([points[0]], "[ab]", false, Cancel, told.Add).ToListAsync(Cancel)).Count);
        Assert.Equal(3, await engine.ListItemsAsync(points[0], null, recursive: true, Cancel, told.Add).CountAsync(Cancel));
        Assert.Equal(
            kind == "/index/",
            told.Exists(damage => damage.Id == BackupErrorId.VaultDataUnreadable && damage.Target!.Contains("/index/", StringComparison.Ordinal)));

        RestoreResult restored = await engine.RestoreAsync(new RestoreRequest { Point = points[0], TargetFolder = _target.Path }, new JobMonitor(), Cancel);
        Assert.Equal(kind == "/packs/" ? 1 : 0, restored.Skipped);
        Assert.Equal(await File.ReadAllBytesAsync($"{_backups.Root}/b", Cancel), await File.ReadAllBytesAsync($"{_target.Path}{_backups.Root}/b", Cancel));

        _backups.Tree.File("c", 1000);
        _backups.Clock.Advance(TimeSpan.FromMinutes(1));
        BackupResult third = await engine.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel);
        Assert.Contains($"{_backups.Root}/c", (await _backups.EntriesAsync(third.Point)).Keys);
    }

    private async Task VaultWithSettingsAsync()
    {
        await _backups.OpenAsync();
        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, settings => settings with { MachineLimit = 7 }, Cancel);
    }
}
