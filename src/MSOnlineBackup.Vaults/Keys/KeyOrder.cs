using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Keys;

/// <summary>
/// The order in which passphrases came into a vault: a numbered record for each key slot that opens by one, which names the slot. Nobody takes a number before having tried the
/// passphrase on what every lower number names, and creating the name decides who has it. So of those who bring the same passphrase at once, one names its slot, and the others
/// find that; and no passphrase opens two chunk stores.
/// </summary>
internal sealed class KeyOrder(KnownVault vault)
{
    // Each is read when the vault is opened: more only cost time, and whoever may write could make many.
    private const int MaxRead = 1024;
    private const int MaxLength = 4 << 10;

    /// <summary>The slots that are named.</summary>
    /// <param name="numbers">What was listed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlySet<(StoreId StoreId, string KeyId)>> ReadAsync(IReadOnlyList<uint> numbers, CancellationToken cancellationToken)
    {
        var named = new HashSet<(StoreId, string)>();
        await foreach (Entry entry in ReadAhead.SelectAsync(
            numbers.Take(MaxRead), vault.Objects.Capabilities.MaxConcurrency, ReadAsync, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Named is { } slot)
            {
                named.Add((slot.StoreId, slot.KeyId));
            }
        }

        return named;
    }

    /// <summary>Names a slot that is there, unless another store has its passphrase. No listing is relied on: numbers are read by their names.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="open">Opens a slot that is named by the same passphrase; null where it does not open, or was removed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Null where the slot is named now; else the key of the store that has the passphrase.</returns>
    /// <exception cref="BackupException">VaultDataCorrupt where no number can follow; what <paramref name="open"/> throws, for then nobody knows whose the passphrase is.</exception>
    public async Task<UnlockedKey?> NameAsync(KeyName slot, Func<KeyName, Task<UnlockedKey?>> open, CancellationToken cancellationToken)
    {
        byte[] content = Encode(vault.VaultId, slot);
        await foreach (Entry listed in ReadAhead.SelectAsync(
            Numbers(), vault.Objects.Capabilities.MaxConcurrency, ReadAsync, cancellationToken).ConfigureAwait(false))
        {
            Entry entry = listed;
            if (!entry.IsThere)
            {
                IReadOnlyList<string> names = VaultLayout.KeyOrder(entry.Number);
                if (await vault.Objects.TryCreateAsync(names[0], content, cancellationToken).ConfigureAwait(false))
                {
                    await vault.Objects.TryCreateAsync(names[1], content, cancellationToken).ConfigureAwait(false);
                    return null;
                }

                entry = await ReadAsync(entry.Number, cancellationToken).ConfigureAwait(false);
                if (!entry.IsThere)
                {
                    throw VaultDamage.Corrupt(names[0], "its number can be neither used nor skipped");
                }
            }

            if (entry.Named is not { } named)
            {
                continue;
            }

            if (named.StoreId == slot.StoreId)
            {
                if (named.KeyId == slot.KeyId)
                {
                    return null;
                }
            }
            else if (await open(named).ConfigureAwait(false) is { } other)
            {
                return other;
            }
        }

        throw VaultDamage.Corrupt(VaultLayout.KeyOrder(uint.MaxValue)[0], "no number can follow it");
    }

