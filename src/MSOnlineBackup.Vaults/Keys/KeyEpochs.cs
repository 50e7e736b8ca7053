using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Keys;

/// <summary>
/// How the master key of a chunk store rotates. The new key goes into a key slot first, and comes into force by a record of its number, which is sealed by it
/// and holds the master keys before it: creating that name decides, also between two who rotate at once. Whoever has an earlier master key cannot open the
/// record; whoever has the newest reads everything.
/// </summary>
internal sealed class KeyEpochs(KnownVault vault)
{
    private const uint Version = 1;
    private const int EntryLength = 1 + StoreKeys.MasterKeyLength;

    // Far more than 255 keys take.
    private const int MaxLength = 64 << 10;

    /// <summary>The refusal of a key that is not the newest any more.</summary>
    public static BackupException Outdated(string location, string why) => new(
        BackupErrorId.KeyEpochOutdated,
        $"The master key of the chunk store in the vault '{location}' cannot be written with: {why}.",
        "Open the vault with the passphrase that was set when the key was rotated. On a registered machine, run 'Repair-OBKey' with it.",
        location);

    /// <summary>A key with all that its epoch's record leads to.</summary>
    /// <param name="key">What a slot gave.</param>
    /// <param name="epoch">The slot's epoch.</param>
    /// <param name="newest">The highest number that the vault has a record of.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// KeySlotDamaged: this key never came into force; VaultDataMissing, VaultDataCorrupt where the record is lost.
    /// </exception>
    public async Task<UnlockedKey> CompleteAsync(UnlockedKey key, byte epoch, byte newest, CancellationToken cancellationToken)
    {
        if (epoch == 0)
        {
            return key with { NewestEpoch = newest };
        }

        if (newest < epoch)
        {
            throw NotInForce(key, epoch);
        }

        BackupException? damage = null;
        foreach (string name in VaultLayout.KeyEpoch(key.StoreId, epoch))
        {
            try
            {
                byte[] content = await VaultHeader.ReadSmallAsync(vault.Objects, name, MaxLength, cancellationToken).ConfigureAwait(false)
                    ?? throw VaultDamage.Missing(name, "Record of a master key");
                ObjectChecksum.Check(name, content);
                using StoreKeys keys = KeysOf(key, epoch);
                ReadOnlyMemory<byte> opened;
                try
                {
                    opened = SealedObject.Open(keys, name, content, out SealedObjectKind kind);
                    if (kind != SealedObjectKind.KeyEpoch)
                    {
                        throw VaultDamage.Corrupt(name, "it is another object");
                    }
                }
                catch (BackupException e) when (e.IsDamage)
                {
                    // It is as it was written, by another key.
                    throw NotInForce(key, epoch, e);
                }

                return key with { Epoch = epoch, NewestEpoch = newest, EarlierKeys = Decode(name, opened.Span, epoch) };
            }
            catch (BackupException e) when (e.IsDamage)
            {
                damage ??= e;
            }
        }

        throw damage!;
    }

