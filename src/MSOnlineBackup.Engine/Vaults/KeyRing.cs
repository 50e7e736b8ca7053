using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>The key slots of a vault's chunk stores.</summary>
internal sealed class KeyRing(IVaultStore objects, VaultHeader header, TimeProvider clock, int iterations)
{
    private const int MaxSlotLength = 64 << 10;

    /// <summary>Lists slots, for which neither header nor passphrase is needed.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="folder">Of one store or of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<IReadOnlyList<KeyName>> ListNamesAsync(IVaultStore objects, string folder, CancellationToken cancellationToken)
    {
        var names = new List<KeyName>();
        await foreach (StoredObject found in objects.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            if (TryParse(found.Name, out string storeId, out string keyId))
            {
                names.Add(new KeyName(storeId, keyId));
            }
        }

        return names;
    }

    /// <summary>Makes a chunk store with a fresh master key and a first slot.</summary>
    public async Task<UnlockedKey> CreateStoreAsync(string passphrase, CancellationToken cancellationToken)
    {
        string storeId = NewId();
        byte[] master = RandomNumberGenerator.GetBytes(StoreKeys.MasterKeyLength);
        string keyId = await AddAsync(storeId, master, passphrase, null, cancellationToken).ConfigureAwait(false);
        return new UnlockedKey(storeId, keyId, master);
    }

