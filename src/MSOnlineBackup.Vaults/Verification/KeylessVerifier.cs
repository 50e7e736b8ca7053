using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// Reads every stored object and compares it with the checksum at its end. Needs no key, so a storage operator can run it. What only a key tells, it cannot
/// see: whether an object is missing, or stands in another's place.
/// </summary>
internal sealed class KeylessVerifier(IVaultStore objects, JobMonitor monitor)
{
    private readonly ProblemList _problems = new();
    private readonly ObjectVerifier _objects = new(objects, monitor);
    private long _bytes;
    private int _points;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        VaultHeader? header = null;
        try
        {
            header = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException damage) when (damage.Id == BackupErrorId.VaultHeaderDamaged)
        {
            _problems.Note(VaultLayout.Header, damage);
        }

        foreach (BackupException fault in await KeyRing.CheckAsync(objects, header, opened: null, cancellationToken).ConfigureAwait(false))
        {
            _problems.Note(fault);
        }

        var inventory = new Inventory(objects, header, _problems);
        await inventory.TakeAsync(VisitAsync, cancellationToken).ConfigureAwait(false);
        // Without a key nobody can read what was decided on a point; only that something was.
        inventory.NoteLosses((_, point) => inventory.IsDecided(point.SessionId));

        if (header is not null)
        {
            foreach (BackupException damage in await new RecordVerifier(new KnownVault(objects, header, new VaultOptions())).FindDamageAsync(cancellationToken).ConfigureAwait(false))
            {
                inventory.Judge(damage.Target!, damage, isNeeded: false);
            }
        }

        monitor.Enter(JobPhase.Finished);
        return new VerifyReport(VerifyLevel.Packs, _points, inventory.Count, 0, _bytes + inventory.Bytes, 0, inventory.Leftovers, _problems.ToFindings())
        {
            Strangers = inventory.Strangers,
            StrangerCount = inventory.StrangerCount,
            UnfinishedWrites = await objects.MeasureUnfinishedAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    private async ValueTask VisitAsync(StoredObject found, StoredKind kind, StoreId? storeId, CancellationToken cancellationToken)
    {
        if (kind is not (StoredKind.Pack or StoredKind.Segment or StoredKind.Checkpoint or StoredKind.Point or StoredKind.Deletion or StoredKind.ParityGroup or StoredKind.ParityShards or StoredKind.Copy or StoredKind.KeyEpoch or StoredKind.Group))
        {
            return;
        }

        SealedObjectKind? says = null;
        try
        {
            says = await _objects.VerifyAsync(found, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            _problems.Note(e);
        }

        Interlocked.Add(ref _bytes, found.Length);

        // A session that was shut out has a fence there.
        if (kind == StoredKind.Point && says is null or SealedObjectKind.RecoveryPoint)
        {
            Interlocked.Increment(ref _points);
        }
    }
}
