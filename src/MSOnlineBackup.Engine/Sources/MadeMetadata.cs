using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>The metadata of what is no item of a file system: a stream, a disk, a tree that was put together.</summary>
internal static class MadeMetadata
{
    /// <summary>Those of an item that belongs to the account of this process, and to nobody else.</summary>
    /// <param name="kind">A file or a folder.</param>
    /// <param name="time">When it was made.</param>
    public static EntryMetadata Of(EntryKind kind, ItemTime time)
    {
        bool windows = OperatingSystem.IsWindows();
        return new EntryMetadata
        {
            Mode = windows ? 0u : kind == EntryKind.Directory ? 0x1c0u : 0x180u, // rwx------, rw-------
            UserId = windows ? 0 : Libc.EffectiveUser(),
            GroupId = windows ? 0 : Libc.EffectiveGroup(),
            Modified = time,
            Changed = time,
        };
    }
}
