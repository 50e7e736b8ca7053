using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Keys;

/// <summary>The key slots of a vault's chunk stores.</summary>
/// <param name="vault">The vault. Its options say how the keys of new slots are derived from a passphrase, and whether a passphrase is tried on every slot.</param>
internal sealed class KeyRing(KnownVault vault)
{
    /// <summary>How many slots a passphrase is tried on, and what they may cost together: that of as many slots as are made by default.</summary>
    public const int MaxTried = 128;
    public const long MaxWork = MaxTried * (3L << 16);

    // How many slots are looked at, and how many a Key Vault is asked to unwrap: each costs a request.
    private const int MaxRead = 1024;
    private const int MaxUnwrapped = 64;

    /// <summary>The key of the store that a passphrase opens; where it opens none, of one that is made for it. Of those who bring it at once all get the same.</summary>
    /// <exception cref="BackupException">PassphraseInvalid, KeySlotDamaged, …</exception>
    public async Task<UnlockedKey> EnterAsync(string passphrase, CancellationToken cancellationToken)
    {
        var refused = new HashSet<KeyName>();
        UnlockedKey key;
        try
        {
            KeyListing listing = await KeyListing.ReadAsync(vault.Objects, cancellationToken).ConfigureAwait(false);
            key = await UnlockAsync(passphrase, listing, cancellationToken, refused).ConfigureAwait(false);
        }
        // Of a vault with very many stores not all were tried: a store of its own serves as well.
        catch (BackupException e) when (e.Id is BackupErrorId.PassphraseRejected or BackupErrorId.KeySlotNotFound or BackupErrorId.KeySlotsNotTried)
        {
            return await BeginStoreAsync(passphrase, cancellationToken, refused).ConfigureAwait(false);
        }

        return await SettleAsync(key, passphrase, cancellationToken, refused).ConfigureAwait(false);
    }

    /// <summary>
    /// Before something is written: sees to it that whoever brings the passphrase finds the same store. A slot that the order of passphrases does not name is from before there
    /// was an order; or, where its store holds nothing, of somebody who was stopped, or slower than another and about to remove it.
    /// </summary>
    /// <param name="key">What the passphrase opened.</param>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="refused">Slots that are known not to open by the passphrase.</param>
    /// <returns>The key; or that of another store, and then the first is disposed of.</returns>
    public async Task<UnlockedKey> SettleAsync(UnlockedKey key, string passphrase, CancellationToken cancellationToken, HashSet<KeyName>? refused = null)
    {
        if (key.IsNamed)
        {
            return key;
        }

        UnlockedKey? other = await HoldsAnythingAsync(key.StoreId, cancellationToken).ConfigureAwait(false)
            ? await NameAsync(key, passphrase, refused ?? [], cancellationToken).ConfigureAwait(false)
            : await BeginStoreAsync(passphrase, cancellationToken, refused).ConfigureAwait(false);
        if (other is null)
        {
            return key with { IsNamed = true };
        }

        key.Dispose();
        return other;
    }

    /// <summary>Makes a chunk store for a passphrase that opens none. Where somebody else was faster, it is that one's.</summary>
    public async Task<UnlockedKey> BeginStoreAsync(string passphrase, CancellationToken cancellationToken, HashSet<KeyName>? refused = null)
    {
        UnlockedKey made = await CreateStoreAsync(passphrase, cancellationToken).ConfigureAwait(false);
        if (await NameAsync(made, passphrase, refused ?? [], cancellationToken).ConfigureAwait(false) is not { } other)
        {
            return made with { IsNamed = true };
        }

        made.Dispose();
        try
        {
            await FileOf(made.StoreId, made.KeyId).RemoveAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            // A machine need not be allowed to. Nobody takes a slot that the order does not name, of a store that holds nothing.
        }

        return other;
    }

