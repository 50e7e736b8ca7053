using System.Buffers.Binary;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What is to be known about how an entry came into the recovery point. Flags that are not known say nothing that must be known.</summary>
[Flags]
public enum EntryFlags : uint
{
    /// <summary>Read as a whole, and unchanged from before to after.</summary>
    None = 0,

    /// <summary>It changed while it was read: the content may mix two states.</summary>
    ChangedWhileRead = 1,

    /// <summary>It could not be read now: what stands here is the version of an earlier point.</summary>
    KeptFromEarlier = 2,

    /// <summary>It was there and could not be read, and no earlier version is known: no content, not restorable.</summary>
    Unreadable = 4,

    /// <summary>It changed so shortly before it was read that equal times would prove nothing: read it again next time.</summary>
    Racy = 8,

    /// <summary>Only in checkpoints: the slices cover the beginning of the file only.</summary>
    Partial = 16,
}

/// <summary>
/// An attribute beyond the fixed fields: an extended attribute, Windows attributes, a security descriptor, …
/// Unknown tags are kept when an entry is carried over and ignored on restore.
/// </summary>
/// <param name="Tag">What it is.</param>
/// <param name="Name">Its raw name; empty where the tag says all.</param>
/// <param name="Value">Its raw value.</param>
public readonly record struct EntryAttribute(AttributeTag Tag, ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);

/// <summary>The kinds of <see cref="EntryAttribute"/>.</summary>
public enum AttributeTag : byte
{
    /// <summary>An extended attribute (POSIX ACLs and file capabilities are among them).</summary>
    ExtendedAttribute = 1,

    /// <summary>Linux inode flags (<c>chattr</c>) or BSD flags: 4 bytes, little-endian; the entry's platform says which.</summary>
    InodeFlags = 2,

    /// <summary>Windows file attributes: 4 bytes, little-endian.</summary>
    WindowsAttributes = 3,

    /// <summary>A Windows security descriptor, self-relative.</summary>
    WindowsSecurityDescriptor = 4,

    /// <summary>A Windows alternate data stream, or a macOS resource fork, up to 1 MiB: name and content. Longer ones are <see cref="LongStream"/>.</summary>
    NamedStream = 5,

    /// <summary>The reparse data of a Windows junction or other reparse point that is not a symbolic link.</summary>
    WindowsReparseData = 6,

    /// <summary>An attribute that is there and could not be read: its name, empty for the list of them all; no value. The next backup tries again.</summary>
    Unread = 7,

    /// <summary>Of a folder: another file system was mounted here and its content is in the point. No name, no value.</summary>
    MountPoint = 8,

    /// <summary>A named stream as <see cref="NamedStream"/>, but of any length: its value names the slice lists that say where its bytes are.</summary>
    LongStream = 9,
}

/// <summary>A field of an entry that only a later version knows. It is kept when the entry is carried over.</summary>
/// <param name="Bit">Its bit in the entry's fields, 14 to 63. From 32 on it must be known by whoever restores the entry.</param>
/// <param name="Value">Its bytes.</param>
public readonly record struct UnknownField(int Bit, ReadOnlyMemory<byte> Value);

/// <summary>
/// The fixed metadata of an entry. Two records that are equal in <see cref="ManifestEntry.SameStateAs"/> are the same state of the same file.
/// </summary>
public sealed record EntryMetadata
{
    /// <summary>Permission bits, set-id and sticky bits: the low 12 bits of st_mode. 0 on Windows.</summary>
    public uint Mode { get; init; }

    /// <summary>Numeric owner.</summary>
    public uint UserId { get; init; }

    /// <summary>Numeric group.</summary>
    public uint GroupId { get; init; }

    /// <summary>Last modification.</summary>
    public ItemTime Modified { get; init; }

    /// <summary>Last change of the inode (on Windows: ChangeTime). Only for change detection.</summary>
    public ItemTime Changed { get; init; }

    /// <summary>When it came into being; null where the file system does not keep this time.</summary>
    public ItemTime? Created { get; init; }

    /// <summary>Inode or file id; 0 where the file system has no stable one, or a listing does not tell it.</summary>
    public ulong FileId { get; init; }

    /// <summary>The device the inode is on; with <see cref="FileId"/> the identity of a hard-linked file. 0 unless <see cref="LinkCount"/> > 1.</summary>
    public ulong DeviceId { get; init; }

    /// <summary>Number of hard links; 1 for folders; 0 where a listing does not tell it.</summary>
    public uint LinkCount { get; init; } = 1;

    /// <summary>st_rdev of a device node, as (major &lt;&lt; 32 | minor).</summary>
    public ulong DeviceNumber { get; init; }
}

