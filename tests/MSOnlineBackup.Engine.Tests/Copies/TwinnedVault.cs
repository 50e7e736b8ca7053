using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>A vault and its twin in another place.</summary>
/// <param name="hasIndexCache">Whether all who work on either have their index in one cache.</param>
internal sealed class TwinnedVault(bool hasIndexCache = false) : IDisposable
{
    /// <summary>The vault that is backed up to.</summary>
    public MaintainedVault Source { get; } = new(hasIndexCache);

    /// <summary>Its twin.</summary>
    public MemoryVaultStore Twin { get; private set; } = null!;

    /// <summary>Makes both.</summary>
    public async Task CreateAsync()
    {
        await Source.CreateAsync();
        Twin = await CreateTwinAsync(Source.Objects);
    }

    /// <summary>Makes a twin of a vault.</summary>
    public async Task<MemoryVaultStore> CreateTwinAsync(IVaultStore original)
    {
        MemoryVaultStore twin = NewPlace();
        await Vault.CreateTwinAsync(twin, await Vault.OpenAsync(original, Source.Backups.Options, Cancel), Cancel);
        return twin;
    }

    /// <summary>An empty place.</summary>
    public MemoryVaultStore NewPlace() => new(Source.Clock) { Capabilities = Source.Objects.Capabilities };

    /// <summary>Copies from one to the other: from the vault to its twin where nothing else is said.</summary>
    public async Task<VaultCopyReport> CopyAsync(IVaultStore? from = null, IVaultStore? to = null, VaultCopyRequest? request = null, JobMonitor? monitor = null)
    {
        using UnlockedVault vault = await Source.Backups.OpenAsync(from);
        using UnlockedVault twin = await Source.Backups.OpenAsync(to ?? Twin);
        return await vault.CopyToAsync(twin, request ?? new VaultCopyRequest(), monitor ?? new JobMonitor(), Cancel);
    }

    /// <summary>The ids of the points that a place has.</summary>
    public async Task<IEnumerable<string>> ListAsync(IVaultStore place)
    {
        using UnlockedVault vault = await Source.Backups.OpenAsync(place);
        return (await vault.ListPointsAsync(null, Cancel)).Select(point => point.SessionId.ToString()).Order();
    }

    /// <summary>A place has exactly these points, each of their files byte for byte, and a verification of all data finds nothing.</summary>
    public async Task AssertHoldsAsync(IVaultStore place, params IReadOnlyCollection<RecoveryPoint> points)
    {
        Assert.Equal(points.Select(point => point.SessionId.ToString()).Order(), await ListAsync(place));
        using UnlockedVault vault = await Source.Backups.OpenAsync(place);
        VerifyReport report = await vault.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
        Assert.True(report.Findings.Count == 0, string.Join('\n', report.Findings));
        IndexedVault indexed = await vault.IndexAsync(Cancel);
        foreach (RecoveryPoint point in points)
        {
            await Source.AssertHoldsAsync(indexed, point);
        }
    }

    /// <summary>Maintains a place.</summary>
    public async Task<MaintenanceReport> MaintainAsync(IVaultStore place, MaintenanceRequest? request = null)
    {
        Source.Clock.Advance(TimeSpan.FromMinutes(1));
        using UnlockedVault vault = await Source.Backups.OpenAsync(place);
        return await vault.MaintainAsync(request ?? new MaintenanceRequest(), new JobMonitor(), Cancel);
    }

    /// <summary>Lets go of a point in a place for good, and there alone.</summary>
    public async Task EndAsync(IVaultStore place, RecoveryPoint point) => await OpenedVault.Of(await OpenStoreAsync(place)).EndAsync(point, Cancel);

    /// <summary>The chunk store of a place, its index read.</summary>
    public async Task<ChunkStore> OpenStoreAsync(IVaultStore place)
    {
        UnlockedVault vault = await Source.Backups.OpenAsync(place);
        return await vault.OpenStoreAsync(Cancel);
    }

    /// <summary>The names of a place that are of a kind.</summary>
    public static IReadOnlyList<string> Names(MemoryVaultStore place, StoredKind kind) =>
        [.. place.Names.Where(name => VaultLayout.KindOf(name, out _) == kind)];

    public void Dispose() => Source.Dispose();
}
