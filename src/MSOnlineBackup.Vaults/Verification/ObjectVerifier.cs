using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// Reads every stored object and compares it with the checksum at its end. Needs no key, so a storage operator can run it. What only a key tells, it cannot see:
/// whether an object is missing, or stands in another's place.
/// </summary>
internal sealed class ObjectVerifier(IVaultStore objects, JobMonitor monitor)
{
    private const int ReadLength = 4 << 20;

    private readonly ProblemList _problems = new();
    private readonly ConcurrentBag<byte[]> _buffers = [];
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
        if (header is not null)
        {
            foreach (BackupException damage in await new RecordVerifier(objects, header).FindDamageAsync(cancellationToken).ConfigureAwait(false))
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

    private async ValueTask VisitAsync(StoredObject found, StoredKind kind, string storeId, CancellationToken cancellationToken)
    {
        if (kind is not (StoredKind.Pack or StoredKind.Segment or StoredKind.Checkpoint or StoredKind.Point))
        {
            return;
        }

        byte[] buffer = _buffers.TryTake(out byte[]? free) ? free : new byte[ReadLength];
        SealedObjectKind? says = null;
        try
        {
            says = await VerifyAsync(found, buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            _problems.Note(e);
        }
        finally
        {
            _buffers.Add(buffer);
        }

        Interlocked.Add(ref _bytes, found.Length);
        // A session that was shut out has a fence there.
        if (kind == StoredKind.Point && says is null or SealedObjectKind.RecoveryPoint)
        {
            Interlocked.Increment(ref _points);
        }
    }

    // Returns what the object says that it is; null where it does not say so, as packs.
    private async ValueTask<SealedObjectKind?> VerifyAsync(StoredObject found, byte[] buffer, CancellationToken cancellationToken)
    {
        long covered = found.Length - ObjectChecksum.Length;
        if (covered < PackFormat.HeaderLength)
        {
            throw VaultDamage.Corrupt(found.Name, "it is too short to be whole");
        }

        int read = await ReadAsync(0).ConfigureAwait(false);
        SealedObjectKind? says = SealedObject.KindOf(buffer.AsSpan(0, read));
        var checksum = new ObjectChecksum();
        checksum.Append(buffer.AsSpan(0, read));
        for (long offset = read; offset < covered; offset += read)
        {
            read = await ReadAsync(offset).ConfigureAwait(false);
            checksum.Append(buffer.AsSpan(0, read));
        }

        read = await objects.ReadAsync(found.Name, covered, buffer.AsMemory(0, ObjectChecksum.Length), cancellationToken).ConfigureAwait(false);
        checksum.Expect(found.Name, buffer.AsSpan(0, read));
        return says;

        async ValueTask<int> ReadAsync(long offset)
        {
            int count = await objects.ReadAsync(found.Name, offset, buffer.AsMemory(0, (int)Math.Min(buffer.Length, covered - offset)), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                throw VaultDamage.Corrupt(found.Name, "it became shorter while it was read");
            }

            monitor.AddBytes(count);
            return count;
        }
    }
}
