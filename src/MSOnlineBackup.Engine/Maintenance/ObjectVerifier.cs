using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Packs;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Maintenance;

/// <summary>Reads every stored object and compares it with the checksum at its end. Needs no key, so a storage operator can run it.</summary>
internal sealed class ObjectVerifier(IVaultStore objects, JobMonitor monitor)
{
    private const int ReadLength = 4 << 20;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        var findings = new ConcurrentBag<VerifyFinding>();
        VaultHeader? header = null;
        try
        {
            header = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException damage) when (damage.Id == BackupErrorId.VaultHeaderDamaged)
        {
            findings.Add(new VerifyFinding(VaultLayout.Header, damage.Message, []));
        }

        foreach (BackupException fault in await KeyRing.CheckAsync(objects, header, opened: null, cancellationToken).ConfigureAwait(false))
        {
            findings.Add(new VerifyFinding(fault.Target ?? VaultLayout.AllKeys, fault.Message, []));
        }

        IReadOnlyList<BackupException> forged = header is null ? [] : await new RecordVerifier(objects, header).FindDamageAsync(cancellationToken).ConfigureAwait(false);
        foreach (BackupException damage in forged)
        {
            findings.Add(new VerifyFinding(damage.Target!, damage.Message, []));
        }

        long count = 0;
        long bytes = 0;
        int points = 0;
        var buffers = new ConcurrentBag<byte[]>();
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = objects.Capabilities.MaxConcurrency };
        await Parallel.ForEachAsync(objects.ListAsync(VaultLayout.Stores, cancellationToken), options, async (found, token) =>
        {
            if (found.Name.Contains("/sessions/", StringComparison.Ordinal))
            {
                if (await SessionRecord.CheckAsync(objects, header, found.Name, token).ConfigureAwait(false) is { } fault)
                {
                    findings.Add(new VerifyFinding(found.Name, fault.Message, []));
                }

                return;
            }

            byte[] buffer = buffers.TryTake(out byte[]? free) ? free : new byte[ReadLength];
            try
            {
                await VerifyAsync(found, buffer, token).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.IsDamage || e.Id == BackupErrorId.VaultFormatUnsupported)
            {
                findings.Add(new VerifyFinding(found.Name, e.Message, []));
            }
            finally
            {
                buffers.Add(buffer);
            }

            Interlocked.Increment(ref count);
            Interlocked.Add(ref bytes, found.Length);
            if (found.Name.Contains("/points/", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref points);
            }
        }).ConfigureAwait(false);
        monitor.Enter(JobPhase.Finished);
        return new VerifyReport(VerifyLevel.Packs, points, count, 0, bytes, 0, 0, [.. findings.OrderBy(finding => finding.Object, StringComparer.Ordinal)]);
    }

    private async ValueTask VerifyAsync(StoredObject found, byte[] buffer, CancellationToken cancellationToken)
    {
        long covered = found.Length - ObjectChecksum.Length;
        if (covered < PackFormat.HeaderLength)
        {
            throw VaultDamage.Corrupt(found.Name, "it is too short to be whole");
        }

        int read = await ReadAsync(0).ConfigureAwait(false);
        var checksum = new ObjectChecksum();
        checksum.Append(buffer.AsSpan(0, read));
        for (long offset = read; offset < covered; offset += read)
        {
            read = await ReadAsync(offset).ConfigureAwait(false);
            checksum.Append(buffer.AsSpan(0, read));
        }

        read = await objects.ReadAsync(found.Name, covered, buffer.AsMemory(0, ObjectChecksum.Length), cancellationToken).ConfigureAwait(false);
        checksum.Expect(found.Name, buffer.AsSpan(0, read));

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
