using System.Globalization;
using System.Runtime.InteropServices;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>
/// The machines of a vault: one numbered record for each change, the highest number holds. A record that is damaged only ceases to
/// describe; it is written anew by the machine's next backup.
/// </summary>
internal static class MachineDirectory
{
    /// <summary>Sees to it that the vault knows this machine as it is now.</summary>
    /// <param name="store">The machine's chunk store.</param>
    /// <param name="name">Its name.</param>
    /// <param name="mayReturn">Whether a machine that has left the vault comes back by this.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNameTaken; MachineNotRegistered where it has left and may not return by this.</exception>
    public static Task AnnounceAsync(ChunkStore store, string name, bool mayReturn, CancellationToken cancellationToken) =>
        ChangeAsync(
            store.Objects,
            store.Header,
            name,
            known => Update(store, known, name, mayReturn),
            cancellationToken);

    /// <summary>Whether <see cref="AnnounceAsync"/> would change nothing.</summary>
    /// <exception cref="BackupException">As for <see cref="AnnounceAsync"/>.</exception>
    public static async Task<bool> IsAnnouncedAsync(ChunkStore store, string name, bool mayReturn, CancellationToken cancellationToken) =>
        Update(store, await FindAsync(store.Early, store.Header, name, cancellationToken).ConfigureAwait(false), name, mayReturn) is null;

    /// <summary>Gives a name to a chunk store.</summary>
    /// <exception cref="BackupException">MachineNameTaken.</exception>
    public static Task ClaimAsync(IVaultStore objects, VaultHeader header, string name, string storeId, CancellationToken cancellationToken) =>
        ChangeAsync(
            objects,
            header,
            name,
            known => known switch
            {
                { IsGone: false } when known.StoreId == storeId => null,
                { IsGone: false } => throw NameTaken(objects, known.Name),
                _ => Describe(name, storeId),
            },
            cancellationToken);

    /// <summary>Notes that a machine has left: its name is free. Nothing that it backed up is touched.</summary>
    /// <exception cref="BackupException">MachineNotRegistered where the vault knows no such machine.</exception>
    public static Task LeaveAsync(IVaultStore objects, VaultHeader header, string name, DateTimeOffset now, CancellationToken cancellationToken) =>
        ChangeAsync(
            objects,
            header,
            name,
            known => known is { IsGone: false } ? known with { Left = now } : throw new BackupException(
                BackupErrorId.MachineNotRegistered,
                $"No machine '{name}' is registered with the vault '{objects.Location}'{(known is null ? null : Since(known))}.",
                "'Get-OBVault' shows the machines of a vault.",
                name),
            cancellationToken);

    /// <summary>What the vault knows of a machine, even if it has left; null where it knows nothing that can be read.</summary>
    public static async Task<MachineRecord?> FindAsync(IVaultStore objects, VaultHeader header, string name, CancellationToken cancellationToken)
    {
        NumberedSeries<MachineRecord> series = SeriesOf(objects, VaultLayout.Machine(header.MachineId(name)));
        return await ReadAsync(series, await series.FindNewestAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All machines, those that have left too, by name.</summary>
    public static async Task<IReadOnlyList<MachineRecord>> ListAsync(IVaultStore objects, CancellationToken cancellationToken)
    {
        Dictionary<string, uint> series = await NumberedSeries.FindNewestAsync(objects, VaultLayout.Machines, cancellationToken).ConfigureAwait(false);
        var machines = new List<MachineRecord>();
        await foreach (MachineRecord? machine in ReadAhead.SelectAsync(
            series,
            objects.Capabilities.MaxConcurrency,
            (machine, token) => ReadAsync(SeriesOf(objects, machine.Key), machine.Value, token),
            cancellationToken).ConfigureAwait(false))
        {
            if (machine is not null)
            {
                machines.Add(machine);
            }
        }

        return [.. machines.OrderBy(machine => machine.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>The refusal of a name that is another machine's.</summary>
    public static BackupException NameTaken(IVaultStore objects, string name, Exception? inner = null) => new(
        BackupErrorId.MachineNameTaken,
        $"The vault '{objects.Location}' knows a machine '{name}' already, and its passphrase is another one.",
        "If it is this machine, give the passphrase that it had before. If it is another one, give this machine a name of its own, or use another vault.",
        name,
        innerException: inner);

    // Null where what is known holds.
    private static MachineRecord? Update(ChunkStore store, MachineRecord? known, string name, bool mayReturn)
    {
        if (known is { IsGone: false } && known.StoreId != store.StoreId)
        {
            throw NameTaken(store.Objects, known.Name);
        }

        if (known is { IsGone: true } && !mayReturn)
        {
            throw Gone(store.Objects, known);
        }

        MachineRecord record = Describe(name, store.StoreId);
        return record == known ? null : record;
    }

    private static async Task ChangeAsync(
        IVaultStore objects,
        VaultHeader header,
        string name,
        Func<MachineRecord?, MachineRecord?> change,
        CancellationToken cancellationToken)
    {
        NumberedSeries<MachineRecord> series = SeriesOf(objects, VaultLayout.Machine(header.MachineId(name)));
        await series.AppendAsync(
            async newest => change(await ReadAsync(series, newest, cancellationToken).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false);
    }

    private static NumberedSeries<MachineRecord> SeriesOf(IVaultStore objects, string folder) => new(objects, folder, VaultJson.Default.MachineRecord);

    private static async Task<MachineRecord?> ReadAsync(NumberedSeries<MachineRecord> series, uint number, CancellationToken cancellationToken)
    {
        MachineRecord? record = await series.ReadAsync(number, cancellationToken).ConfigureAwait(false);
        return record is { Name: not null, StoreId: not null } && VaultLayout.IsId(record.StoreId) ? record : null;
    }

    private static MachineRecord Describe(string name, string storeId) => new()
    {
        Name = name,
        OperatingSystem = RuntimeInformation.OSDescription,
        AgentVersion = Agent.Version,
        StoreId = storeId,
    };

    private static string Since(MachineRecord gone) =>
        string.Create(CultureInfo.InvariantCulture, $": it was unregistered on {gone.Left!.Value.UtcDateTime:yyyy-MM-dd 'at' HH:mm} UTC");

    private static BackupException Gone(IVaultStore objects, MachineRecord gone) => new(
        BackupErrorId.MachineNotRegistered,
        $"The machine '{gone.Name}' is no longer registered with the vault '{objects.Location}'{Since(gone)}.",
        "Register it again with 'Start-OBRegistration' and a new vault credential file; its recovery points are still there. If it is not to come back, remove its policies.",
        gone.Name);
}