    /// <summary>Looks at every record and every copy, and says what is wrong: an error for each, whose target is the object's name.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="vaultId">Its id; null where its header is damaged.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<IReadOnlyList<BackupException>> CheckAsync(IVaultStore objects, string? vaultId, CancellationToken cancellationToken)
    {
        HashSet<string> names = await objects.ListAsync(VaultLayout.KeysOrder, cancellationToken)
            .Select(found => found.Name).Where(name => VaultLayout.KindOf(name, out _) == StoredKind.KeyOrder).ToHashSetAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var faults = new List<BackupException>();
        var sound = new ConcurrentDictionary<string, byte[]>(StringComparer.Ordinal);
        await foreach (BackupException? fault in ReadAhead.SelectAsync(
            names.Order(StringComparer.Ordinal), objects.Capabilities.MaxConcurrency, CheckAsync, cancellationToken).ConfigureAwait(false))
        {
            if (fault is not null)
            {
                faults.Add(fault);
            }
        }

        // A copy is written after its record: one that is alone is what is left of a loss.
        faults.AddRange(names.Select(name => VaultLayout.TryParseKeyOrder(name, out uint number) ? VaultLayout.KeyOrder(number)[0] : name)
            .Where(name => !names.Contains(name)).Select(name => VaultDamage.Missing(name, "Record of the order of passphrases")));

        // Two that are sound and differ: one was exchanged for another, and nothing says which.
        faults.AddRange(sound.Keys.Where(name => VaultLayout.TryParseKeyOrder(name, out uint number)
                && VaultLayout.KeyOrder(number).Any(twin => sound.TryGetValue(twin, out byte[]? other) && !other.AsSpan().SequenceEqual(sound[name])))
            .Order(StringComparer.Ordinal).Select(name => VaultDamage.Corrupt(name, "it is not the same as its copy")));
        return faults;

        async Task<BackupException?> CheckAsync(string name, CancellationToken token)
        {
            try
            {
                byte[]? content = await VaultHeader.ReadSmallAsync(objects, name, MaxLength, token).ConfigureAwait(false);
                bool isSound = content is null
                    || (CheckedJson.IsSound(content) && (vaultId is null || Decode(vaultId, content) is not null || CheckedJson.FormatOf(content) > KeyOrderRecord.SupportedFormat));
                if (isSound && content is not null)
                {
                    sound[name] = content;
                }

                return isSound ? null : VaultDamage.Corrupt(name, "it names no key slot of this vault");
            }
            catch (BackupException e) when (e.IsDamage)
            {
                return e;
            }
        }
    }

    /// <summary>A record: checked JSON.</summary>
    public static byte[] Encode(string vaultId, KeyName slot) => CheckedJson.Encode(
        new KeyOrderRecord { Format = KeyOrderRecord.SupportedFormat, VaultId = vaultId, StoreId = slot.StoreId, KeyId = slot.KeyId },
        KeyOrderJson.Default.KeyOrderRecord);

    /// <summary>The slot that a record names; null where it is damaged, a newer version's, or another vault's: then it names none, and its number is taken all the same.</summary>
    public static KeyName? Decode(string vaultId, ReadOnlySpan<byte> content)
    {
        try
        {
            return CheckedJson.TryDecode(content, KeyOrderJson.Default.KeyOrderRecord) is { Format: KeyOrderRecord.SupportedFormat, KeyId: not null } record
                && record.VaultId == vaultId && IdDigits.AreIn(record.KeyId)
                ? new KeyName(record.StoreId, record.KeyId, 0)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Where the record was lost, its copy is there still.
    private async Task<Entry> ReadAsync(uint number, CancellationToken cancellationToken)
    {
        bool isThere = false;
        foreach (string name in VaultLayout.KeyOrder(number))
        {
            try
            {
                if (await VaultHeader.ReadSmallAsync(vault.Objects, name, MaxLength, cancellationToken).ConfigureAwait(false) is not { } content)
                {
                    continue;
                }

                isThere = true;
                if (Decode(vault.VaultId, content) is { } named)
                {
                    return new Entry(number, true, named);
                }
            }
            catch (BackupException e) when (e.IsDamage)
            {
                isThere = true;
            }
        }

        return new Entry(number, isThere, null);
    }

    private static IEnumerable<uint> Numbers()
    {
        for (uint number = 1; number < uint.MaxValue; number++)
        {
            yield return number;
        }
    }

    private readonly record struct Entry(uint Number, bool IsThere, KeyName? Named);
}

/// <summary>What a record of the order says.</summary>
internal sealed record KeyOrderRecord
{
    public const int SupportedFormat = 1;

    [JsonPropertyName("format")]
    public required int Format { get; init; }

    [JsonPropertyName("vaultId")]
    public required string VaultId { get; init; }

    [JsonPropertyName("store")]
    public required StoreId StoreId { get; init; }

    [JsonPropertyName("slot")]
    public required string KeyId { get; init; }
}

[JsonSerializable(typeof(KeyOrderRecord))]
[JsonSourceGenerationOptions(MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class KeyOrderJson : JsonSerializerContext;
