using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// The machines of a vault: one numbered record for each change. A machine proves its records by a key of its chunk store; that one has left is for the
/// vault's owner to sign. What nobody proves is passed over: it neither describes a machine, nor takes its name, nor lets it leave.
/// </summary>
/// <remarks>
/// A name belongs to the chunk store of the first record since the owner last freed it. Whoever does not have the key of a store cannot check its records, so
/// the records of other stores that lie above one's own count for nothing.
/// </remarks>
internal sealed class MachineDirectory(KnownVault vault)
{
    /// <summary>Sees to it that the vault knows this machine as it is now.</summary>
    /// <param name="keys">The keys of the machine's chunk store.</param>
    /// <param name="name">Its name.</param>
    /// <param name="mayReturn">Whether a machine that has left the vault comes back by this.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNameTaken; MachineNotRegistered where it has left and may not return by this; MachineLimitReached where it is new and
    /// the vault is full, VaultDataCorrupt where that cannot be known; OwnerForeign where it has known another owner of this vault.</exception>
    public async Task AnnounceAsync(StoreKeys keys, string name, bool mayReturn, CancellationToken cancellationToken)
    {
        if (mayReturn)
        {
            await ReturnAsync(keys, name, cancellationToken).ConfigureAwait(false);
        }

        await ChangeAsync(name, keys, known => UpdateAsync(keys, known, name, mayReturn, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Which machine a name means, and whether <see cref="AnnounceAsync"/> would change nothing.</summary>
    /// <exception cref="BackupException">As for <see cref="AnnounceAsync"/>.</exception>
    public async Task<(MachineId Id, bool IsAnnounced)> LookUpAsync(
        StoreKeys keys, string name, bool mayReturn, IVaultStore early, CancellationToken cancellationToken)
    {
        MachineStanding known = await new MachineDirectory(vault with { Objects = early }).FindAsync(name, keys, cancellationToken).ConfigureAwait(false);
        bool isAnnounced = await UpdateAsync(keys, known, name, mayReturn, cancellationToken).ConfigureAwait(false) is null;
        return (known.IsOf(keys) ? known.Id : vault.Header.MachineId(name), isAnnounced);
    }

    /// <summary>The machine whose recovery points a name means to who has the keys of a chunk store.</summary>
    public async Task<MachineId> FindIdAsync(string name, StoreKeys keys, CancellationToken cancellationToken)
    {
        MachineStanding known = await FindAsync(name, keys, cancellationToken).ConfigureAwait(false);
        return known.IsOf(keys) ? known.Id : vault.Header.MachineId(name);
    }

    /// <summary>Gives a name to a chunk store.</summary>
    /// <exception cref="BackupException">MachineNameTaken.</exception>
    public async Task ClaimAsync(string name, UnlockedKey key, CancellationToken cancellationToken)
    {
        StoreKeys keys = key.KeysIn(vault.Header);
        await ReturnAsync(keys, name, cancellationToken).ConfigureAwait(false);
        await ChangeAsync(
            name,
            keys,
            known => Task.FromResult(known switch
            {
                { IsTaken: true, RenamedTo: { } called } => throw Renamed(known.Record!.Name, called),
                { IsTaken: true } when known.IsOf(keys) => null,
                { IsTaken: true } => throw NameTaken(known.Record!.Name),
                _ => Describe(name, keys, known),
            }),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Notes that a machine has left: its name is free, and so are those that it had before. Nothing that it backed up is touched.</summary>
    /// <exception cref="BackupException">MachineNotRegistered where the vault knows no such machine, or knows it by another name now; OwnerForeign.</exception>
    public async Task LeaveAsync(OwnerKey owner, string name, DateTimeOffset now, CancellationToken cancellationToken)
    {
        MachineStanding known = await FindAsync(name, keys: null, cancellationToken).ConfigureAwait(false);
        if (known is { IsTaken: true, RenamedTo: { } called })
        {
            throw new BackupException(
                BackupErrorId.MachineNotRegistered,
                $"The machine '{name}' is called '{called}' in the vault '{vault.Location}' now.",
                $"Unregister '{called}'. Its earlier names are free then, too.",
                name);
        }

        // The name first: where this is interrupted, the machine has left all the same, and doing it again does the rest.
        bool isLater = known.IsLaterName;
        bool isHalf = isLater && (await ReadAsync(known.FirstName, keys: null, cancellationToken).ConfigureAwait(false)) is { IsGone: false } first
            && first.StoreId == known.Record!.StoreId;
        await MarkGoneAsync(owner, name, isExpected: isHalf, now, cancellationToken).ConfigureAwait(false);
        if (isHalf)
        {
            await MarkGoneAsync(owner, known.FirstName, isExpected: true, now, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What the vault says of a machine to somebody without a key, even if it has left; null where it says nothing that can be read.</summary>
    public async Task<MachineRecord?> FindAsync(string name, CancellationToken cancellationToken) =>
        (await FindAsync(name, keys: null, cancellationToken).ConfigureAwait(false)).Record;

    /// <summary>What a name means.</summary>
    /// <param name="name">The name, in upper or lower case.</param>
    /// <param name="keys">The keys of the chunk store that is open; null for none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<MachineStanding> FindAsync(string name, StoreKeys? keys, CancellationToken cancellationToken) =>
        await CompleteAsync(name, await ReadAsync(name, keys, cancellationToken).ConfigureAwait(false), keys, cancellationToken).ConfigureAwait(false);

    /// <summary>All machines, those that have left too, by name; to somebody without a key.</summary>
    public async Task<IReadOnlyList<MachineRecord>> ListAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, IReadOnlyList<uint>> folders = await NumberedSeries.ListAsync(vault.Objects, VaultLayout.Machines, cancellationToken).ConfigureAwait(false);
        var machines = new Dictionary<MachineId, MachineRecord>();
        await foreach (MachineRecord? machine in ReadAhead.SelectAsync(
            folders,
            vault.Objects.Capabilities.MaxConcurrency,
            (folder, token) => ReadNewestAsync(SeriesIn(folder.Key, keys: null), folder.Value, token),
            cancellationToken).ConfigureAwait(false))
        {
            if (machine is not null)
            {
                machines[vault.Header.MachineId(machine.Name)] = machine;
            }
        }

        // A machine stands there once, under the name that it has now.
        return
        [
            .. machines.Values
                .Select(own => MachineStanding.Of(vault.Header, own.Name, own, own.First is { } first ? machines.GetValueOrDefault(vault.Header.MachineId(first)) : own))
                .Where(known => known.RenamedTo is null)
                .Select(known => known.Record!)
                .OrderBy(machine => machine.Name, StringComparer.OrdinalIgnoreCase),
        ];
    }

    /// <summary>Refuses a new machine where the vault is full.</summary>
    /// <exception cref="BackupException">MachineLimitReached; VaultDataCorrupt where the vault's settings are damaged.</exception>
    public async Task EnsureRoomAsync(string machineName, CancellationToken cancellationToken)
    {
        int limit = (await new VaultSettingsRegister(vault).ReadAsync(cancellationToken).ConfigureAwait(false)).MachineLimit;
        if (await CountAsync(cancellationToken).ConfigureAwait(false) >= limit)
        {
            throw new BackupException(
                BackupErrorId.MachineLimitReached,
                $"The vault '{vault.Location}' has {limit} machines already, as many as it may have; '{machineName}' is not one of them.",
                "Unregister a machine that is gone with 'Unregister-OBMachine', raise the limit with 'Set-OBVault -MachineLimit', or use another vault.",
                machineName,
                errorCode: "403");
        }
    }

    /// <summary>How many machines there are, without those that have left.</summary>
    public async Task<int> CountAsync(CancellationToken cancellationToken) =>
        (await ListAsync(cancellationToken).ConfigureAwait(false)).Count(machine => !machine.IsGone);

    /// <summary>The refusal of a name that is another machine's.</summary>
    public BackupException NameTaken(string name, Exception? inner = null) => new(
        BackupErrorId.MachineNameTaken,
        $"The vault '{vault.Location}' knows a machine '{name}' already, with another passphrase.",
        "If it is this machine, give the passphrase that it had before. If it is another one, give this machine a name of its own, or use another vault.",
        name,
        innerException: inner);

    /// <summary>The refusal of a name that a machine had before it was renamed.</summary>
    public BackupException Renamed(string name, string called) => new(
        BackupErrorId.MachineNameTaken,
        $"'{name}' is an earlier name of the machine '{called}' in the vault '{vault.Location}', and stays its own.",
        $"If it is this machine, run 'Rename-OBMachine {called}' on it, or name it: 'obengine backup --machine {called}'. Another machine needs another name.",
        name);

    /// <summary>Refuses what is no name.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static void CheckName(string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 255 || name.Any(char.IsControl))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                "The machine's name is empty, longer than 255 characters, or contains control characters.",
                "Give the machine a plain name.");
        }
    }

    /// <summary>What a record says; null where it is damaged, not of this name, or not proved as far as that can be checked.</summary>
    /// <param name="keys">The keys of the chunk store that is open; null for none.</param>
    public static MachineRecord? TryOpen(VaultHeader header, string name, byte[] content, StoreKeys? keys)
    {
        if (!RecordEnvelope.TrySplit(content, out ReadOnlySpan<byte> body, out RecordProof proof))
        {
            return null;
        }

        MachineRecord? record;
        try
        {
            record = JsonSerializer.Deserialize(body, RegisterJson.Default.MachineRecord);
        }
        catch (JsonException)
        {
            return null;
        }

        if (record is not { Name: not null }
            || !name.StartsWith(VaultLayout.Machine(header.MachineId(record.Name)), StringComparison.Ordinal))
        {
            return null;
        }

        // That it has left is said by the owner, and nothing else is.
        bool isProved = record.IsGone
            ? header.OwnerIdentity is { } owner && proof.IsSigned(owner, header.VaultId, name, body)
            : !proof.IsSignature && (record.StoreId != keys?.StoreId || proof.IsAuthentic(keys.MachinesKey(), header.VaultId, name, body));
        return isProved ? record : null;
    }

    /// <summary>What the vault writes of a machine by a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="keys">The keys of its chunk store.</param>
    /// <param name="known">What the name means so far.</param>
    public MachineRecord Describe(string name, StoreKeys keys, MachineStanding known) => new()
    {
        Name = name,
        OperatingSystem = RuntimeInformation.OSDescription,
        AgentVersion = Product.Version,
        StoreId = keys.StoreId,
        Owner = vault.Header.OwnerIdentity?.PublicKey,
        First = known.IsOf(keys) ? known.Record!.First : null,
    };

    /// <summary>Appends to the series of a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="keys">The keys of the machine's chunk store.</param>
    /// <param name="change">From what the name means to the record that is to follow; null where none needs to. May be called more than once.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task ChangeAsync(
        string name,
        StoreKeys keys,
        Func<MachineStanding, Task<MachineRecord?>> change,
        CancellationToken cancellationToken)
    {
        NumberedSeries<MachineRecord> series = SeriesOf(name, keys);
        await series.AppendAsync(
            async numbers =>
            {
                MachineRecord? own = await ResolveAsync(series, numbers, keys.StoreId, cancellationToken).ConfigureAwait(false);
                return await change(await CompleteAsync(name, own, keys, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false) is { } record && record != own ? record : null;
            },
            (record, state) => RecordEnvelope.Authenticate(
                keys.MachinesKey(), vault.VaultId, record, JsonSerializer.SerializeToUtf8Bytes(state, RegisterJson.Default.MachineRecord)),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says, in the series of the name that a machine had first, what it is called now.</summary>
    public Task CallAsync(StoreKeys keys, string firstName, string name, CancellationToken cancellationToken) => ChangeAsync(
        firstName,
        keys,
        known => Task.FromResult<MachineRecord?>(known.IsTaken && !known.IsOf(keys)
            ? null // Freed by the owner, and another chunk store's since: it says nothing of this machine.
            : Describe(known.Record?.Name ?? firstName, keys, known) with
            {
                First = null,
                Called = vault.Header.MachineId(name) == vault.Header.MachineId(firstName) ? null : name,
            }),
        cancellationToken);

    // A machine that was renamed has left by two names, and comes back by two.
    private async Task ReturnAsync(StoreKeys keys, string name, CancellationToken cancellationToken)
    {
        MachineStanding known = await FindAsync(name, keys, cancellationToken).ConfigureAwait(false);
        if (known is { IsLaterName: true, Record.IsGone: true } && known.IsOf(keys))
        {
            await EnsureRoomAsync(name, cancellationToken).ConfigureAwait(false);
            await CallAsync(keys, known.FirstName, name, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task MarkGoneAsync(OwnerKey owner, string name, bool isExpected, DateTimeOffset now, CancellationToken cancellationToken)
    {
        NumberedSeries<MachineRecord> series = SeriesOf(name, keys: null);
        await series.AppendAsync(
            async numbers => await ResolveAsync(series, numbers, storeId: null, cancellationToken).ConfigureAwait(false) switch
            {
                { IsGone: false } known => known with { Left = now },
                { IsGone: true } when isExpected => null,
                var known => throw new BackupException(
                    BackupErrorId.MachineNotRegistered,
                    $"No machine '{name}' is registered with the vault '{vault.Location}'{(known is null ? null : Since(known))}.",
                    "'Get-OBVault' shows the machines of a vault.",
                    name),
            },
            (record, state) => OwnerRecord.Seal(vault, owner, record, state, RegisterJson.Default.MachineRecord),
            cancellationToken).ConfigureAwait(false);
    }

    // Null where what is known holds.
    private async Task<MachineRecord?> UpdateAsync(StoreKeys keys, MachineStanding standing, string name, bool mayReturn, CancellationToken cancellationToken)
    {
        MachineRecord? known = standing.Record;
        switch (known)
        {
            case { IsGone: false } when known.StoreId != keys.StoreId:
                throw (await KeyListing.ReadAsync(vault.Objects, cancellationToken, known.StoreId).ConfigureAwait(false)).Slots.Count > 0
                    ? NameTaken(known.Name)
                    : VaultDamage.NotSigned(VaultLayout.Machine(vault.Header.MachineId(name)));
            case { IsGone: false } when standing.RenamedTo is { } called:
                throw Renamed(known.Name, called);
            case { IsGone: false, Owner: not null } when known.Owner != vault.Header.OwnerIdentity?.PublicKey:
                throw OwnerErrors.Foreign(vault.Objects.Location, $"'{known.Name}' has backed up to it when it had another");
            case { IsGone: true } when !mayReturn:
                throw Gone(known);
            case null or { IsGone: true }:
                await EnsureRoomAsync(name, cancellationToken).ConfigureAwait(false);
                break;
        }

        MachineRecord record = Describe(name, keys, standing);
        return record == known ? null : record;
    }

    private async Task<MachineStanding> CompleteAsync(string name, MachineRecord? own, StoreKeys? keys, CancellationToken cancellationToken) => MachineStanding.Of(
        vault.Header,
        name,
        own,
        own?.First is { } first ? await ReadAsync(first, keys, cancellationToken).ConfigureAwait(false) : own);

    private async Task<MachineRecord?> ReadAsync(string name, StoreKeys? keys, CancellationToken cancellationToken)
    {
        NumberedSeries<MachineRecord> series = SeriesOf(name, keys);
        return await ResolveAsync(series, await series.ListAsync(cancellationToken).ConfigureAwait(false), keys?.StoreId, cancellationToken).ConfigureAwait(false);
    }

    // From the newest down to what decides: a record of one's own store, or that the owner has freed the name.
    private static async Task<MachineRecord?> ResolveAsync(
        NumberedSeries<MachineRecord> series, IReadOnlyList<uint> numbers, StoreId? storeId, CancellationToken cancellationToken)
    {
        var others = new List<MachineRecord>();
        foreach (uint number in numbers)
        {
            MachineRecord? record = await series.ReadAsync(number, cancellationToken).ConfigureAwait(false);
            if (record is { IsGone: true })
            {
                return First(others) ?? record;
            }

            if (record is not null && record.StoreId == storeId)
            {
                return record;
            }

            if (record is not null)
            {
                others.Add(record);
            }
        }

        return First(others);

        // The store of the lowest number has the name; its newest record describes it.
        static MachineRecord? First(List<MachineRecord> found) => found.Find(record => record.StoreId == found[^1].StoreId);
    }

    private static async Task<MachineRecord?> ReadNewestAsync(NumberedSeries<MachineRecord> series, IReadOnlyList<uint> numbers, CancellationToken cancellationToken)
    {
        foreach (uint number in numbers)
        {
            if (await series.ReadAsync(number, cancellationToken).ConfigureAwait(false) is { } record)
            {
                return record;
            }
        }

        return null;
    }

    private NumberedSeries<MachineRecord> SeriesOf(string machineName, StoreKeys? keys) =>
        SeriesIn(VaultLayout.Machine(vault.Header.MachineId(machineName)), keys);

    private NumberedSeries<MachineRecord> SeriesIn(string folder, StoreKeys? keys) =>
        new(vault.Objects, folder, (name, content) => TryOpen(vault.Header, name, content, keys));

    private static string Since(MachineRecord gone) =>
        string.Create(CultureInfo.InvariantCulture, $": it was unregistered on {gone.Left!.Value.UtcDateTime:yyyy-MM-dd 'at' HH:mm} UTC");

    private BackupException Gone(MachineRecord gone) => new(
        BackupErrorId.MachineNotRegistered,
        $"The machine '{gone.Name}' is no longer registered with the vault '{vault.Location}'{Since(gone)}.",
        "Register it again with 'Start-OBRegistration' and a new vault credential file; its recovery points are still there. If it is not to come back, remove its policies.",
        gone.Name);
}
