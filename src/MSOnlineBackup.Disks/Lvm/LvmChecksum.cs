namespace MSOnlineBackup.Disks.Lvm;

/// <summary>The checksums of LVM: CRC-32 from a number of its own on, without a last turn.</summary>
internal static class LvmChecksum
{
    private const uint Start = 0xF597_A6CF;
    private const uint Polynomial = 0xEDB8_8320;

    private static readonly uint[] _table = [.. Enumerable.Range(0, 256).Select(Row)];

    /// <summary>The checksum of bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = Start;
        foreach (byte one in bytes)
        {
            crc = (crc >> 8) ^ _table[(crc & 0xFF) ^ one];
        }

        return crc;
    }

    private static uint Row(int index)
    {
        uint row = (uint)index;
        for (int bit = 0; bit < 8; bit++)
        {
            row = (row >> 1) ^ ((row & 1) * Polynomial);
        }

        return row;
    }
}
