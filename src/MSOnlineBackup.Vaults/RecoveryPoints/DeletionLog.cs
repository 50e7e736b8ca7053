using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// What was decided on the deletion of recovery points: a numbered series of sealed objects for each, of which the highest holds. Deciding is creating the next number: whoever
/// loses the race for it reads what the other has decided, and decides again. A record that cannot be read hides no point, and no point is gone by it.
/// </summary>
/// <param name="store">The chunk store.</param>
internal sealed class DeletionLog(ChunkStore store)
{
    /// <summary>The series of one machine's points, or of all, by the points' machines and sessions.</summary>
    /// <param name="objects">The vault; or what was asked of it ahead.</param>
    /// <param name="machineId">The machine; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries>> ListAsync(
        IVaultStore objects, MachineId? machineId, CancellationToken cancellationToken)
    {
        string folder = machineId is { } machine ? VaultLayout.Deletions(store.StoreId, machine) : VaultLayout.Deletions(store.StoreId);
        return Sort(await objects.ListAsync(folder, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Sorts objects into series. What is named otherwise is passed over.</summary>
    public static Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> Sort(IEnumerable<StoredObject> objects)
    {
        var found = new Dictionary<(MachineId, SessionId), List<(uint Number, StoredObject Object)>>();
        foreach (StoredObject stored in objects)
        {
            if (VaultLayout.TryParseDeletion(stored.Name, out MachineId machine, out SessionId session, out uint number) && DeletionSeries.Counts(number))
            {
                if (!found.TryGetValue((machine, session), out List<(uint Number, StoredObject Object)>? records))
                {
                    found.Add((machine, session), records = []);
                }

                records.Add((number, stored));
            }
        }

        return found.ToDictionary(
            series => series.Key,
            series => new DeletionSeries(series.Key.Item1, series.Key.Item2, [.. series.Value.OrderByDescending(record => record.Number)]));
    }

    /// <summary>What holds. Where the newest decision cannot be read, an older one counts only if it is final.</summary>
    public async Task<Deletion> ReadAsync(DeletionSeries? series, CancellationToken cancellationToken)
    {
        BackupException? damage = null;
        foreach ((_, StoredObject found) in series?.Records ?? [])
        {
            try
            {
                DeletionRecord record = await ReadRecordAsync(found, cancellationToken).ConfigureAwait(false);
                if (damage is null || record.State == DeletionState.Gone)
                {
                    return new Deletion(record.State, record.Reason, record.After > found.Created ? record.After.Value : found.Created, damage, record.Due);
                }
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
            {
                // Of a point that is gone the whole series is deleted at last: who listed it before looks again.
                DeletionSeries now = await FindAsync(series!, cancellationToken).ConfigureAwait(false);
                if (!now.Records.Any(record => record.Object.Name == found.Name))
                {
                    return await ReadAsync(now, cancellationToken).ConfigureAwait(false);
                }

                damage ??= VaultDamage.Undecided(found.Name, e);
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                damage ??= e;
            }
        }

        return Deletion.None with { Damage = damage };
    }

    /// <summary>What one object says.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<DeletionRecord> ReadRecordAsync(StoredObject found, CancellationToken cancellationToken)
    {
        try
        {
            if (found.Length > NumberedSeries.MaxLength)
            {
                throw VaultDamage.Corrupt(found.Name, "it is far too large");
            }

            (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
            return kind == SealedObjectKind.Deletion
                ? DeletionCodec.Decode(content.Span, found.Name)
                : throw VaultDamage.Corrupt(found.Name, "it is sealed as something else");
        }
        catch (BackupException e) when (e.IsOfOneObject && e.Id != BackupErrorId.VaultDataMissing)
        {
            throw VaultDamage.Undecided(found.Name, e);
        }
    }

    /// <summary>Decides, and returns what holds then. Whoever loses a race for a number looks again at what there is.</summary>
    /// <param name="known">The series as it was listed; without records where there was none.</param>
    /// <param name="next">From what holds to what is to hold; null where nothing is to change. Called again where somebody else was faster.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">What <paramref name="next"/> throws; VaultDataCorrupt where no number can follow; VaultAccessDenied, …</exception>
    public async Task<Deletion> DecideAsync(DeletionSeries known, Func<Deletion, DeletionRecord?> next, CancellationToken cancellationToken)
    {
        DeletionSeries series = known;
        uint? lost = null;
        while (true)
        {
            Deletion current = await ReadAsync(series, cancellationToken).ConfigureAwait(false);
            if (next(current) is not { } decision)
            {
                return current;
            }

            uint newest = series.Newest;
            string name = VaultLayout.Deletion(store.StoreId, series.MachineId, series.SessionId, newest + 1);
            if (!DeletionSeries.Counts(newest + 1) || newest == lost)
            {
                throw VaultDamage.Corrupt(name, "its number can be neither used nor skipped");
            }

            byte[] content = SealedObject.Seal(store.Keys, SealedObjectKind.Deletion, name, DeletionCodec.Encode(decision));
            if (await store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false))
            {
                DateTimeOffset created = (await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false))?.Created ?? store.Vault.Clock.GetUtcNow();
                return new Deletion(decision.State, decision.Reason, decision.After > created ? decision.After.Value : created, null, decision.Due);
            }

            lost = newest;
            series = await FindAsync(series, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<DeletionSeries> FindAsync(DeletionSeries series, CancellationToken cancellationToken) =>
        (await ListAsync(store.Objects, series.MachineId, cancellationToken).ConfigureAwait(false)).GetValueOrDefault((series.MachineId, series.SessionId))
        ?? series with { Records = [] };
}
