using System.Collections.Concurrent;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Packs;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Maintenance;

/// <summary>Reads every stored object and compares it with the SHA-256 at its end. Needs no key, so a storage operator can run it.</summary>
internal sealed class ObjectVerifier(IVaultStore objects, JobMonitor monitor)
{
    private const int ReadLength = 4 << 20;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        long count = 0;
        long bytes = 0;
        int points = 0;
        var findings = new ConcurrentBag<VerifyFinding>();
        var buffers = new ConcurrentBag<byte[]>();
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = objects.Capabilities.MaxConcurrency };
        await Parallel.ForEachAsync(objects.ListAsync(VaultLayout.Stores, cancellationToken), options, async (found, token) =>
        {
            if (found.Name.Contains("/sessions/", StringComparison.Ordinal))
            {
                return;
            }

            byte[] buffer = buffers.TryTake(out byte[]? free) ? free : new byte[ReadLength];
            try
            {
                await VerifyAsync(found, buffer, token).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing)
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
        if (found.Length < SealedObject.ChecksumLength + PackFormat.HeaderLength)
        {
            throw VaultDamage.Corrupt(found.Name, "it is too short to be whole");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long covered = found.Length - SealedObject.ChecksumLength;
        byte[] expected = new byte[SealedObject.ChecksumLength];
        for (long offset = 0; offset < covered;)
        {
            int wanted = (int)Math.Min(buffer.Length, covered - offset);
            int read = await objects.ReadAsync(found.Name, offset, buffer.AsMemory(0, wanted), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw VaultDamage.Corrupt(found.Name, "it became shorter while it was read");
            }

            hash.AppendData(buffer.AsSpan(0, read));
            monitor.AddBytes(read);
            offset += read;
        }

        int tail = await objects.ReadAsync(found.Name, covered, expected, cancellationToken).ConfigureAwait(false);
        if (tail < expected.Length || !hash.GetHashAndReset().AsSpan().SequenceEqual(expected))
        {
            throw VaultDamage.Corrupt(found.Name, "its SHA-256 is not the one at its end");
        }
    }
}
