using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>A first backup that travels on a disk: it is made to a seed, and imported into the vault, which is whole at every moment.</summary>
public sealed class SeedTests : IDisposable
{
    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Fact]
    public async Task What_was_backed_up_to_a_seed_is_in_the_vault_once_it_was_imported_and_the_next_backup_sends_next_to_nothing()
    {
        await _vaults.CreateAsync();
        MemoryVaultStore seed = await MakeSeedAsync();
        int[] contents = [.. Enumerable.Range(1, 40)];
        RecoveryPoint point = await _vaults.Source.BackUpAsync(contents, seed);
        Assert.Empty(await _vaults.ListAsync(_vaults.Source.Objects));

        Assert.Equal((1, 0), Counts(await ImportAsync(seed)));

        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, point);
        RecoveryPoint next = await _vaults.Source.BackUpAsync([.. contents]);
        Assert.Equal(point.SessionId, next.ParentSessionId);
        Assert.True(next.StoredBytes < point.StoredBytes / 100, $"{next.StoredBytes} of {point.StoredBytes} bytes were sent.");
        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, point, next);
    }

    [Fact]
    public async Task Importing_again_does_nothing_and_what_was_deleted_meanwhile_stays_deleted()
    {
        await _vaults.CreateAsync();
        MemoryVaultStore seed = await MakeSeedAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2], seed);
        RecoveryPoint second = await _vaults.Source.BackUpAsync([2, 3], seed);
        Assert.Equal((2, 0), Counts(await ImportAsync(seed)));
        string[] before = [.. _vaults.Source.Objects.Names];

        VaultCopyReport again = await ImportAsync(seed);

        Assert.Equal((0, 2, 0L), (again.PointsCopied, again.PointsThere, again.StoredBytes));
        Assert.Equal(before, _vaults.Source.Objects.Names);
        await _vaults.EndAsync(_vaults.Source.Objects, first);
        Assert.Equal(0, (await ImportAsync(seed)).PointsCopied);
        Assert.Equal([second.SessionId.ToString()], await _vaults.ListAsync(_vaults.Source.Objects));
    }

    [Fact]
    public async Task A_vault_that_got_another_point_meanwhile_gets_the_older_one_of_the_seed_as_well()
    {
        await _vaults.CreateAsync();
        MemoryVaultStore seed = await MakeSeedAsync();
        RecoveryPoint onDisk = await _vaults.Source.BackUpAsync([1, 2, 3], seed);
        RecoveryPoint direct = await _vaults.Source.BackUpAsync([2, 3, 4]);
        RecoveryPoint other = await _vaults.Source.BackUpAsync([1], machine: "Other");

        Assert.Equal((1, 0), Counts(await ImportAsync(seed)));

        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, onDisk, direct, other);
        RecoveryPoint next = await _vaults.Source.BackUpAsync([2, 3, 4, 5]);
        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, onDisk, direct, other, next);
    }

    [Fact]
    public async Task A_seed_is_used_further_by_its_vault_and_is_no_place_for_another_nor_a_twin_a_seed()
    {
        await _vaults.CreateAsync();
        MemoryVaultStore seed = await MakeSeedAsync();
        Vault vault = await OpenAsync(_vaults.Source.Objects);
        string copy = (await OpenAsync(seed)).CopyId;
        Assert.Equal(copy, (await Vault.OpenSeedAsync(seed, vault, Cancel)).CopyId);

        using var others = new TwinnedVault();
        await others.CreateAsync();
        Vault other = await OpenAsync(others.Source.Objects);
        Assert.Equal(BackupErrorId.VaultNotTwin, (await Assert.ThrowsAsync<BackupException>(() => Vault.OpenSeedAsync(seed, other, Cancel))).Id);
        Assert.Equal(BackupErrorId.VaultExists, (await Assert.ThrowsAsync<BackupException>(() => Vault.OpenSeedAsync(_vaults.Twin, vault, Cancel))).Id);
        Assert.Equal(BackupErrorId.VaultExists, (await Assert.ThrowsAsync<BackupException>(() => Vault.OpenSeedAsync(_vaults.Source.Objects, vault, Cancel))).Id);

        // A twin of a seed, or of its vault, is none.
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(vault.RequireSeed).Id);
        Assert.False((await Vault.CreateTwinAsync(_vaults.NewPlace(), await OpenAsync(seed), Cancel)).IsSeed);
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Killed_at_any_call_an_import_leaves_whole_points_and_is_continued(FaultTiming timing)
    {
        await _vaults.CreateAsync();
        MemoryVaultStore seed = await MakeSeedAsync();
        RecoveryPoint onDisk = await _vaults.Source.BackUpAsync([1, 2], seed);
        RecoveryPoint[] points = [onDisk, await _vaults.Source.BackUpAsync([2, 3], seed), await _vaults.Source.BackUpAsync([3, 4])];
        int step = Campaign.IsBrief ? 4 : 1;
        bool wasDone = false;
        int at = Random.Shared.Next(step);
        for (; !wasDone; at += step)
        {
            MemoryVaultStore vault = _vaults.Source.Objects.Clone();
            try
            {
                await ImportAsync(seed, new FaultyVaultStore(vault) { FailAt = at + 1, Timing = timing, Kind = FaultKind.ForGood });
                wasDone = true;
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
            {
                HashSet<string> there = [.. await _vaults.ListAsync(vault)];
                await _vaults.AssertHoldsAsync(vault, [.. points.Where(point => there.Contains($"{point.SessionId}"))]);
                await ImportAsync(seed, vault);
            }

            await _vaults.AssertHoldsAsync(vault, points);
        }

        Assert.True(at > 15, $"It was killed at {at} calls only.");
    }

    private async Task<MemoryVaultStore> MakeSeedAsync()
    {
        MemoryVaultStore seed = _vaults.NewPlace();
        Assert.True((await Vault.OpenSeedAsync(seed, await OpenAsync(_vaults.Source.Objects), Cancel)).IsSeed);
        return seed;
    }

    private Task<Vault> OpenAsync(IVaultStore place) => Vault.OpenAsync(place, _vaults.Source.Backups.Options, Cancel);

    private Task<VaultCopyReport> ImportAsync(IVaultStore seed, IVaultStore? vault = null) =>
        _vaults.CopyAsync(seed, vault ?? _vaults.Source.Objects, new VaultCopyRequest { IncludesOlder = true }, new JobMonitor());

    private static (int Copied, int There) Counts(VaultCopyReport report) => (report.PointsCopied, report.PointsThere);
}