    /// <summary>Begins a new epoch.</summary>
    /// <param name="key">The newest key.</param>
    /// <param name="addSlot">Adds a slot for a master key and its epoch, and returns the slot's id.</param>
    /// <param name="removeSlot">Removes that slot where somebody else was faster.</param>
    /// <param name="cancellationToken">Stops it. Until the record is there nothing has changed but that a slot is there which opens nothing.</param>
    /// <returns>The new key, which is another slot's.</returns>
    /// <exception cref="BackupException">KeyEpochOutdated: the key is not the newest, or somebody else has rotated it at the same time.</exception>
    public async Task<UnlockedKey> BeginAsync(
        UnlockedKey key, Func<byte[], byte, Task<string>> addSlot, Func<string, Task> removeSlot, CancellationToken cancellationToken)
    {
        key.RequireNewest(vault.Location);
        if (key.Epoch == byte.MaxValue)
        {
            throw Outdated(vault.Location, "it has been rotated 255 times, which is as often as it can be");
        }

        byte epoch = (byte)(key.Epoch + 1);
        byte[] master = RandomNumberGenerator.GetBytes(StoreKeys.MasterKeyLength);
        string slot = await addSlot(master, epoch).ConfigureAwait(false);
        var next = new UnlockedKey(key.StoreId, slot, master)
        {
            Epoch = epoch,
            NewestEpoch = epoch,
            EarlierKeys = key.MasterKeys().ToDictionary(earlier => earlier.Key, earlier => (byte[])[.. earlier.Value]),
        };
        using StoreKeys keys = KeysOf(next, epoch);
        byte[] content = Encode(next.EarlierKeys);
        IReadOnlyList<string> names = VaultLayout.KeyEpoch(key.StoreId, epoch);
        await vault.Objects.TryCreateAsync(
            names[0], SealedObject.Seal(keys, SealedObjectKind.KeyEpoch, names[0], content), cancellationToken).ConfigureAwait(false);
        try
        {
            // Read back: it is the one thing that leads from the new key to all that is there.
            next = await CompleteAsync(next, epoch, epoch, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.KeySlotDamaged)
        {
            await removeSlot(slot).ConfigureAwait(false);
            throw Outdated(vault.Location, "somebody else has rotated it at this moment, and this rotation was given up");
        }

        await vault.Objects.TryCreateAsync(
            names[1], SealedObject.Seal(keys, SealedObjectKind.KeyEpoch, names[1], content), cancellationToken).ConfigureAwait(false);
        return next;
    }

    /// <summary>The content of a record: <c>version u32 | (epoch u8 | master key 32)*</c>.</summary>
    public static byte[] Encode(IReadOnlyDictionary<byte, byte[]> earlier)
    {
        byte[] content = new byte[sizeof(uint) + (earlier.Count * EntryLength)];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Version);
        int at = sizeof(uint);
        foreach ((byte epoch, byte[] master) in earlier.OrderBy(entry => entry.Key))
        {
            content[at] = epoch;
            master.CopyTo(content, at + 1);
            at += EntryLength;
        }

        return content;
    }

    /// <summary>The master keys before one, by their epochs: all of them from 0.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static IReadOnlyDictionary<byte, byte[]> Decode(string name, ReadOnlySpan<byte> content, byte epoch)
    {
        if (content.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(content) != Version)
        {
            throw content.Length < sizeof(uint) ? VaultDamage.Corrupt(name, "it is too short") : new BackupException(
                BackupErrorId.VaultFormatUnsupported, $"Object '{name}' is of a version that this one does not know.", "Use a newer version of MSOnlineBackup.", name);
        }

        ReadOnlySpan<byte> entries = content[sizeof(uint)..];
        if (entries.Length != epoch * EntryLength)
        {
            throw VaultDamage.Corrupt(name, "it does not hold every master key before its own");
        }

        var earlier = new Dictionary<byte, byte[]>();
        for (byte number = 0; number < epoch; number++)
        {
            ReadOnlySpan<byte> entry = entries.Slice(number * EntryLength, EntryLength);
            if (entry[0] != number)
            {
                throw VaultDamage.Corrupt(name, "its master keys are out of order");
            }

            earlier.Add(number, entry[1..].ToArray());
        }

        return earlier;
    }

    private StoreKeys KeysOf(UnlockedKey key, byte epoch) =>
        new(new Dictionary<byte, byte[]> { [epoch] = key.MasterKey }, Convert.FromHexString(vault.VaultId), key.StoreId);

    private static BackupException NotInForce(UnlockedKey key, byte epoch, Exception? inner = null) => KeySlot.Damaged(
        VaultLayout.Key(key.StoreId, key.KeyId),
        $"its master key, number {epoch}, never came into force: a rotation was interrupted, or somebody else was faster",
        "Use another key slot, and remove this one: 'obengine key list' shows them.",
        inner);
}