    /// <summary>Finds the store that the passphrase opens.</summary>
    /// <param name="storeId">Only this one; null for any.</param>
    /// <exception cref="BackupException">PassphraseRejected; where no slot opens and one cannot be read, what is wrong with that one: KeySlotDamaged, VaultFormatUnsupported, …</exception>
    public async Task<UnlockedKey> UnlockAsync(string passphrase, CancellationToken cancellationToken, string? storeId = null)
    {
        IReadOnlyList<KeyName> names = await ListNamesAsync(storeId, cancellationToken).ConfigureAwait(false);
        return await UnlockAsync(passphrase, names, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same among slots that were listed.</summary>
    public async Task<UnlockedKey> UnlockAsync(string passphrase, IReadOnlyList<KeyName> names, CancellationToken cancellationToken)
    {
        BackupException? damage = null;
        await foreach (FoundSlot found in FindAsync(names, cancellationToken).ConfigureAwait(false))
        {
            damage = found.Damage ?? damage;
            try
            {
                if (found.Slot?.TryOpen(passphrase, Identity(found)) is { } master)
                {
                    return new UnlockedKey(found.StoreId, found.KeyId, master);
                }
            }
            catch (BackupException e) when (IsOfOneSlot(e))
            {
                damage = e;
            }
        }

        throw damage ?? (names.Count > 0
            ? new BackupException(
                BackupErrorId.PassphraseRejected,
                $"No key slot of the vault in '{objects.Location}' opens with this passphrase.",
                "Check the passphrase (capital letters, spaces at the ends). A lost passphrase cannot be recovered; another key slot's passphrase opens the vault as well.",
                objects.Location)
            : new BackupException(
                BackupErrorId.KeySlotNotFound,
                $"The vault in '{objects.Location}' has no key slots.",
                "Bring the files below 'keys' back from a copy of the vault; without them the data cannot be opened.",
                objects.Location));
    }

    /// <summary>
    /// Finds the store that a Key Vault key opens. Whoever knows the public half of that key and may write to the vault can make a slot that
    /// opens with a master key of theirs: so all slots of the key must open the same store, and no slot of that store may know another key.
    /// </summary>
    /// <param name="storeId">Only this one; null for any.</param>
    /// <exception cref="BackupException">KeySlotNotFound, KeySlotContradicted; where no slot opens, what is wrong with one: KeySlotDamaged, KeyVaultAccessDenied, …</exception>
    public async Task<UnlockedKey> UnlockAsync(IKeyEncryptionKey key, CancellationToken cancellationToken, string? storeId = null)
    {
        BackupException? damage = null;
        UnlockedKey? opened = null;
        var slots = new List<FoundSlot>();
        await foreach (FoundSlot found in FindAsync(storeId, cancellationToken).ConfigureAwait(false))
        {
            slots.Add(found);
            if (found.Slot?.IsFor(key) != true)
            {
                continue;
            }

            try
            {
                byte[] master = await found.Slot.OpenAsync(key, Identity(found), cancellationToken).ConfigureAwait(false);
                opened ??= new UnlockedKey(found.StoreId, found.KeyId, master);
                if (opened.StoreId != found.StoreId)
                {
                    throw Contradicted(key, $"opens the chunk stores {opened.StoreId} and {found.StoreId}");
                }
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
                $"The vault in '{objects.Location}' has no key slot for the Key Vault key '{key.Id}'.",
                "'obengine key list' with a passphrase shows the slots; 'obengine key add --new-key-vault-key' adds one.",
                objects.Location);
        }

        return slots.Any(found => found.StoreId == opened.StoreId && found.Slot?.Wraps(opened.MasterKey, Identity(found)) == false)
            ? throw Contradicted(key, $"opens another master key of the chunk store {opened.StoreId} than its other key slots")
            : opened;
    }

    /// <summary>Adds a slot for a passphrase.</summary>
    public Task<string> AddAsync(string storeId, byte[] master, string passphrase, string? label, CancellationToken cancellationToken)
    {
        string keyId = NewId();
        return WriteAsync(storeId, keyId, KeySlot.Create(passphrase, master, Identity(storeId, keyId), iterations, label, clock.GetUtcNow()), cancellationToken);
    }

    /// <summary>Adds a slot for a Key Vault key.</summary>
    /// <exception cref="BackupException">KeyVaultKeyTaken: it opens another chunk store of this vault; what the Key Vault refuses.</exception>
    public async Task<string> AddAsync(string storeId, byte[] master, IKeyEncryptionKey key, string? label, CancellationToken cancellationToken)
    {
        await foreach (FoundSlot found in FindAsync(storeId: null, cancellationToken).ConfigureAwait(false))
        {
            if (found.StoreId != storeId && found.Slot?.IsFor(key) == true)
            {
                throw new BackupException(
                    BackupErrorId.KeyVaultKeyTaken,
                    $"The Key Vault key '{key.Id}' opens another chunk store of the vault in '{objects.Location}', {found.StoreId}.",
                    "Make a key of its own for each chunk store: a key that opened two could not say which is meant.",
                    key.Id);
            }
        }

        string keyId = NewId();
        KeySlot slot = await KeySlot.CreateAsync(key, master, Identity(storeId, keyId), label, clock.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        return await WriteAsync(storeId, keyId, slot, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The slots of a store; one that cannot be read is null.</summary>
    public async Task<IReadOnlyList<(string KeyId, KeySlot? Slot)>> ListAsync(string storeId, CancellationToken cancellationToken)
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
    public async Task RemoveAsync(string storeId, string keyId, CancellationToken cancellationToken)
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

        ThrowIfLast(slots);
        string name = VaultLayout.Key(storeId, keyId);
        await objects.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        try
        {
            // Somebody else may have removed the others at the same time. Of several, at least the slowest sees it here.
            ThrowIfLast(await ListAsync(storeId, CancellationToken.None).ConfigureAwait(false));
        }
        catch (BackupException) when (slots.FirstOrDefault(slot => slot.KeyId == keyId).Slot is { } removed)
        {
            // The one name that comes back, with the content that it had.
            await objects.TryCreateAsync(name, removed.Encode(), CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        void ThrowIfLast(IReadOnlyList<(string KeyId, KeySlot? Slot)> known)
        {
            if (!known.Any(slot => slot.KeyId != keyId && slot.Slot is not null))
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
    public async Task VerifyAsync(UnlockedKey key, CancellationToken cancellationToken)
    {
        IReadOnlyList<(string KeyId, KeySlot? Slot)> slots = await ListAsync(key.StoreId, cancellationToken).ConfigureAwait(false);
        bool?[] answers = [.. slots.Where(slot => slot.Slot is not null).Select(slot => slot.Slot!.Wraps(key.MasterKey, Identity(key.StoreId, slot.KeyId)))];
        if (answers.Length == 0)
        {
            throw new BackupException(
                slots.Count == 0 ? BackupErrorId.KeySlotNotFound : BackupErrorId.KeySlotDamaged,
                $"The vault in '{objects.Location}' has no sound key slot of the chunk store {key.StoreId}: nothing would open what is written to it.",
                "Bring the files below 'keys' back from a copy of the vault.",
                objects.Location);
        }

        // Slots that were made before they told: what the key has sealed tells.
        if (!answers.Contains(true) && (!answers.Contains(null) || !await OpensSealedAsync(key, cancellationToken).ConfigureAwait(false)))
        {
            throw new BackupException(
                BackupErrorId.KeyFileInvalid,
                $"The key of this machine is not that of the chunk store {key.StoreId} in the vault '{objects.Location}'.",
                "Run 'Repair-OBKey' with the passphrase. If it says that the passphrase is wrong, the vault was exchanged: bring it back from a copy.",
                objects.Location,
                errorCode: "34506");
        }
    }

    /// <summary>Whether one slot opens with a passphrase.</summary>
    public async Task<bool> OpensAsync(string storeId, string keyId, string passphrase, CancellationToken cancellationToken) =>
        (await ReadAsync(storeId, keyId, cancellationToken).ConfigureAwait(false)).TryOpen(passphrase, Identity(storeId, keyId)) is not null;

    // An empty store has nothing that could be at odds with the key.
    private async Task<bool> OpensSealedAsync(UnlockedKey key, CancellationToken cancellationToken)
    {
        ChunkStore store = await ChunkStore.OpenAsync(objects, header, key.StoreId, key.MasterKey, cancellationToken).ConfigureAwait(false);
        return store.Index.Packs.Count > 0 || store.Damage.Count == 0;
    }

    private Task<IReadOnlyList<KeyName>> ListNamesAsync(string? storeId, CancellationToken cancellationToken) =>
        ListNamesAsync(objects, storeId is null ? VaultLayout.AllKeys : VaultLayout.Keys(storeId), cancellationToken);

    private async IAsyncEnumerable<FoundSlot> FindAsync(string? storeId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (FoundSlot slot in FindAsync(await ListNamesAsync(storeId, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
        {
            yield return slot;
        }
    }

    private async IAsyncEnumerable<FoundSlot> FindAsync(IReadOnlyList<KeyName> names, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (FoundSlot slot in ReadAhead.SelectAsync(names, objects.Capabilities.MaxConcurrency, ReadSlotAsync, cancellationToken).ConfigureAwait(false))
        {
            yield return slot;
        }

        async Task<FoundSlot> ReadSlotAsync(KeyName name, CancellationToken token)
        {
            try
            {
                return new FoundSlot(name.StoreId, name.KeyId, await ReadAsync(name.StoreId, name.KeyId, token).ConfigureAwait(false), null);
            }
            catch (BackupException e) when (IsOfOneSlot(e))
            {
                return new FoundSlot(name.StoreId, name.KeyId, null, e);
            }
        }
    }

    private async Task<string> WriteAsync(string storeId, string keyId, KeySlot slot, CancellationToken cancellationToken)
    {
        await objects.TryCreateAsync(VaultLayout.Key(storeId, keyId), slot.Encode(), cancellationToken).ConfigureAwait(false);

        // Read back: a slot that does not open would be found out when it is too late.
        KeySlot written = await ReadAsync(storeId, keyId, cancellationToken).ConfigureAwait(false);
        return written.Checksum.AsSpan().SequenceEqual(slot.Checksum)
            ? keyId
            : throw VaultDamage.Corrupt(VaultLayout.Key(storeId, keyId), "it reads back otherwise than it was written");
    }

    private async Task<KeySlot> ReadAsync(string storeId, string keyId, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Key(storeId, keyId);
        byte[]? content = await VaultHeader.ReadSmallAsync(objects, name, MaxSlotLength, cancellationToken).ConfigureAwait(false);
        return content is null
            ? throw VaultDamage.Missing(name, "Key slot")
            : KeySlot.Decode(content, Identity(storeId, keyId));
    }

    // Damaged, gone meanwhile, or a newer version's: the other slots open all the same.
    private static bool IsOfOneSlot(BackupException e) =>
        e.IsDamage || e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.VaultFormatUnsupported;

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private BackupException Contradicted(IKeyEncryptionKey key, string what) => new(
        BackupErrorId.KeySlotContradicted,
        $"The key slots of the vault in '{objects.Location}' contradict each other: the Key Vault key '{key.Id}' {what}.",
        "Nothing was opened: somebody may have put a key slot of theirs there. Open the vault with the passphrase, look at 'obengine key list', and remove the slots that nobody here has made.",
        objects.Location);

    private string Identity(FoundSlot found) => Identity(found.StoreId, found.KeyId);

    private string Identity(string storeId, string keyId) => $"{header.VaultId}/{storeId}/{keyId}";

    // keys/<store id>/<key id>
    private static bool TryParse(string name, out string storeId, out string keyId)
    {
        string[] parts = name.Split('/');
        bool isKey = parts.Length == 3 && VaultLayout.IsId(parts[1]) && VaultLayout.IsId(parts[2]);
        (storeId, keyId) = isKey ? (parts[1], parts[2]) : (string.Empty, string.Empty);
        return isKey;
    }

    /// <param name="Slot">Null where it cannot be read.</param>
    /// <param name="Damage">Why not.</param>
    private sealed record FoundSlot(string StoreId, string KeyId, KeySlot? Slot, BackupException? Damage);
}

/// <summary>The name of a key slot.</summary>
internal readonly record struct KeyName(string StoreId, string KeyId);
