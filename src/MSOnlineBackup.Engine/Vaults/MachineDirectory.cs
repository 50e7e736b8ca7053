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
        string id = store.Header.MachineId(name);
        var record = new MachineRecord { Name = name, OperatingSystem = RuntimeInformation.OSDescription, AgentVersion = Agent.Version, StoreId = store.StoreId };
        (int sequence, MachineRecord? known) = (await ReadAsync(store.Objects, $"{VaultLayout.Machines}{id}/", cancellationToken).ConfigureAwait(false))
            .GetValueOrDefault(id);
        if (record != known)
        {
            // Losing a race for the number means that another process of this machine has just said the same.
            byte[] content = JsonSerializer.SerializeToUtf8Bytes(record, VaultJson.Default.MachineRecord);
            await store.Objects.TryCreateAsync(VaultLayout.Machine(id, sequence + 1), content, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The names of all machines.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(IVaultStore objects, CancellationToken cancellationToken) =>
        [.. (await ReadAsync(objects, VaultLayout.Machines, cancellationToken).ConfigureAwait(false)).Values
            .Select(machine => machine.Record?.Name)
            .OfType<string>()
            .Order(StringComparer.OrdinalIgnoreCase)];

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
        foreach ((string id, (int sequence, string name)) in newest)
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(objects, name, MaxLength, cancellationToken).ConfigureAwait(false);
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
    }
}
