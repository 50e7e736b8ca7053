namespace MSOnlineBackup.Disks.Ext4;

/// <summary>CRC-32 with the greatest bit first, as Linux computes it (<c>crc32_be</c>): neither begun nor ended with an inversion.</summary>
internal static class Crc32Big
{
    private static readonly uint[] _table = [.. Enumerable.Range(0, 256).Select(Entry)];

    /// <summary>Continues a sum.</summary>
    public static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (byte one in bytes)
        {
            sum = (sum << 8) ^ _table[(sum >> 24) ^ one];
        }

        return sum;
    }

    private static uint Entry(int index)
    {
        uint value = (uint)index << 24;
        for (int bit = 0; bit < 8; bit++)
        {
            value = (value << 1) ^ ((value >> 31) * 0x04C1_1DB7);
        }

        return value;
    }
}
