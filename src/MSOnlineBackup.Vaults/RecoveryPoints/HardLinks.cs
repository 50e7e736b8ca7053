using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Files with several names, from the first name until the last was met. One caller at a time.</summary>
/// <typeparam name="T">What is remembered of the first name.</typeparam>
internal sealed class HardLinks<T>
    where T : class
{
    private readonly Dictionary<(ulong Device, ulong File), Known> _known = [];

    /// <summary>Whether an entry is a further name of a file met before.</summary>
    public bool TryGetFirst(ManifestEntry entry, [NotNullWhen(true)] out T? first) => TryGetFirst(entry, out first, out _);

    /// <summary>Whether an entry is a further name of a file met before; and what is known of how that was read.</summary>
    public bool TryGetFirst(ManifestEntry entry, [NotNullWhen(true)] out T? first, out EntryFlags flags)
    {
        first = null;
        flags = EntryFlags.None;
        if (!HasOtherNames(entry) || !_known.TryGetValue(IdentityOf(entry), out Known? known) || !IsSameFile(known.Entry, entry))
        {
            return false;
        }

        if (--known.NamesLeft == 0)
        {
            _known.Remove(IdentityOf(entry));
        }

        first = known.Value;
        flags = known.Entry.Flags;
        return true;
    }

    /// <summary>Whether an entry is a further name of a file met before. Unlike <see cref="TryGetFirst(ManifestEntry, out T)"/> it counts no name as met.</summary>
    public bool IsFurtherName(ManifestEntry entry) => HasOtherNames(entry) && _known.TryGetValue(IdentityOf(entry), out Known? known) && IsSameFile(known.Entry, entry);

    /// <summary>Remembers an entry as the first name of its file; nothing where it has only one.</summary>
    public void Add(ManifestEntry entry, T value)
    {
        if (HasOtherNames(entry))
        {
            _known[IdentityOf(entry)] = new Known(entry, value) { NamesLeft = entry.Metadata.LinkCount - 1 };
        }
    }

    private static bool HasOtherNames(ManifestEntry entry) =>
        entry.Kind != EntryKind.Directory && entry.Metadata.LinkCount > 1 && entry.Metadata.FileId != 0;

    private static (ulong Device, ulong File) IdentityOf(ManifestEntry entry) => (entry.Metadata.DeviceId, entry.Metadata.FileId);

    // A number can have passed to another file while the backup ran.
    private static bool IsSameFile(ManifestEntry left, ManifestEntry right) =>
        left.Size == right.Size && left.Metadata.Modified == right.Metadata.Modified;

    private sealed record Known(ManifestEntry Entry, T Value)
    {
        public uint NamesLeft { get; set; }
    }
}