    /// <summary>Makes a chunk store with a fresh master key and a first slot. Nothing may be written to it before its slot is named.</summary>
    public async Task<UnlockedKey> CreateStoreAsync(string passphrase, CancellationToken cancellationToken)
    {
        var storeId = StoreId.Create();
        byte[] master = RandomNumberGenerator.GetBytes(StoreKeys.MasterKeyLength);
        return new UnlockedKey(storeId, await WriteAsync(storeId, master, passphrase, null, 0, cancellationToken).ConfigureAwait(false), master);
    }

    /// <summary>Finds the store that the passphrase opens.</summary>
    /// <param name="storeId">Only this one; null for any.</param>
    /// <exception cref="BackupException">PassphraseRejected; where no slot opens and one cannot be read, what is wrong with that one: KeySlotDamaged, VaultFormatUnsupported, …</exception>
    public async Task<UnlockedKey> UnlockAsync(string passphrase, CancellationToken cancellationToken, StoreId? storeId = null)
    {
        KeyListing listing = await KeyListing.ReadAsync(vault.Objects, cancellationToken, storeId).ConfigureAwait(false);
        return await UnlockAsync(passphrase, listing, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Finds it among slots that were listed. Those that the order of passphrases names come first: the others are of stores that somebody else was faster to make, or from before
    /// there was an order. Then they are tried in the order of what they cost, then of their names.
    /// </summary>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="listing">What was listed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="refused">Gets the slots that do not open, with 0 for an epoch; null for nobody.</param>
    public async Task<UnlockedKey> UnlockAsync(string passphrase, KeyListing listing, CancellationToken cancellationToken, HashSet<KeyName>? refused = null)
    {
        BackupException? damage = null;
        IReadOnlyList<KeyName> names = listing.Slots;
        Task<IReadOnlySet<(StoreId, string)>> naming = new KeyOrder(vault).ReadAsync(listing.Order, cancellationToken);
        Task<List<FoundSlot>> finding = FindAsync(vault.Objects, vault.VaultId, Bounded(names), cancellationToken).ToListAsync(cancellationToken).AsTask();
        await Task.WhenAll(naming, finding).ConfigureAwait(false);
        List<FoundSlot> found = await finding.ConfigureAwait(false);
        IReadOnlySet<(StoreId, string)> named = await naming.ConfigureAwait(false);
        int left = names.Count - found.Count;
        int tried = 0;
        long work = 0;
        UnlockedKey? outdated = null;
        UnlockedKey? empty = null;
        foreach (FoundSlot slot in found
            .OrderBy(slot => !named.Contains((slot.StoreId, slot.KeyId))).ThenBy(slot => slot.Slot?.Derivation?.Work ?? 0).ThenByDescending(slot => slot.Slot?.Epoch ?? 0))
        {
            // One that was removed since it was listed is no damage.
            damage = slot.Damage is { Id: not BackupErrorId.VaultDataMissing } ? slot.Damage : damage;
            if (slot.Slot?.Derivation is not { } needed || (outdated is { IsNamed: true } && slot.StoreId != outdated.StoreId))
            {
                continue;
            }

            // Whoever may write to the vault may put slots there: they must not keep everybody busy.
            if (!vault.Options.TriesEveryKeySlot && (tried == MaxTried || work + needed.Work > MaxWork))
            {
                left++;
                continue;
            }

            tried++;
            work += needed.Work;
            try
            {
                if (slot.Slot.TryOpen(passphrase) is { } master)
                {
                    UnlockedKey key = await CompleteAsync(slot, master, cancellationToken).ConfigureAwait(false) with { IsNamed = named.Contains((slot.StoreId, slot.KeyId)) };
                    if (!key.IsNamed && !await HoldsAnythingAsync(key.StoreId, cancellationToken).ConfigureAwait(false))
                    {
                        empty ??= key;
                    }
                    else if (!key.IsOutdated)
                    {
                        return key;
                    }

                    else
                    {
                        // Another slot may lead to the newest key.
                        outdated = outdated is null || key.Epoch > outdated.Epoch ? key : outdated;
                    }
                }
                else
                {
                    refused?.Add(new KeyName(slot.StoreId, slot.KeyId, 0));
                }
            }
            catch (BackupException e) when (IsOfOneSlot(e))
            {
                damage = e;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        if ((outdated ?? empty) is { } opened)
        {
            return opened;
        }

        throw left > 0 ? TooMany($"None of the {tried} that were tried opens with this passphrase; {left} were left out, as together they would take too long")
            : damage ?? (names.Count > 0
            ? new BackupException(
                BackupErrorId.PassphraseRejected,
                $"No key slot of the vault in '{vault.Location}' opens with this passphrase.",
                "Check the passphrase (capital letters, spaces at the ends). A lost passphrase cannot be recovered; another key slot's passphrase opens the vault as well.",
                vault.Location)
            : new BackupException(
                BackupErrorId.KeySlotNotFound,
                $"The vault in '{vault.Location}' has no key slots.",
                "Bring the files below 'keys' back from a copy of the vault; without them the data cannot be opened.",
                vault.Location));
    }

    /// <summary>
    /// Finds the store that a Key Vault key opens. Whoever knows the public half of that key and may write to the vault can make a slot that
    /// opens with a master key of theirs: so all slots of the key must open the same store, and no slot of that store may know another key.
    /// </summary>
    /// <param name="storeId">Only this one; null for any.</param>
    /// <exception cref="BackupException">KeySlotNotFound, KeySlotContradicted; where no slot opens, what is wrong with one: KeySlotDamaged, KeyVaultAccessDenied, …</exception>
    public async Task<UnlockedKey> UnlockAsync(IKeyEncryptionKey key, CancellationToken cancellationToken, StoreId? storeId = null)
    {
        KeyListing listing = await KeyListing.ReadAsync(vault.Objects, cancellationToken, storeId).ConfigureAwait(false);
        return await UnlockAsync(key, listing.Slots, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds it among slots that were listed.</summary>
    public async Task<UnlockedKey> UnlockAsync(IKeyEncryptionKey key, IReadOnlyList<KeyName> names, CancellationToken cancellationToken)
    {
        BackupException? damage = null;
        UnlockedKey? opened = null;
        List<FoundSlot> slots = await FindAsync(vault.Objects, vault.VaultId, Bounded(names), cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        List<FoundSlot> mine = slots.FindAll(found => found.Slot?.IsFor(key) == true);
        if (!vault.Options.TriesEveryKeySlot && (slots.Count < names.Count || mine.Count > MaxUnwrapped))
        {
            // Those that were left out might contradict the others.
            throw TooMany($"{names.Count} are there, and the Key Vault would be asked for {mine.Count} of those that were read");
        }

        foreach (FoundSlot found in mine)
        {
            try
            {
                byte[] master = await found.Slot!.OpenAsync(key, cancellationToken).ConfigureAwait(false);
                if (opened is not null && opened.StoreId != found.StoreId)
                {
                    throw Contradicted(key, $"opens the chunk stores {opened.StoreId} and {found.StoreId}");
                }

                UnlockedKey completed = await CompleteAsync(found, master, cancellationToken).ConfigureAwait(false);
                opened = opened is null || completed.Epoch > opened.Epoch ? completed : opened;
            }
            catch (BackupException e) when (IsOfOneSlot(e) || e.Id is BackupErrorId.KeyVaultKeyUnusable or BackupErrorId.KeyVaultKeyNotFound)
            {
                // A version of the key that is disabled or gone: the slot of a newer one may open.
                damage = e;
            }
        }

        if (opened is null)
        {
            throw damage ?? new BackupException(
                BackupErrorId.KeySlotNotFound,
                $"The vault in '{vault.Location}' has no key slot for the Key Vault key '{key.Id}'.",
                "'obengine key list' with a passphrase shows the slots; 'obengine key add --new-key-vault-key' adds one.",
                vault.Location);
        }

        return slots.Exists(found => found.StoreId == opened.StoreId && found.Slot?.EpochNumber == opened.Epoch && !found.Slot.Proves(opened.MasterKey))
            ? throw Contradicted(key, $"opens another master key of the chunk store {opened.StoreId} than its other key slots")
            : opened;
    }

    /// <summary>Adds a slot for a passphrase.</summary>
    /// <exception cref="BackupException">PassphraseTaken: it opens another chunk store of this vault; PassphraseInvalid.</exception>
    public async Task<string> AddAsync(StoreId storeId, byte[] master, string passphrase, string? label, CancellationToken cancellationToken, byte epoch = 0)
    {
        KeyListing listing = await KeyListing.ReadAsync(vault.Objects, cancellationToken).ConfigureAwait(false);
        var refused = new HashSet<KeyName>();
        try
        {
            using UnlockedKey taken = await UnlockAsync(
                passphrase, listing with { Slots = [.. listing.Slots.Where(name => name.StoreId != storeId)] }, cancellationToken, refused).ConfigureAwait(false);
            if (taken.IsNamed || await HoldsAnythingAsync(taken.StoreId, cancellationToken).ConfigureAwait(false))
            {
                throw Taken(taken.StoreId);
            }
        }
        catch (BackupException e) when (IsOfOneSlot(e) || e.Id is BackupErrorId.PassphraseRejected or BackupErrorId.KeySlotNotFound or BackupErrorId.KeySlotsNotTried)
        {
            // Slots of other stores that are damaged, or too many, keep nobody from adding one.
        }

        string keyId = await WriteAsync(storeId, master, passphrase, label, epoch, cancellationToken).ConfigureAwait(false);
        try
        {
            using UnlockedKey? other = await NameAsync(new KeyName(storeId, keyId, 0), passphrase, refused, isStrict: false, cancellationToken).ConfigureAwait(false);
            return other is null ? keyId : throw Taken(other.StoreId);
        }
        catch (BackupException e) when (!e.IsTransient)
        {
            // Somebody else has brought the passphrase at the same moment.
            await FileOf(storeId, keyId).RemoveAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private Task<string> WriteAsync(StoreId storeId, byte[] master, string passphrase, string? label, byte epoch, CancellationToken cancellationToken)
    {
        string keyId = IdDigits.Create();
        var slot = KeySlot.Create(
            passphrase, master, new KeySlotIdentity(vault.VaultId, storeId, keyId), vault.Options.Derivation ?? PassphraseDerivation.Best, label, vault.Clock.GetUtcNow(), epoch);
        return WriteAsync(storeId, keyId, slot, cancellationToken);
    }

    private async Task<bool> HoldsAnythingAsync(StoreId storeId, CancellationToken cancellationToken) =>
        await vault.Objects.ListAsync(VaultLayout.Store(storeId), cancellationToken).AnyAsync(cancellationToken).ConfigureAwait(false);

    private BackupException Taken(StoreId storeId) => new(
        BackupErrorId.PassphraseTaken,
        $"This passphrase opens another chunk store of the vault in '{vault.Location}', {storeId}.",
        "Choose a passphrase of its own for each chunk store: one that opened two could not say which is meant. A new machine that is to share the data of that store is registered with its passphrase.",
        vault.Location);

    private Task<UnlockedKey?> NameAsync(UnlockedKey key, string passphrase, HashSet<KeyName> refused, CancellationToken cancellationToken) =>
        NameAsync(new KeyName(key.StoreId, key.KeyId, 0), passphrase, refused, isStrict: true, cancellationToken);

    private Task<UnlockedKey?> NameAsync(KeyName slot, string passphrase, HashSet<KeyName> refused, bool isStrict, CancellationToken cancellationToken) => new KeyOrder(vault).NameAsync(
        slot,
        named => refused.Contains(named) ? Task.FromResult<UnlockedKey?>(null) : TryOpenAsync(named, passphrase, isStrict, cancellationToken),
        cancellationToken);

    // One that the order names, whatever a listing shows of it.
    private async Task<UnlockedKey?> TryOpenAsync(KeyName name, string passphrase, bool isStrict, CancellationToken cancellationToken)
    {
        KeySlot slot;
        try
        {
            slot = await FileOf(name.StoreId, name.KeyId).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing || (!isStrict && IsOfOneSlot(e)))
        {
            return null;
        }

        if (slot.TryOpen(passphrase) is not { } master)
        {
            return null;
        }

        KeyListing listing = await KeyListing.ReadAsync(vault.Objects, cancellationToken, name.StoreId).ConfigureAwait(false);
        byte newest = listing.Slots.Select(listed => listed.NewestEpoch).DefaultIfEmpty().Max();
        return await CompleteAsync(new FoundSlot(name.StoreId, name.KeyId, slot, null, newest), master, cancellationToken).ConfigureAwait(false) with { IsNamed = true };
    }

    /// <summary>Adds a slot for a Key Vault key.</summary>
    /// <exception cref="BackupException">KeyVaultKeyTaken: it opens another chunk store of this vault; what the Key Vault refuses.</exception>
    public async Task<string> AddAsync(StoreId storeId, byte[] master, IKeyEncryptionKey key, string? label, CancellationToken cancellationToken, byte epoch = 0)
    {
        await foreach (FoundSlot found in FindAsync(storeId: null, cancellationToken).ConfigureAwait(false))
        {
            if (found.StoreId != storeId && found.Slot?.IsFor(key) == true)
            {
                throw new BackupException(
                    BackupErrorId.KeyVaultKeyTaken,
                    $"The Key Vault key '{key.Id}' opens another chunk store of the vault in '{vault.Location}', {found.StoreId}.",
                    "Make a key of its own for each chunk store: a key that opened two could not say which is meant.",
                    key.Id);
            }
        }

        string keyId = IdDigits.Create();
        KeySlot slot = await KeySlot.CreateAsync(
            key, master, new KeySlotIdentity(vault.VaultId, storeId, keyId), label, vault.Clock.GetUtcNow(), cancellationToken, epoch).ConfigureAwait(false);
        return await WriteAsync(storeId, keyId, slot, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The slots of a store; one that cannot be read is null.</summary>
    public async Task<IReadOnlyList<(string KeyId, KeySlot? Slot)>> ListAsync(StoreId storeId, CancellationToken cancellationToken)
    {
        var slots = new List<(string, KeySlot?)>();
        await foreach (FoundSlot found in FindAsync(storeId, cancellationToken).ConfigureAwait(false))
        {
            slots.Add((found.KeyId, found.Slot));
        }

        return slots;
    }

    /// <summary>Removes a slot.</summary>
    /// <exception cref="BackupException">KeySlotNotFound, KeySlotIsLast.</exception>
    public async Task RemoveAsync(StoreId storeId, string keyId, CancellationToken cancellationToken)
    {
        IReadOnlyList<(string KeyId, KeySlot? Slot)> slots = await ListAsync(storeId, cancellationToken).ConfigureAwait(false);
        if (!slots.Any(slot => slot.KeyId == keyId))
        {
            throw new BackupException(
                BackupErrorId.KeySlotNotFound,
                $"There is no key slot '{keyId}'.",
                "'obengine key list' shows the slots.",
                keyId);
        }

        // What opens an earlier master key only does not open what was written since.
        byte newest = (await KeyListing.ReadAsync(vault.Objects, cancellationToken, storeId).ConfigureAwait(false)).Slots.Max(slot => slot.NewestEpoch);
        ThrowIfLast(slots);
        KeySlotFile file = FileOf(storeId, keyId);
        await file.RemoveAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Somebody else may have removed the others at the same time. Of several, at least the slowest sees it here.
            ThrowIfLast(await ListAsync(storeId, CancellationToken.None).ConfigureAwait(false));
        }
        catch (BackupException) when (slots.FirstOrDefault(slot => slot.KeyId == keyId).Slot is { } removed)
        {
            // The one name that comes back, with the content that it had.
            await file.BringBackAsync(removed, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        void ThrowIfLast(IReadOnlyList<(string KeyId, KeySlot? Slot)> known)
        {
            if (!known.Any(slot => slot.KeyId != keyId && slot.Slot?.EpochNumber >= newest))
            {
                throw new BackupException(
                    BackupErrorId.KeySlotIsLast,
                    $"Key slot '{keyId}' is the last that opens this data; without it everything would be lost.",
                    "Add another key slot first: 'obengine key add'.",
                    keyId);
            }
        }
    }

    /// <summary>
    /// Sees to it that a key that came from elsewhere than a passphrase is the store's own, and that a slot is there that
    /// opens what is written with it.
    /// </summary>
    /// <exception cref="BackupException">KeyFileInvalid, KeySlotNotFound, KeySlotDamaged.</exception>
    public async Task<UnlockedKey> VerifyAsync(UnlockedKey key, CancellationToken cancellationToken) =>
        await VerifyAsync(key, (await KeyListing.ReadAsync(vault.Objects, cancellationToken, key.StoreId).ConfigureAwait(false)).Slots, cancellationToken).ConfigureAwait(false);

    /// <summary>Sees to it by slots that were listed. Returns the key with the master keys before it, which shares its bytes.</summary>
    public async Task<UnlockedKey> VerifyAsync(UnlockedKey key, IReadOnlyList<KeyName> names, CancellationToken cancellationToken)
    {
        // A listing may be older than the slot.
        KeyName[] own = [.. names.Where(name => name.StoreId == key.StoreId).DefaultIfEmpty(new KeyName(key.StoreId, key.KeyId, 0))];
        List<FoundSlot> slots = await FindAsync(vault.Objects, vault.VaultId, own, cancellationToken)
            .Where(slot => slot.Damage?.Id != BackupErrorId.VaultDataMissing).ToListAsync(cancellationToken).ConfigureAwait(false);
        if (!slots.Any(slot => slot.Slot is not null))
        {
            throw new BackupException(
                slots.Count == 0 ? BackupErrorId.KeySlotNotFound : BackupErrorId.KeySlotDamaged,
                $"The vault in '{vault.Location}' has no sound key slot of the chunk store {key.StoreId}: nothing would open what is written to it.",
                "Bring the files below 'keys' back from a copy of the vault.",
                vault.Location);
        }

        if (slots.Find(slot => slot.Slot?.Proves(key.MasterKey) == true) is not { } proof)
        {
            throw new BackupException(
                BackupErrorId.KeyFileInvalid,
                $"The key of this machine is not that of the chunk store {key.StoreId} in the vault '{vault.Location}'.",
                "Run 'Repair-OBKey' with the passphrase. If it says that the passphrase is wrong, or that the store is another one, the vault was exchanged: bring it back from a copy.",
                vault.Location,
                errorCode: "34506");
        }

        return await CompleteAsync(proof, key.MasterKey, cancellationToken).ConfigureAwait(false) with { KeyId = key.KeyId };
    }

    /// <summary>Begins a new epoch of a store's master key, with a slot for a passphrase.</summary>
    /// <exception cref="BackupException">PassphraseInvalid; KeyEpochOutdated where the key is not the newest, or somebody else rotates it at the same time.</exception>
    public Task<UnlockedKey> RotateAsync(UnlockedKey key, string passphrase, string? label, CancellationToken cancellationToken) =>
        RotateAsync(key, (master, epoch) => AddAsync(key.StoreId, master, passphrase, label, cancellationToken, epoch), cancellationToken);

    /// <summary>Begins a new epoch of a store's master key, with a slot for a Key Vault key.</summary>
    /// <exception cref="BackupException">KeyVaultKeyTaken, KeyVaultAccessDenied, …; KeyEpochOutdated as with a passphrase.</exception>
    public Task<UnlockedKey> RotateAsync(UnlockedKey key, IKeyEncryptionKey wrapping, string? label, CancellationToken cancellationToken) =>
        RotateAsync(key, (master, epoch) => AddAsync(key.StoreId, master, wrapping, label, cancellationToken, epoch), cancellationToken);

    private Task<UnlockedKey> RotateAsync(UnlockedKey key, Func<byte[], byte, Task<string>> addSlot, CancellationToken cancellationToken) => new KeyEpochs(vault).BeginAsync(
        key, addSlot, slot => FileOf(key.StoreId, slot).RemoveAsync(CancellationToken.None), cancellationToken);

    /// <summary>Whether one slot opens with a passphrase.</summary>
    public async Task<bool> OpensAsync(StoreId storeId, string keyId, string passphrase, CancellationToken cancellationToken) =>
        (await FileOf(storeId, keyId).ReadAsync(cancellationToken).ConfigureAwait(false)).TryOpen(passphrase) is not null;

    /// <summary>
    /// Looks at every key slot of a vault, and says what is wrong: with each that is damaged, that was brought from elsewhere, or that holds another
    /// master key; and where there are more than a passphrase is tried on.
    /// </summary>
    /// <param name="objects">The vault.</param>
    /// <param name="header">Its header; null where that is damaged.</param>
    /// <param name="opened">A store whose master key is at hand; null for none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>One error for each thing that is wrong, whose target is the object's name; empty where all is well.</returns>
    public static async Task<IReadOnlyList<BackupException>> CheckAsync(
        IVaultStore objects, VaultHeader? header, StoreKeys? opened, CancellationToken cancellationToken)
    {
        var faults = new List<BackupException>();
        int slots = 0;
        long work = 0;
        IReadOnlyList<KeyName> names = (await KeyListing.ReadAsync(objects, cancellationToken).ConfigureAwait(false)).Slots;
        await foreach (FoundSlot found in FindAsync(objects, header?.VaultId, names, cancellationToken, evades: false).ConfigureAwait(false))
        {
            slots += found.Slot?.Derivation is null ? 0 : 1;
            work += found.Slot?.Derivation?.Work ?? 0;
            if (found.Damage is { } damage)
            {
                faults.Add(damage);
            }
            else if (!IsProved(found.Slot!, opened))
            {
                faults.Add(KeySlot.Damaged(VaultLayout.Key(found.StoreId, found.KeyId), "it holds another master key than that of its chunk store; somebody may have put it there"));
            }

            var file = new KeySlotFile(objects, header?.VaultId, new KeyName(found.StoreId, found.KeyId, 0));
            if (await file.CheckCopyAsync(found.Slot, copy => IsProved(copy, opened), cancellationToken).ConfigureAwait(false) is { } fault)
            {
                faults.Add(fault);
            }
        }

        faults.AddRange(await KeyOrder.CheckAsync(objects, header?.VaultId, cancellationToken).ConfigureAwait(false));
        if (slots > MaxTried || work > MaxWork)
        {
            faults.Add(new BackupException(
                BackupErrorId.KeySlotsNotTried,
                $"The vault has {slots} key slots for passphrases, which cost {work:N0} units together: more than a passphrase is tried on ({MaxTried}, and {MaxWork:N0}).",
                "'obengine key list' shows the slots of a store: remove those that nobody here has made.",
                VaultLayout.AllKeys));
        }

        return faults;
    }

    /// <summary>Whether a slot holds the master key of its store, as far as that is at hand.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="opened">A store whose master key is at hand; null for none.</param>
    public static bool IsProved(KeySlot slot, StoreKeys? opened) =>
        slot.StoreId != opened?.StoreId || (opened.Knows(slot.EpochNumber) && slot.Proves(opened.MasterKeyOf(slot.EpochNumber)));

    private Task<UnlockedKey> CompleteAsync(FoundSlot slot, byte[] master, CancellationToken cancellationToken) =>
        new KeyEpochs(vault).CompleteAsync(new UnlockedKey(slot.StoreId, slot.KeyId, master), slot.Slot!.EpochNumber, slot.NewestEpoch, cancellationToken);

    private async IAsyncEnumerable<FoundSlot> FindAsync(StoreId? storeId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<KeyName> names = (await KeyListing.ReadAsync(vault.Objects, cancellationToken, storeId).ConfigureAwait(false)).Slots;
        await foreach (FoundSlot slot in FindAsync(vault.Objects, vault.VaultId, names, cancellationToken).ConfigureAwait(false))
        {
            yield return slot;
        }
    }

    private static async IAsyncEnumerable<FoundSlot> FindAsync(
        IVaultStore objects, string? vaultId, IReadOnlyList<KeyName> names, [EnumeratorCancellation] CancellationToken cancellationToken, bool evades = true)
    {
        await foreach (FoundSlot slot in ReadAhead.SelectAsync(names, objects.Capabilities.MaxConcurrency, ReadSlotAsync, cancellationToken).ConfigureAwait(false))
        {
            yield return slot;
        }

        async Task<FoundSlot> ReadSlotAsync(KeyName name, CancellationToken token)
        {
            var file = new KeySlotFile(objects, vaultId, name);
            try
            {
                return new FoundSlot(name.StoreId, name.KeyId, await (evades ? file.ReadAsync(token) : file.ReadFirstAsync(token)).ConfigureAwait(false), null, name.NewestEpoch);
            }
            catch (BackupException e) when (IsOfOneSlot(e))
            {
                return new FoundSlot(name.StoreId, name.KeyId, null, e, name.NewestEpoch);
            }
        }
    }

    private async Task<string> WriteAsync(StoreId storeId, string keyId, KeySlot slot, CancellationToken cancellationToken)
    {
        await FileOf(storeId, keyId).CreateAsync(slot, cancellationToken).ConfigureAwait(false);
        return keyId;
    }

    private KeySlotFile FileOf(StoreId storeId, string keyId) => new(vault.Objects, vault.VaultId, new KeyName(storeId, keyId, 0));

    // Damaged, gone meanwhile, or a newer version's: the other slots open all the same.
    private static bool IsOfOneSlot(BackupException e) =>
        e.IsDamage || e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.VaultFormatUnsupported or BackupErrorId.KeyDerivationUnavailable;

    private BackupException Contradicted(IKeyEncryptionKey key, string what) => new(
        BackupErrorId.KeySlotContradicted,
        $"The key slots of the vault in '{vault.Location}' contradict each other: the Key Vault key '{key.Id}' {what}.",
        "Nothing was opened: somebody may have put a key slot of theirs there. Open the vault with the passphrase, look at 'obengine key list', and remove the slots that nobody here has made.",
        vault.Location);

    // In an order that is the same for everybody. Too many to look at are an attack, or a vault of very many machines.
    private IReadOnlyList<KeyName> Bounded(IReadOnlyList<KeyName> names)
    {
        IEnumerable<KeyName> sorted = names.OrderBy(name => VaultLayout.Key(name.StoreId, name.KeyId), StringComparer.Ordinal);
        return [.. vault.Options.TriesEveryKeySlot ? sorted : sorted.Take(MaxRead)];
    }

    private BackupException TooMany(string what) => new(
        BackupErrorId.KeySlotsNotTried,
        $"The vault in '{vault.Location}' has too many key slots, or too costly ones. {what}.",
        "If yours may be among them, say '--every-key-slot' to have all tried. 'obengine key list' shows those of a store: remove those that nobody here has made.",
        vault.Location);

    /// <param name="Slot">Null where it cannot be read.</param>
    /// <param name="Damage">Why not.</param>
    private sealed record FoundSlot(StoreId StoreId, string KeyId, KeySlot? Slot, BackupException? Damage, byte NewestEpoch);
}

