using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Compliance;

/// <summary>
/// Looks whether the backups of a vault's machines come as expected: on any machine that may read the vault, without a passphrase. A look lists names and reads a record for each machine
/// and statuses that it has not read before; no index, and no data.
/// </summary>
public sealed class VaultWatch
{
    // A machine whose clock is off by less is not worth a word.
    private static readonly TimeSpan _clockPatience = TimeSpan.FromMinutes(5);

    private readonly KnownVault _vault;
    private readonly IReadOnlyList<MonitoringKey> _keys;
    private readonly TimeSpan? _maxAge;

    // Objects never change: what was read once is known.
    private ConcurrentDictionary<string, StatusReading> _read = new(StringComparer.Ordinal);

    internal VaultWatch(KnownVault vault, IReadOnlyList<MonitoringCredential> credentials, TimeSpan? maxAge)
    {
        foreach (MonitoringCredential credential in credentials)
        {
            if (credential.VaultId != vault.VaultId)
            {
                throw new BackupException(
                    BackupErrorId.MonitoringCredentialInvalid,
                    $"A monitoring credential is of another vault ({credential.VaultId}), and not of '{vault.Location}' ({vault.VaultId}).",
                    "Name the credential that was exported from this vault.",
                    vault.Location);
            }
        }

        _vault = vault;
        _keys = [.. credentials.Select(credential => credential.Key)];
        _maxAge = maxAge;
    }

    /// <summary>Looks once.</summary>
    /// <exception cref="BackupException">VaultUnreachable, VaultAccessDenied, …: then nothing is known.</exception>
    public async Task<VaultCompliance> LookAsync(CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<MachineRecord>> naming = new MachineDirectory(_vault).ListAsync(cancellationToken);
        Task<Dictionary<MachineId, DateTimeOffset>> registering = ListRegisteredAsync(cancellationToken);
        Task<PointSight> pointing = PointSight.TakeAsync(_vault, cancellationToken);
        IReadOnlyList<StatusNames> names = await StatusNames.ListAsync(_vault.Objects, cancellationToken).ConfigureAwait(false);
        PointSight points = await pointing.ConfigureAwait(false);
        Dictionary<MachineId, DateTimeOffset> registered = await registering.ConfigureAwait(false);
        ILookup<MachineId, StatusNames> byMachine = names.ToLookup(of => of.MachineId);
        var warnings = new List<string>();
        DateTimeOffset now = Now(names.Select(of => of.Newest[0].Created).Concat(registered.Values).Concat(points.Newest.Values), warnings);
        var facts = new List<MachineFacts>();
        foreach (MachineRecord machine in (await naming.ConfigureAwait(false)).Where(machine => !machine.IsGone))
        {
            MachineId id = _vault.Header.MachineId(machine.First ?? machine.Name);
            var known = new MachineFacts(machine.Name, null, [], registered.GetValueOrDefault(id, now))
            {
                NewestPoint = points.Newest.TryGetValue(id, out DateTimeOffset newest) ? newest : null,
                HasPoint = session => points.Has(id, session),
            };
            List<MachineFacts> told = await ReadAsync(machine.StoreId, known, byMachine[id], cancellationToken).ConfigureAwait(false);
            facts.AddRange(told.Count == 0 ? [known] : told);
        }

        Forget(names);
        return new VaultCompliance(now, [.. facts.Select(of => ComplianceDecision.Of(of, now, _maxAge)).OfType<PolicyCompliance>()], warnings);
    }

