using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults;

/// <summary>
/// What a vault lets be done with it that nobody has opened: everything that needs its store alone. Opened by a passphrase or a key, it is
/// an opened vault.
/// </summary>
public static class ClosedVault
{
    // See docs/vault-format.md, section 8. Every point is longer.
    private const int LongestFence = 256;

    /// <summary>Creates a vault in an empty store, with a first chunk store and a key slot for the passphrase.</summary>
    /// <param name="store">Empty.</param>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="options">The engine's options.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keepOwner">Keeps the owner's key, durably: there is no vault before it has returned. Null for a vault without an owner, of which nothing can be set.</param>
    /// <exception cref="BackupException">VaultExists, PassphraseInvalid, …; what <paramref name="keepOwner"/> throws.</exception>
    public static async Task<VaultInfo> CreateAsync(
        IVaultStore store, string passphrase, VaultOptions options, CancellationToken cancellationToken, Action<NewOwner>? keepOwner = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        Passphrase.Validate(passphrase);
        VaultHeader header = await VaultHeader.PrepareAsync(store, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        header = GiveOwner(header, store, keepOwner);
        await options.Keys(store, header).CreateStoreAsync(passphrase, cancellationToken).ConfigureAwait(false);
        await header.WriteAsync(store, cancellationToken).ConfigureAwait(false);
        return await InspectAsync(store, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Creates a vault that has no chunk store yet: each machine brings its own, or joins the one that its passphrase opens.</summary>
    /// <param name="store">Empty.</param>
    /// <param name="name">What its owner calls it: up to 100 characters, none of them a control character.</param>
    /// <param name="options">The engine's options.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keepOwner">As for <see cref="CreateAsync"/>.</param>
    /// <exception cref="BackupException">VaultExists, ArgumentInvalid, …; what <paramref name="keepOwner"/> throws.</exception>
    public static async Task<VaultInfo> CreateNamedAsync(
        IVaultStore store, string name, VaultOptions options, CancellationToken cancellationToken, Action<NewOwner>? keepOwner = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(options);
        VaultHeader header = await VaultHeader.PrepareAsync(store, options.TimeProvider, cancellationToken, name).ConfigureAwait(false);
        header = GiveOwner(header, store, keepOwner);
        await header.WriteAsync(store, cancellationToken).ConfigureAwait(false);
        return await InspectAsync(store, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads what can be known of a vault without a passphrase.</summary>
    /// <exception cref="BackupException">VaultHeaderInvalid, VaultFormatUnsupported; VaultDataCorrupt where its settings are damaged; …</exception>
    public static async Task<VaultInfo> InspectAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        var points = new List<StoredObject>();
        long objects = 0;
        long bytes = 0;
        await foreach (StoredObject found in store.ListAsync(string.Empty, cancellationToken).ConfigureAwait(false))
        {
            objects++;
            bytes += found.Length;
            if (VaultLayout.KindOf(found.Name, out _) == StoredKind.Point)
            {
                points.Add(found);
            }
        }

        int count = await ReadAhead.SelectAsync(
            points, store.Capabilities.MaxConcurrency, (found, token) => IsPointAsync(store, found, token), cancellationToken).CountAsync(isPoint => isPoint, cancellationToken).ConfigureAwait(false);

        IEnumerable<string> machines = (await MachineDirectory.ListAsync(store, header, cancellationToken).ConfigureAwait(false))
            .Where(machine => !machine.IsGone)
            .Select(machine => machine.Name);
        VaultSettings settings = await new VaultSettingsRegister(store, header).ReadAsync(cancellationToken).ConfigureAwait(false);
        VaultRedundancy? redundancy = store.Account is { } account ? await account.ReadRedundancyAsync(cancellationToken).ConfigureAwait(false) : null;
        return new VaultInfo(
            header.VaultId, header.Format, header.Created, store.Location, [.. machines], settings, count, objects, bytes, header.Name, redundancy, header.OwnerIdentity?.Fingerprint)
        {
            UnfinishedWrites = await store.MeasureUnfinishedAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>The machines that a vault knows, those that were unregistered too, by name. Needs no passphrase.</summary>
    /// <exception cref="BackupException">VaultHeaderInvalid, VaultFormatUnsupported, …</exception>
    public static async Task<IReadOnlyList<VaultMachine>> ListMachinesAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        return [.. (await MachineDirectory.ListAsync(store, header, cancellationToken).ConfigureAwait(false)).Select(machine => new VaultMachine(machine.Name, machine.Left))];
    }

    /// <summary>What the owner of a vault has decided for all of its machines.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged; VaultHeaderInvalid, VaultFormatUnsupported, …</exception>
    public static async Task<VaultSettings> ReadSettingsAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        return await new VaultSettingsRegister(store, header).ReadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes the settings of a vault, and returns them. Nothing that somebody else changes at the same time is lost.</summary>
    /// <param name="store">The vault.</param>
    /// <param name="owner">The key of its owner.</param>
    /// <param name="change">From the settings to those that are to hold; without side effects, for it may be called more than once.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where a value is out of its range; VaultSettingFixed where it is too late to change it; OwnerForeign where the key is not the owner's;
    /// VaultDataCorrupt where the settings are damaged; VaultHeaderInvalid, VaultFormatUnsupported, …</exception>
    public static async Task<VaultSettings> ChangeSettingsAsync(
        IVaultStore store,
        OwnerKey owner,
        Func<VaultSettings, VaultSettings> change,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(change);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        var register = new VaultSettingsRegister(store, header);
        VaultSettings before = await register.ReadAsync(cancellationToken).ConfigureAwait(false);
        bool isFixed = change(before).Redundancy != before.Redundancy && await HasPointsAsync(store, cancellationToken).ConfigureAwait(false);
        return await register.ChangeAsync(
            owner,
            current =>
            {
                VaultSettings changed = change(current);
                return isFixed && current.Redundancy is { } declared && changed.Redundancy != declared
                    ? throw new BackupException(
                        BackupErrorId.VaultSettingFixed,
                        $"The vault '{store.Location}' is declared {declared}, which cannot be changed while it holds recovery points.",
                        "Create another vault with the redundancy that you want, and back up to that one.",
                        store.Location)
                    : changed;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes a machine off a vault's list: it counts no longer, its jobs are refused until it registers again, and its name is free. Its
    /// recovery points stay, for whoever knows the passphrase.
    /// </summary>
    /// <param name="store">The vault.</param>
    /// <param name="owner">The key of its owner.</param>
    /// <param name="machineName">The machine, in upper or lower case.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered where the vault knows no such machine; OwnerForeign where the key is not the owner's;
    /// VaultHeaderInvalid, VaultFormatUnsupported, …</exception>
    public static async Task UnregisterMachineAsync(IVaultStore store, OwnerKey owner, string machineName, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentException.ThrowIfNullOrEmpty(machineName);
        ArgumentNullException.ThrowIfNull(clock);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        await MachineDirectory.LeaveAsync(store, header, owner, machineName, clock.GetUtcNow(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Compares every stored object with the checksum at its end; needs no passphrase.</summary>
    public static async Task<VerifyReport> VerifyPacksAsync(IVaultStore store, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(store);
        return await new KeylessVerifier(store, monitor).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a lost or damaged header, <c>vault.json</c>, anew from what the other objects of the vault say. Needs no passphrase.</summary>
    /// <param name="store">The vault.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="ownerFile">The path of the file of the vault's owner, for where no machine knows the owner, or they know different ones; else null. Only what stands in it
    /// in the clear is used.</param>
    /// <exception cref="BackupException">VaultHeaderNotRepaired: it is sound, or the objects say too little, or contradict each other;
    /// OwnerFileInvalid; OwnerForeign: the file is another vault's, or names another owner than the vault's machines;
    /// VaultHeaderInvalid: there is no vault; VaultFormatUnsupported, VaultAccessDenied, …</exception>
    public static async Task<HeaderRepairReport> RepairHeaderAsync(
        IVaultStore store, TimeProvider clock, CancellationToken cancellationToken, string? ownerFile = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(clock);
        return await new HeaderRepair(store, clock, ownerFile).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks for everything of a vault that is archived to become readable again; see <see cref="IVaultAccount.RehydrateAsync"/>.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: a folder has no archive; VaultHeaderInvalid, VaultAccessDenied, VaultUnreachable, …</exception>
    public static async Task<VaultRehydration> RehydrateAsync(IVaultStore store, bool urgently, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        IVaultAccount account = store.Account ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"The vault '{store.Location}' is a folder, which has no archive.",
            "Nothing needs to be rehydrated: read it as it is.",
            store.Location);

        // What is there may be archived itself, and not be readable; only where it is missing is this no vault.
        if (await store.StatAsync(VaultLayout.Header, cancellationToken).ConfigureAwait(false) is null)
        {
            await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        }

        return await account.RehydrateAsync(urgently, cancellationToken).ConfigureAwait(false);
    }

    // The key is kept before there is a vault: never is there one whose owner is nobody.
    private static VaultHeader GiveOwner(VaultHeader header, IVaultStore store, Action<NewOwner>? keepOwner)
    {
        if (keepOwner is null)
        {
            return header;
        }

        using var key = OwnerKey.Create();
        keepOwner(new NewOwner(key, header.VaultId, header.Name, store.Location, header.Created));
        return header with { Owner = key.Identity.Encode() };
    }

    private static async Task<bool> HasPointsAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        IReadOnlyList<KeyName> keys = await KeyRing.ListNamesAsync(store, VaultLayout.AllKeys, cancellationToken).ConfigureAwait(false);
        foreach (string storeId in keys.Select(key => key.StoreId).Distinct())
        {
            await foreach (StoredObject found in store.ListAsync(VaultLayout.Points(storeId), cancellationToken).ConfigureAwait(false))
            {
                if (await IsPointAsync(store, found, cancellationToken).ConfigureAwait(false))
                {
                    return true;
                }
            }
        }

        return false;
    }

    // Where a session was shut out, a fence stands in the place of its point: it is short, and only what is short is asked. What cannot be read is what its name says.
    private static async Task<bool> IsPointAsync(IVaultStore store, StoredObject found, CancellationToken cancellationToken)
    {
        if (found.Length > LongestFence)
        {
            return true;
        }

        byte[] beginning = new byte[SealedObject.HeaderLength];
        try
        {
            int read = await store.ReadAsync(found.Name, 0, beginning, cancellationToken).ConfigureAwait(false);
            return SealedObject.KindOf(beginning.AsSpan(0, read)) is null or SealedObjectKind.RecoveryPoint;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return true;
        }
    }
}
