using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Compares stored objects with the checksums at their ends. Thread-safe. Memory: 4 MiB for each that is read at a time.</summary>
/// <param name="objects">The vault.</param>
/// <param name="monitor">Counts bytes.</param>
internal sealed class ObjectVerifier(IVaultStore objects, JobMonitor monitor)
{
    private const int ReadLength = 4 << 20;

    private readonly ConcurrentBag<byte[]> _buffers = [];

    /// <summary>Verifies one object that ends with a checksum. Returns the kind that it says it is of; null where it says none, as packs.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async ValueTask<SealedObjectKind?> VerifyAsync(StoredObject found, CancellationToken cancellationToken)
    {
        byte[] buffer = _buffers.TryTake(out byte[]? free) ? free : new byte[ReadLength];
        try
        {
            return await VerifyAsync(found, buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _buffers.Add(buffer);
        }
    }

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
            int count = await objects.ReadAsync(
                found.Name, offset, buffer.AsMemory(0, (int)Math.Min(buffer.Length, covered - offset)), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                throw VaultDamage.Corrupt(found.Name, "it became shorter while it was read");
            }

            monitor.AddBytes(count);
            return count;
        }
    }
}
