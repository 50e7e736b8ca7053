using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Qemu;

/// <summary>The copy of a disk that backups make: what changed is written over what the last one has.</summary>
/// <param name="earlier">What it begins with; null for nothing.</param>
internal sealed class DiskCopy(DiskCopy? earlier = null)
{
    private byte[] _bytes = earlier?._bytes ?? [];
    private SessionId? _session = earlier?._session;

    /// <summary>How many bytes the last backup read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>What it holds.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether it holds these.</summary>
    public bool Is(byte[] content) => Bytes.SequenceEqual(content);

    /// <summary>Takes over a disk, as the point of a session.</summary>
    /// <returns>Whether only what changed was read.</returns>
    public bool Take(ISourceDisk disk, SessionId session)
    {
        BytesRead = 0;
        bool isIncremental = disk.Changes is { } changes && changes.Since == _session;
        byte[] copy = new byte[disk.Length];
        if (isIncremental)
        {
            _bytes.AsSpan(0, (int)Math.Min(_bytes.Length, disk.Length)).CopyTo(copy);
            foreach ((long start, long length) in disk.Changes!.Extents)
            {
                Assert.InRange(start + length, start + 1, disk.Length);
                disk.Read(start, copy.AsSpan((int)start, (int)length));
                BytesRead += length;
            }
        }
        else
        {
            for (long at = 0; disk.TryGetDataRun(at, out long start, out long length); at = start + length)
            {
                Assert.True(start >= at && length > 0);
                disk.Read(start, copy.AsSpan((int)start, (int)length));
                BytesRead += length;
            }
        }

        (_bytes, _session) = (copy, session);
        return isIncremental;
    }
}
