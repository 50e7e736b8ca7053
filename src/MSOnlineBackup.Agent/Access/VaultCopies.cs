using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Access;

/// <summary>What this machine does for twins of vaults: it makes them, and copies recovery points to them. Its own vault, and twins of that, it opens by its own key.</summary>
public sealed class VaultCopies
{
    private readonly MachineAccount _machine;
    private readonly ClosedVaults _vaults;
    private readonly Func<string, IVaultStore> _createStore;
    private readonly VaultOptions _options;
    private readonly PolicyLimits _limits;
    private readonly PolicyStore _policies;

    internal VaultCopies(
        MachineAccount machine, ClosedVaults vaults, Func<string, IVaultStore> createStore, VaultOptions options, PolicyLimits limits, PolicyStore policies) =>
        (_machine, _vaults, _createStore, _options, _limits, _policies) = (machine, vaults, createStore, options, limits, policies);

    /// <summary>The copies of this machine's vault that it knows: its secondary region, and where its policies copy to.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public IReadOnlyList<VaultAddress> Known() => [.. new[] { _machine.Settings.SecondaryVault }.OfType<VaultAddress>()
        .Concat(_policies.List().SelectMany(policy => policy.CopyTo).Select(place => new VaultAddress(place))).DistinctBy(address => address.Location)];

    /// <summary>Says of each recovery point of this machine's vault and of the copies that it knows where it is.</summary>
    /// <param name="vault">This machine's vault.</param>
    /// <param name="machineName">Only points of this machine; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RecoveryOptionMissing where no copy is known; VaultUnreachable, … of the vault itself.</exception>
    public Task<PointPlaces> FindPlacesAsync(UnlockedVault vault, string? machineName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IReadOnlyList<VaultAddress> copies = Known();
        return copies.Count == 0
            ? throw new BackupException(
                BackupErrorId.RecoveryOptionMissing,
                "No copy of this machine's vault is known.",
                "Name one: Set-OBMachineSetting -SecondaryVault, or Set-OBPolicy -CopyTo. New-OBVault -TwinOf makes a copy.")
            : PointPlaces.FindAsync(
                vault,
                [.. copies.Select(copy => new TwinPlace(copy.Location, stop => OpenTwinAsync(vault, copy, new JobMonitor(), stop, VaultPatience.Person)))],
                machineName,
                cancellationToken);
    }

    /// <summary>Creates a twin of a vault; see <see cref="Vault.CreateTwinAsync"/>.</summary>
    /// <param name="location">Where.</param>
    /// <param name="original">The vault.</param>
    /// <param name="cancellationToken">Stops it; doing it again goes on.</param>
    /// <exception cref="BackupException">VaultExists; VaultNotFound, …</exception>
    public async Task<VaultInfo> CreateTwinAsync(string location, VaultAddress original, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        Vault known = await _vaults.OpenAsync(original, cancellationToken).ConfigureAwait(false);
        Vault twin = await Vault.CreateTwinAsync(_createStore(location), known, cancellationToken).ConfigureAwait(false);
        return await twin.InspectAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Copies recovery points to a twin; see <see cref="UnlockedVault.CopyToAsync"/>. Jobs of this machine may run meanwhile.</summary>
    /// <param name="from">The vault; null for this machine's own.</param>
    /// <param name="to">The twin.</param>
    /// <param name="passphrase">What opens both; null where this machine's key does.</param>
    /// <param name="points">The points that are to be copied, each by its id, the beginning of it, or <c>latest</c>; null for those of all machines.</param>
    /// <param name="request">What else is asked for.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; the next call goes on.</param>
    /// <param name="retention">The twin's own retention, see <see cref="CopyRetention"/>; null where it keeps what comes.</param>
    /// <exception cref="BackupException">PolicyLimitExceeded, PolicyInvalid of the retention; MachineNotRegistered; RecoveryOptionMissing where a passphrase is needed; PassphraseRejected, RecoveryPointNotFound; those of
    /// <see cref="UnlockedVault.CopyToAsync"/>.</exception>
    public async Task<VaultCopyReport> CopyAsync(
        VaultAddress? from,
        VaultAddress to,
        string? passphrase,
        IReadOnlyCollection<string>? points,
        VaultCopyRequest request,
        JobMonitor monitor,
        CancellationToken cancellationToken,
        RetentionPolicy? retention = null)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        if (retention is not null)
        {
            _limits.CheckRetention(retention);
        }

        Vault source = await OpenAsync(from, monitor, cancellationToken).ConfigureAwait(false);
        Vault place = await source.OpenTwinAsync(() => OpenAsync(to, monitor, cancellationToken)).ConfigureAwait(false);
        using UnlockedVault vault = await UnlockAsync(source, passphrase, cancellationToken).ConfigureAwait(false);
        using UnlockedVault twin = await vault.UnlockTwinAsync(place, passphrase, cancellationToken).ConfigureAwait(false);
        if (points is not null)
        {
            var named = new HashSet<SessionId>();
            foreach (string point in points)
            {
                named.Add((await vault.GetPointAsync(point, null, cancellationToken).ConfigureAwait(false)).SessionId);
            }

            request = request with { Points = named };
        }

        return await (retention is null
            ? vault.CopyToAsync(twin, request, monitor, cancellationToken)
            : new CopyRetention(retention, _options.TimeProvider).CopyAsync(vault, twin, request, monitor, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Brings the recovery points of a seed, to which first backups were made near their machines, into their vault: those that it lacks, whatever their age. Everything is verified
    /// on arrival, as by a copy, and where it was stopped, the next call goes on. What was deleted in the vault meanwhile stays so.
    /// </summary>
    /// <param name="folder">The seed's folder.</param>
    /// <param name="vault">The vault; null for this machine's own.</param>
    /// <param name="passphrase">What opens both; null where this machine's key does.</param>
    /// <param name="isRehearsal">Whether only the points are counted that would be brought.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; the next call goes on.</param>
    /// <exception cref="BackupException">ArgumentInvalid where it is no seed; VaultNotTwin where it is that of another vault; those of <see cref="CopyAsync"/>.</exception>
    public async Task<VaultCopyReport> ImportSeedAsync(
        string folder, VaultAddress? vault, string? passphrase, bool isRehearsal, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(monitor);
        Vault seed = await Vault.OpenAsync(_machine.Vault.OpenStore(folder, VaultPatience.Job, monitor.Waited), _options, cancellationToken).ConfigureAwait(false);
        seed.RequireSeed();
        Vault place = await OpenAsync(vault, monitor, cancellationToken).ConfigureAwait(false);
        seed.RequireTwin(place);
        using UnlockedVault from = await UnlockAsync(seed, passphrase, cancellationToken).ConfigureAwait(false);
        using UnlockedVault to = await from.UnlockTwinAsync(place, passphrase, cancellationToken).ConfigureAwait(false);
        return await from.CopyToAsync(to, new VaultCopyRequest { IncludesOlder = true, IsRehearsal = isRehearsal }, monitor, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Vault> OpenAsync(VaultAddress? vault, JobMonitor monitor, CancellationToken cancellationToken, VaultPatience patience = VaultPatience.Job)
    {
        if (vault is null || _machine.Vault.IsAt(vault.Location))
        {
            return await _machine.Vault.OpenAsync(_machine.Vault.OpenStore(patience, monitor.Waited), cancellationToken).ConfigureAwait(false);
        }

        return await Vault.OpenAsync(_machine.Vault.OpenStore(vault, patience, monitor.Waited), _options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Refuses a place that this machine's backups cannot go to as well.</summary>
    /// <exception cref="BackupException">VaultNotTwin; ArgumentInvalid where it is the same place; VaultNotFound, VaultUnreachable, …</exception>
    public async Task RequireTwinAsync(VaultAddress place, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        Vault vault = await _machine.Vault.OpenAsync(_machine.Vault.OpenStore(VaultPatience.Person, _ => { }), cancellationToken).ConfigureAwait(false);
        await vault.OpenTwinAsync(() => _vaults.OpenAsync(place, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Opens a twin of a vault that is open, by the same key.</summary>
    /// <exception cref="BackupException">VaultNotTwin, VaultNotFound, VaultUnreachable, …; RecoveryOptionMissing where a key was rotated in one of the two places.</exception>
    internal async Task<UnlockedVault> OpenTwinAsync(
        UnlockedVault vault, VaultAddress twin, JobMonitor monitor, CancellationToken cancellationToken, VaultPatience patience = VaultPatience.Job)
    {
        Vault place = await vault.Vault.OpenTwinAsync(() => OpenAsync(twin, monitor, cancellationToken, patience)).ConfigureAwait(false);
        return await vault.UnlockTwinAsync(place, passphrase: null, cancellationToken).ConfigureAwait(false);
    }

    private async Task<UnlockedVault> UnlockAsync(Vault vault, string? passphrase, CancellationToken cancellationToken)
    {
        if (passphrase is not null)
        {
            return await vault.UnlockAsync(passphrase, cancellationToken).ConfigureAwait(false);
        }

        if (_machine.Registration?.VaultId != vault.VaultId || !_machine.HasPassphrase)
        {
            throw TwinMaking.PassphraseNeeded(vault.Location, "this machine has no key for it", null);
        }

        using UnlockedKey key = _machine.Key.Read();
        return await vault.UnlockAsync(key, cancellationToken).ConfigureAwait(false);
    }
}
