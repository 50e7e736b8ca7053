using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>A file or folder of FAT or exFAT.</summary>
/// <param name="Id">The place of what describes it on the disk, in units of 32 bytes.</param>
/// <param name="Name">Its name.</param>
/// <param name="ShortName">Its other name, of eight and three letters; the same where it has no other.</param>
/// <param name="Kind">File or folder.</param>
/// <param name="Length">Of a file, in bytes.</param>
/// <param name="Modified">When it was written to.</param>
internal sealed record FatEntry(ulong Id, string Name, string ShortName, EntryKind Kind, long Length, ItemTime Modified)
{
    /// <summary>What no name may have, here or on the systems to which it is restored.</summary>
    public static bool IsName(string name) => name is not ("" or "." or "..") && !name.AsSpan().ContainsAny('/', '\0');

    /// <summary>It as an item.</summary>
    public VolumeItem ToItem() => new(Id, WtfName.ToBytes(Name), Kind, Length, Modified);
}
