using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>Consents that can be good for nothing any more are deleted by maintenance, and none of them is good again, whoever puts it back.</summary>
public sealed class ConsentTidyingTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task What_was_used_or_has_expired_goes_and_what_is_good_stays()
    {
        RecoveryPoint[] points = await MakeAsync(5);
        await UseAsync(points[0], await PinAsync());
        await PinAsync();
        _backups.Clock.Advance(TimeSpan.FromDays(3));
        await MaintainAsync();
        string good = await PinAsync();

        Assert.Equal(["consents/00000002.over", "consents/00000003"], Consents());
        await MaintainAsync();
        Assert.Equal(["consents/00000002.over", "consents/00000003"], Consents());
        await UseAsync(points[1], good);
        _backups.Clock.Advance(TimeSpan.FromDays(3));
        await MaintainAsync();

        Assert.Equal(["consents/00000003.over"], Consents());
        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings);
        string next = await PinAsync();
        Assert.Equal(["consents/00000003.over", "consents/00000004"], Consents());
        await UseAsync(points[2], next);
    }

    // A machine may create objects, and may have kept a copy of what it saw.
    [Fact]
    public async Task A_copy_that_is_put_back_is_not_good_again()
    {
        RecoveryPoint[] points = await MakeAsync(4);
        string code = await PinAsync();
        byte[] copy = _backups.Objects.GetContent("consents/00000001");
        await UseAsync(points[0], code);
        _backups.Clock.Advance(TimeSpan.FromDays(3));
        await MaintainAsync();
        Assert.DoesNotContain("consents/00000001.used", Consents());

        Assert.True(await _backups.Objects.TryCreateAsync("consents/00000001", copy, Cancel));

        Assert.Equal(BackupErrorId.SecurityPinRejected, (await Assert.ThrowsAsync<BackupException>(() => UseAsync(points[1], code))).Id);
        await UseAsync(points[1], await PinAsync());
    }

    [Fact]
    public async Task Stopped_anywhere_it_makes_none_good_again()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        string code = await PinAsync();
        byte[] copy = _backups.Objects.GetContent("consents/00000001");
        await UseAsync(points[0], code);
        _backups.Clock.Advance(TimeSpan.FromDays(3));
        for (int deletions = 0; deletions < 2; deletions++)
        {
            ConsentNames names = await ConsentNames.ListAsync(_backups.Objects, Cancel);
            int left = deletions;
            var stopping = new WatchedVaultStore(_backups.Objects, _ => { }, _ => left-- == 0 ? throw new OperationCanceledException() : Task.CompletedTask);
            await Assert.ThrowsAsync<OperationCanceledException>(() => names.TidyAsync(stopping, _backups.Clock.GetUtcNow(), Cancel));
            await _backups.Objects.TryCreateAsync("consents/00000001", copy, Cancel);

            Assert.Equal(BackupErrorId.SecurityPinRejected, (await Assert.ThrowsAsync<BackupException>(() => UseAsync(points[1], code))).Id);
        }
    }

    [Fact]
    public async Task A_clock_that_leapt_back_keeps_them()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        string code = await PinAsync();
        await UseAsync(points[0], code);
        _backups.Clock.JumpTo(_backups.Clock.GetUtcNow().AddYears(-1));

        ConsentNames names = await ConsentNames.ListAsync(_backups.Objects, Cancel);

        Assert.Equal(0, await names.TidyAsync(_backups.Objects, _backups.Clock.GetUtcNow(), Cancel));
    }

    private async Task<RecoveryPoint[]> MakeAsync(int count)
    {
        var points = new List<RecoveryPoint>();
        for (int i = 0; i < count; i++)
        {
            _backups.Tree.File($"{i}", [(byte)i]);
            points.Add((await _backups.BackUpAsync()).Point);
        }

        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, settings => settings with { RequiresPin = true }, Cancel);
        return [.. points];
    }

    private async Task<string> PinAsync() => (await (await _backups.OpenAsync()).Vault.Guard.IssuePinAsync(_backups.Owner.Key, Cancel)).Code;

    private async Task UseAsync(RecoveryPoint point, string code) => await (await _backups.OpenAsync()).Deletions.DeleteAsync(point, "", Cancel, new Consent(code));

    private async Task MaintainAsync()
    {
        await _backups.BackUpAsync();
        MaintenanceReport report = await (await _backups.OpenAsync()).MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);
        Assert.Empty(report.Findings);
    }

    private string[] Consents() => [.. _backups.Objects.Names.Where(name => name.StartsWith("consents/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
