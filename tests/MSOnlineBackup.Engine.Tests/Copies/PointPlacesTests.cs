using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>Of each recovery point it is said whether it is in the vault, in its twins, or on its way there; and nothing is said of what could not be asked.</summary>
public sealed class PointPlacesTests : IDisposable
{
    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Fact]
    public async Task A_point_is_local_then_vaulted_and_in_the_cloud_only_once_the_vault_has_let_go_of_it()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2]);
        Assert.Equal([(first.SessionId, PointPlace.Local, 0)], await FindAsync());

        await _vaults.CopyAsync();
        RecoveryPoint second = await _vaults.Source.BackUpAsync([2, 3]);
        Assert.Equal([(second.SessionId, PointPlace.Local, 0), (first.SessionId, PointPlace.Vaulted, 1)], await FindAsync());

        await _vaults.EndAsync(_vaults.Source.Objects, first);
        Assert.Equal([(second.SessionId, PointPlace.Local, 0), (first.SessionId, PointPlace.CloudOnly, 1)], await FindAsync());
    }

    [Fact]
    public async Task While_a_copy_is_at_work_what_it_brings_is_copying_and_what_it_leaves_out_is_not()
    {
        await _vaults.CreateAsync();
        RecoveryPoint older = await _vaults.Source.BackUpAsync([1]);
        RecoveryPoint there = await _vaults.Source.BackUpAsync([2]);
        await _vaults.CopyAsync();
        await _vaults.EndAsync(_vaults.Twin, older);
        RecoveryPoint coming = await _vaults.Source.BackUpAsync([3]);
        List<(SessionId, PointPlace, int)>? during = null;
        var paused = new PausedVaultStore(
            _vaults.Twin, 1, async () => during = await FindAsync(), (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Pack);

        await _vaults.CopyAsync(to: paused);

        Assert.Equal(
            [(coming.SessionId, PointPlace.Copying, 0), (there.SessionId, PointPlace.Vaulted, 1), (older.SessionId, PointPlace.Local, 0)], during);
        Assert.Equal((coming.SessionId, PointPlace.Vaulted, 1), (await FindAsync())[0]);
    }

    [Fact]
    public async Task A_reader_or_a_backup_in_the_twin_is_no_copy_and_neither_is_a_copy_that_died_a_day_ago()
    {
        await _vaults.CreateAsync();
        RecoveryPoint point = await _vaults.Source.BackUpAsync([1]);
        List<(SessionId, PointPlace, int)>? during = null;
        var paused = new PausedVaultStore(
            _vaults.Twin, 1, async () => during = await FindAsync(), (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Pack);
        RecoveryPoint other = await _vaults.Source.BackUpAsync([7], through: paused, machine: "Other");
        Assert.Equal([(point.SessionId, PointPlace.Local, 0)], during);
        await _vaults.EndAsync(_vaults.Twin, other);

        var dying = new FaultyVaultStore(_vaults.Twin) { Kind = FaultKind.ForGood, FailAt = 1, Counts = (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Pack };
        await Assert.ThrowsAnyAsync<Exception>(() => _vaults.CopyAsync(to: dying));
        Assert.Equal(PointPlace.Copying, (await FindAsync())[0].Place);
        _vaults.Source.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal(PointPlace.Local, (await FindAsync())[0].Place);
    }

    [Fact]
    public async Task A_twin_that_cannot_be_asked_is_reported_and_nothing_is_said_to_be_local_because_of_it()
    {
        await _vaults.CreateAsync();
        MemoryVaultStore second = await _vaults.CreateTwinAsync(_vaults.Source.Objects);
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1]);
        await _vaults.CopyAsync();
        RecoveryPoint later = await _vaults.Source.BackUpAsync([2]);
        var away = new FaultyVaultStore(second) { Kind = FaultKind.ForGood, FailAt = 1 };

        PointPlaces places = await PlacesAsync(_vaults.Twin, away);

        Assert.Equal([(later.SessionId, PointPlace.Unknown), (first.SessionId, PointPlace.Vaulted)], places.Points.Select(point => (point.Point.SessionId, point.Place)));
        Assert.Equal(second.Location, Assert.Single(places.Failures).Location);

        using var other = new TwinnedVault();
        await other.CreateAsync();
        Assert.Equal(BackupErrorId.VaultNotTwin, Assert.Single((await PlacesAsync(other.Source.Objects)).Failures).Failure.Id);
    }

    [Fact]
    public async Task A_point_that_cannot_be_read_in_the_twin_is_no_copy()
    {
        await _vaults.CreateAsync();
        RecoveryPoint point = await _vaults.Source.BackUpAsync([1]);
        await _vaults.CopyAsync();
        string name = TwinnedVault.Names(_vaults.Twin, StoredKind.Point).Single();
        _vaults.Twin.FlipBit(name, 100);

        Assert.Equal([(point.SessionId, PointPlace.Local, 0)], await FindAsync());
    }

    private async Task<List<(SessionId Id, PointPlace Place, int Twins)>> FindAsync() =>
        [.. (await PlacesAsync(_vaults.Twin)).Points.Select(point => (point.Point.SessionId, point.Place, point.Twins.Count))];

    private async Task<PointPlaces> PlacesAsync(params IVaultStore[] twins)
    {
        using UnlockedVault vault = await _vaults.Source.Backups.OpenAsync();
        return await PointPlaces.FindAsync(vault, [.. twins.Select(twin => new TwinPlace(twin.Location, _ => _vaults.Source.Backups.OpenAsync(twin)))], null, Cancel);
    }
}
