using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>A line of an attribute list: in which record an attribute, or a part of it, stands.</summary>
/// <param name="Type">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Lowest">The first cluster that the part tells.</param>
/// <param name="Reference">The record.</param>
/// <param name="Number">Its number in that record.</param>
internal sealed record NtfsAttributePlace(NtfsAttributeType Type, string Name, long Lowest, ulong Reference, ushort Number)
{
    /// <summary>No list is longer.</summary>
    public const int LongestList = 256 << 10;

    private const int HeaderLength = 26;

    /// <summary>Reads a list.</summary>
    public static List<NtfsAttributePlace> Decode(ReadOnlySpan<byte> bytes)
    {
        var places = new List<NtfsAttributePlace>();
        while (!bytes.IsEmpty)
        {
            int length = bytes.Length < HeaderLength ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
            if (length < HeaderLength || length > bytes.Length || (bytes[6] > 0 && bytes[7] + (bytes[6] * 2) > length))
            {
                throw NtfsFault.Corrupt("an attribute list is cut off");
            }

            places.Add(new NtfsAttributePlace(
                (NtfsAttributeType)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
                bytes[6] == 0 ? "" : new string(MemoryMarshal.Cast<byte, char>(bytes.Slice(bytes[7], bytes[6] * 2))),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
                BinaryPrimitives.ReadUInt16LittleEndian(bytes[24..])));
            bytes = bytes[length..];
        }

        return places;
    }

    /// <summary>The parts of one attribute, in order.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: the first is missing, or one is there twice.</exception>
    public static List<NtfsAttributePlace> PartsOf(IEnumerable<NtfsAttributePlace> places, NtfsAttributeType type, string name)
    {
        List<NtfsAttributePlace> parts = [.. places.Where(place => place.Type == type && place.Name == name).OrderBy(place => place.Lowest)];
        for (int i = 0; i < parts.Count; i++)
        {
            if (i == 0 ? parts[i].Lowest != 0 : parts[i].Lowest == parts[i - 1].Lowest)
            {
                throw NtfsFault.Corrupt("an attribute list does not have all parts once");
            }
        }

        return parts;
    }
}
