using MSOnlineBackup.Disks.Lvm;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Probing;

/// <summary>What is recognised and has no files to show, so that a listing says why.</summary>
internal static class Containers
{
    // Where the header of swap ends depends on the page size of the machine.
    private static readonly int[] _pages = [4096, 8192, 16384, 65536];

    private static ReadOnlySpan<byte> Luks => [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE];

    private static ReadOnlySpan<byte> BitLockerToGo => [0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01];

    /// <summary>Swap, encrypted volumes, and parts of arrays and volume groups.</summary>
    public static async ValueTask<PartContent?> ProbeAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        byte[] head = await HeadAsync(content, 4096, cancellationToken).ConfigureAwait(false);
        if (Has(head, 0, Luks))
        {
            return Told("crypto_LUKS", "LUKS volume", "it is encrypted", content, place);
        }

        // By the boot sector; that of BitLocker To Go looks like FAT, and has its GUID further on.
        if (Has(head, 3, "-FVE-FS-"u8) || (Has(head, 3, "MSWIN4.1"u8) && Has(head, 424, BitLockerToGo)))
        {
            return Told("BitLocker", "BitLocker volume", "it is encrypted", content, place);
        }

        if (LvmPhysicalVolume.IsOne(head))
        {
            return Told(LvmPhysicalVolume.Kind, "LVM physical volume", "it is a part of a volume group, whose logical volumes are read", content, place);
        }

        foreach (int page in _pages)
        {
            byte[] end = content.Length < page ? [] : await ReadAsync(content, page - 10, 10, cancellationToken).ConfigureAwait(false);
            if (Has(end, 0, "SWAPSPACE2"u8) || Has(end, 0, "SWAP-SPACE"u8))
            {
                return Told("swap", "swap space", "it has no files", content, place);
            }
        }

        return null;
    }

    /// <summary>What is said of a part that nobody knows: empty where its beginning has zeroes only.</summary>
    public static async Task<PartContent> OfNothingKnownAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        byte[] head = await HeadAsync(content, 1 << 17, cancellationToken).ConfigureAwait(false);
        return Signatures.Find(head) is { } known ? Told(known.Kind, known.What, "it is of a kind that is not read", content, place)
            : !head.AsSpan().ContainsAnyExcept((byte)0)
                ? Told("empty", "space", "it is empty", content, place)
                : PartContent.Without(null, new VolumeSource(content, "content", place).Unsupported("it is of a kind that is not known"));
    }

    private static PartContent Told(string kind, string what, string why, IDiskContent content, string place) =>
        PartContent.Without(kind, new VolumeSource(content, what, place).Unsupported(why));

    private static bool Has(ReadOnlySpan<byte> bytes, int at, ReadOnlySpan<byte> magic) => bytes.Length >= at + magic.Length && bytes[at..].StartsWith(magic);

    private static Task<byte[]> HeadAsync(IDiskContent content, int length, CancellationToken cancellationToken) =>
        ReadAsync(content, 0, (int)Math.Min(content.Length, length), cancellationToken);

    private static async Task<byte[]> ReadAsync(IDiskContent content, long offset, int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        await content.ReadAsync(offset, bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }
}
