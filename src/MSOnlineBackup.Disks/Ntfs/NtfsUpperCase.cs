using System.Runtime.InteropServices;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>$UpCase: the capital of each 16-bit unit, as the volume was made with it.</summary>
/// <param name="table">131,072 bytes.</param>
internal sealed class NtfsUpperCase(byte[] table)
{
    /// <summary>Bytes of the table.</summary>
    public const int Size = 131_072;

    /// <summary>Whether two names differ by case at most.</summary>
    public bool AreSimilar(string left, string right) => left.Length == right.Length && Fold(left, right) == 0;

    /// <summary>The order of two names: without case first, and by case where that is all in which they differ.</summary>
    public int Compare(string left, string right) =>
        Fold(left, right) is int order and not 0 ? order
        : left.Length != right.Length ? left.Length.CompareTo(right.Length)
        : string.CompareOrdinal(left, right);

    private int Fold(string left, string right)
    {
        ReadOnlySpan<char> capitals = MemoryMarshal.Cast<byte, char>(table);
        for (int i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            int order = capitals[left[i]].CompareTo(capitals[right[i]]);
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }
}
