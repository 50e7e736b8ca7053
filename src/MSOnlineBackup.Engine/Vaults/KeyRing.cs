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
        string folder = storeId is null ? VaultLayout.AllKeys : VaultLayout.Keys(storeId);
        return await UnlockAsync(passphrase, await ListNamesAsync(objects, folder, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same among slots that were listed.</summary>
    public async Task<UnlockedKey> UnlockAsync(string passphrase, IReadOnlyList<KeyName> names, CancellationToken cancellationToken)
    {
        BackupException? damage = null;
        await foreach ((KeyName name, KeySlot? slot, BackupException? fault) in ReadAllAsync(names, cancellationToken).ConfigureAwait(false))
        {
            damage = fault ?? damage;
            if (slot?.TryOpen(passphrase, Identity(name.StoreId, name.KeyId)) is { } master)
            {
                return new UnlockedKey(name.StoreId, name.KeyId, master);
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

    public async Task<string> AddAsync(string storeId, byte[] master, string passphrase, string? label, CancellationToken cancellationToken)
    {
        string keyId = NewId();
        KeySlot slot = KeySlot.Create(passphrase, master, Identity(storeId, keyId), iterations, label, clock.GetUtcNow());
        await objects.TryCreateAsync(VaultLayout.Key(storeId, keyId), slot.Encode(), cancellationToken).ConfigureAwait(false);

        // Read back: a slot that does not open would be found out when it is too late.
        KeySlot written = await ReadAsync(storeId, keyId, cancellationToken).ConfigureAwait(false);
        return written.Wrapped.AsSpan().SequenceEqual(slot.Wrapped)
            ? keyId
            : throw VaultDamage.Corrupt(VaultLayout.Key(storeId, keyId), "it reads back otherwise than it was written");
    }

    /// <summary>The slots of a store; one that cannot be read is null.</summary>
    public async Task<IReadOnlyList<(string KeyId, KeySlot? Slot)>> ListAsync(string storeId, CancellationToken cancellationToken)
    {
        var slots = new List<(string, KeySlot?)>();
        IReadOnlyList<KeyName> names = await ListNamesAsync(objects, VaultLayout.Keys(storeId), cancellationToken).ConfigureAwait(false);
        await foreach ((KeyName name, KeySlot? slot, _) in ReadAllAsync(names, cancellationToken).ConfigureAwait(false))
        {
            slots.Add((name.KeyId, slot));
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

        if (!slots.Any(slot => slot.KeyId != keyId && slot.Slot is not null))
        {
            throw new BackupException(
                BackupErrorId.KeySlotIsLast,
                $"Key slot '{keyId}' is the last that opens this data; without it everything would be lost.",
                "Add another key slot first: 'obengine key add'.",
                keyId);
        }

        await objects.DeleteAsync(VaultLayout.Key(storeId, keyId), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sees to it that a key that came from elsewhere than a passphrase is the store's own, and that a slot is there by which a
    /// passphrase opens what is written with it.
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
                $"The vault in '{objects.Location}' has no sound key slot of the chunk store {key.StoreId}: no passphrase would open what is written to it.",
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

    private async IAsyncEnumerable<(KeyName Name, KeySlot? Slot, BackupException? Fault)> ReadAllAsync(
        IReadOnlyList<KeyName> names, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach ((KeyName, KeySlot?, BackupException?) slot in ReadAhead.SelectAsync(names, objects.Capabilities.MaxConcurrency, ReadOneAsync, cancellationToken).ConfigureAwait(false))
        {
            yield return slot;
        }

        async Task<(KeyName, KeySlot?, BackupException?)> ReadOneAsync(KeyName name, CancellationToken token)
        {
            try
            {
                return (name, await ReadAsync(name.StoreId, name.KeyId, token).ConfigureAwait(false), null);
            }
            catch (BackupException e) when (IsOfOneSlot(e))
            {
                return (name, null, e);
            }
        }
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
        e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing or BackupErrorId.VaultFormatUnsupported;

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private string Identity(string storeId, string keyId) => $"{header.VaultId}/{storeId}/{keyId}";

    // keys/<store id>/<key id>
    private static bool TryParse(string name, out string storeId, out string keyId)
    {
        string[] parts = name.Split('/');
        bool isKey = parts.Length == 3 && VaultLayout.IsId(parts[1]) && VaultLayout.IsId(parts[2]);
        (storeId, keyId) = isKey ? (parts[1], parts[2]) : (string.Empty, string.Empty);
        return isKey;
    }
}

/// <summary>The name of a key slot.</summary>
internal readonly record struct KeyName(string StoreId, string KeyId);
