using System.Runtime.InteropServices;
using System.Text.Json;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>The machines of a vault: one numbered record for each change, the highest number holds.</summary>
internal static class MachineDirectory
{
    private const int MaxLength = 64 << 10;

    /// <summary>Sees to it that the vault knows this machine as it is now.</summary>
    public static async Task AnnounceAsync(ChunkStore store, string name, CancellationToken cancellationToken)
    {
        MachineRecord record = Describe(name, store.StoreId);
        (int sequence, MachineRecord? known) = await FindNewestAsync(store.Objects, store.Header, name, cancellationToken).ConfigureAwait(false);
        if (record != known)
        {
            // Losing a race for the number means that another process of this machine has just said the same.
            await CreateAsync(store.Objects, store.Header, sequence + 1, record, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives a name to a chunk store; false where it is another's.</summary>
    public static async Task<bool> TryClaimAsync(IVaultStore objects, VaultHeader header, string name, string storeId, CancellationToken cancellationToken)
    {
        (int sequence, MachineRecord? known) = await FindNewestAsync(objects, header, name, cancellationToken).ConfigureAwait(false);
        if (known is null)
        {
            await CreateAsync(objects, header, sequence + 1, Describe(name, storeId), cancellationToken).ConfigureAwait(false);
            known = await FindAsync(objects, header, name, cancellationToken).ConfigureAwait(false);
        }

        return known?.StoreId == storeId;
    }

    /// <summary>What the vault knows of a machine; null where it knows nothing that can be read.</summary>
    public static async Task<MachineRecord?> FindAsync(IVaultStore objects, VaultHeader header, string name, CancellationToken cancellationToken) =>
        (await FindNewestAsync(objects, header, name, cancellationToken).ConfigureAwait(false)).Record;

    /// <summary>The names of all machines.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(IVaultStore objects, CancellationToken cancellationToken) =>
        [.. (await ReadAsync(objects, VaultLayout.Machines, cancellationToken).ConfigureAwait(false)).Values
            .Select(machine => machine.Record?.Name)
            .OfType<string>()
            .Order(StringComparer.OrdinalIgnoreCase)];

    private static MachineRecord Describe(string name, string storeId) => new()
    {
        Name = name,
        OperatingSystem = RuntimeInformation.OSDescription,
        AgentVersion = Agent.Version,
        StoreId = storeId,
    };

    private static async Task CreateAsync(IVaultStore objects, VaultHeader header, int sequence, MachineRecord record, CancellationToken cancellationToken)
    {
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(record, VaultJson.Default.MachineRecord);
        await objects.TryCreateAsync(VaultLayout.Machine(header.MachineId(record.Name), sequence), content, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<(int Sequence, MachineRecord? Record)> FindNewestAsync(IVaultStore objects, VaultHeader header, string name, CancellationToken cancellationToken)
    {
        string id = header.MachineId(name);
        (int sequence, MachineRecord? record) = (await ReadAsync(objects, $"{VaultLayout.Machines}{id}/", cancellationToken).ConfigureAwait(false)).GetValueOrDefault(id);
        return (sequence, record?.StoreId is not null && VaultLayout.IsId(record.StoreId) ? record : null);
    }

    private static async Task<Dictionary<string, (int Sequence, MachineRecord? Record)>> ReadAsync(IVaultStore objects, string prefix, CancellationToken cancellationToken)
    {
        var newest = new Dictionary<string, (int Sequence, string Name)>();
        await foreach (StoredObject found in objects.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            string[] parts = found.Name.Split('/');
            if (parts.Length == 3
                && int.TryParse(parts[2], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out int sequence)
                && sequence is >= 0 and < int.MaxValue
                && (!newest.TryGetValue(parts[1], out (int Sequence, string Name) known) || known.Sequence < sequence))
            {
                newest[parts[1]] = (sequence, found.Name);
            }
        }

        var machines = new Dictionary<string, (int Sequence, MachineRecord? Record)>();
        await foreach ((string id, int sequence, byte[]? content) in ReadAhead.SelectAsync(newest, objects.Capabilities.MaxConcurrency, ReadOneAsync, cancellationToken).ConfigureAwait(false))
        {
            MachineRecord? record = null;
            try
            {
                record = content is null ? null : JsonSerializer.Deserialize(content, VaultJson.Default.MachineRecord);
            }
            catch (JsonException)
            {
                // The record only describes; it is written anew by the machine's next backup.
            }

            machines[id] = (sequence, record);
        }

        return machines;

        async Task<(string, int, byte[]?)> ReadOneAsync(KeyValuePair<string, (int Sequence, string Name)> machine, CancellationToken token) =>
            (machine.Key, machine.Value.Sequence, await VaultHeader.ReadSmallAsync(objects, machine.Value.Name, MaxLength, token).ConfigureAwait(false));
    }
}