/// <summary>One item of a source, as a recovery point keeps it.</summary>
public sealed record ManifestEntry
{
    /// <summary>Where it is, below the source's root.</summary>
    public required EntryPath Path { get; init; }

    /// <summary>What it is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>How it came here.</summary>
    public EntryFlags Flags { get; init; }

    /// <summary>Its fixed metadata.</summary>
    public required EntryMetadata Metadata { get; init; }

    /// <summary>Size of a file in bytes, holes included; 0 for everything else.</summary>
    public long Size { get; init; }

    /// <summary>Everything beyond the fixed metadata, in a stable order.</summary>
    public IReadOnlyList<EntryAttribute> Attributes { get; init; } = [];

    /// <summary>Raw target of a symbolic link.</summary>
    public ReadOnlyMemory<byte> LinkTarget { get; init; }

    /// <summary>Where the bytes of a file are.</summary>
    public EntryContent Content { get; init; } = EntryContent.Empty;

    /// <summary>Fields that only a later version knows, by their bits.</summary>
    public IReadOnlyList<UnknownField> UnknownFields { get; init; } = [];

    /// <summary>The attributes that Windows gives an item; null for one of another system, and for one whose details could not be read.</summary>
    public FileAttributes? WindowsAttributes
    {
        get
        {
            foreach (EntryAttribute attribute in Attributes)
            {
                if (attribute.Tag == AttributeTag.WindowsAttributes && attribute.Value.Length == sizeof(uint))
                {
                    return (FileAttributes)BinaryPrimitives.ReadUInt32LittleEndian(attribute.Value.Span);
                }
            }

            return null;
        }
    }

    /// <summary>Whether this version knows all that it must to restore the entry: its kind, and every field that says more than metadata.</summary>
    public bool IsUnderstood =>
        Kind is >= EntryKind.File and <= EntryKind.BlockDevice
        && (UnknownFields.Count == 0 || UnknownFields[^1].Bit < ManifestFormat.FirstCriticalField);

    /// <summary>The state of the same file as <paramref name="other"/>, as far as metadata can tell.</summary>
    public bool SameStateAs(ManifestEntry other) =>
        Kind == other.Kind
        && Size == other.Size
        && Metadata.Modified == other.Metadata.Modified
        && Metadata.Changed == other.Metadata.Changed
        && (Metadata.FileId == other.Metadata.FileId || Metadata.FileId == 0 || other.Metadata.FileId == 0);

    /// <summary>Its named streams that do not stand in the entry: their names, and where their bytes are.</summary>
    internal IReadOnlyList<ItemContent> LongStreams =>
        HasAttribute(AttributeTag.LongStream) ? [.. Attributes.Where(attribute => attribute.Tag == AttributeTag.LongStream).Select(ItemContent.Of)] : [];

    /// <summary>Whether it has an attribute of a kind.</summary>
    internal bool HasAttribute(AttributeTag tag)
    {
        for (int i = 0; i < Attributes.Count; i++)
        {
            if (Attributes[i].Tag == tag)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A run of a file's bytes: a slice of a chunk, or a hole.</summary>
/// <param name="Chunk">The chunk; null for a hole.</param>
/// <param name="Offset">Where in the chunk's plaintext the slice begins; 0 for a whole chunk and for a hole.</param>
/// <param name="Length">How many bytes; at least 1.</param>
public readonly record struct ContentSlice(ChunkId? Chunk, int Offset, long Length);

/// <summary>
/// Where a file's bytes are: slices in file order, inline or, for a file of many chunks, in slice-list chunks
/// (at most <see cref="SlicesPerList"/> slices each), so that no entry grows with its file.
/// </summary>
/// <param name="Slices">The slices, when inline; empty when <paramref name="Lists"/> is not.</param>
/// <param name="Lists">The slice lists, in file order.</param>
public sealed record EntryContent(IReadOnlyList<ContentSlice> Slices, IReadOnlyList<SliceListReference> Lists)
{
    /// <summary>How many slices stand in an entry at most; more go into slice lists.</summary>
    public const int MaxInlineSlices = 256;

    /// <summary>How many slices a slice list holds at most.</summary>
    public const int SlicesPerList = 2048;

    /// <summary>No bytes.</summary>
    public static EntryContent Empty { get; } = new([], []);
}

/// <summary>A slice-list chunk and how many bytes of the file it covers.</summary>
public readonly record struct SliceListReference(ChunkId Id, long Length)
{
    /// <summary>Most bytes that it takes in an entry.</summary>
    internal const long MaxEncodedLength = ChunkId.Length + 9;
}