    // Where none of a machine's statuses can be read it stands there once, by its recovery points.
    private async Task<List<MachineFacts>> ReadAsync(StoreId storeId, MachineFacts machine, IEnumerable<StatusNames> series, CancellationToken cancellationToken)
    {
        var told = new List<MachineFacts>();
        foreach (StatusNames names in series.OrderBy(names => names.Policy, StringComparer.Ordinal))
        {
            MachineFacts found = await ReadAsync(storeId, machine with { Policy = names.Policy }, names, cancellationToken).ConfigureAwait(false);
            told.Add(found);
        }

        List<MachineFacts> read = [.. told.Where(of => of.Statuses.Count > 0)];
        bool hasPolicy = read.Any(of => of.Policy != StatusNames.NoPolicy);
        return read.Count > 0 || told.Count == 0
            ? [.. read.Select(of => of with { IsBeside = hasPolicy && of.Policy == StatusNames.NoPolicy })]
            : [machine with { Sealed = told.Sum(of => of.Sealed), Invalid = told.Sum(of => of.Invalid) }];
    }

    // As far back as the last success, and what it is compared with.
    private async Task<MachineFacts> ReadAsync(StoreId storeId, MachineFacts facts, StatusNames names, CancellationToken cancellationToken)
    {
        const int MostOfThese = 12;
        var statuses = new List<KnownStatus>();
        int closed = 0;
        int invalid = 0;
        bool isSuccessful = false;
        await foreach ((StoredObject stored, StatusReading reading) in ReadAhead.SelectAsync(
            names.Newest.Take(StatusNames.Kept),
            MostOfThese,
            async (stored, token) => (stored, await ReadAsync(storeId, stored, token).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false))
        {
            if (reading.Status is { } status)
            {
                statuses.Add(new KnownStatus(status, stored.Created, reading.IsProved));
                isSuccessful |= status.IsSuccess;
                if (isSuccessful && statuses.Count >= MostOfThese)
                {
                    break;
                }
            }
            else if (statuses.Count == 0)
            {
                closed += reading.IsSealed ? 1 : 0;
                invalid += reading.IsSealed ? 0 : 1;
            }
        }

        return facts with { Statuses = statuses, Sealed = closed, Invalid = invalid };
    }

    private async Task<StatusReading> ReadAsync(StoreId storeId, StoredObject stored, CancellationToken cancellationToken)
    {
        if (_read.TryGetValue(stored.Name, out StatusReading? known))
        {
            return known;
        }

        byte[]? content = null;
        try
        {
            content = await VaultHeader.ReadSmallAsync(_vault.Objects, stored.Name, NumberedSeries.MaxLength, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            // Told as one that is not valid.
        }

        StatusReading reading = content is null ? StatusReading.Invalid : StatusCodec.Decode(_keys, storeId, _vault.VaultId, stored.Name, content);
        _read[stored.Name] = reading;
        return reading;
    }

    private void Forget(IReadOnlyList<StatusNames> names)
    {
        HashSet<string> there = [.. names.SelectMany(of => of.Newest).Select(stored => stored.Name)];
        _read = new ConcurrentDictionary<string, StatusReading>(_read.Where(known => there.Contains(known.Key)), StringComparer.Ordinal);
    }

    private async Task<Dictionary<MachineId, DateTimeOffset>> ListRegisteredAsync(CancellationToken cancellationToken)
    {
        var first = new Dictionary<MachineId, DateTimeOffset>();
        await foreach (StoredObject stored in _vault.Objects.ListAsync(VaultLayout.Machines, cancellationToken).ConfigureAwait(false))
        {
            if (stored.Name.Split('/') is [_, var machine, _] && MachineId.TryParse(machine, out MachineId id)
                && (!first.TryGetValue(id, out DateTimeOffset earlier) || stored.Created < earlier))
            {
                first[id] = stored.Created;
            }
        }

        return first;
    }

    // The store's clock is known by what it created: time has come at least that far.
    private DateTimeOffset Now(IEnumerable<DateTimeOffset> created, List<string> warnings)
    {
        DateTimeOffset now = _vault.Clock.GetUtcNow();
        DateTimeOffset newest = created.DefaultIfEmpty(now).Max();
        if (newest - now > _clockPatience)
        {
            warnings.Add($"The clock of this machine ({now.UtcDateTime:u}) is behind that of the vault, which created an object at {newest.UtcDateTime:u}. What is late may be told too late.");
        }

        return newest > now ? newest : now;
    }
}
