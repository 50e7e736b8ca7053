using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>The fixed numbers of the manifest's encoding, and the one error of whatever does not keep to it.</summary>
internal static class ManifestFormat
{
    /// <summary>The first byte of every leaf, node and slice list.</summary>
    public const byte Version = 1;

    /// <summary>How many bits of an entry's head are its kind; those above are its flags.</summary>
    public const int KindBits = 5;

    /// <summary>How many flags an entry can have.</summary>
    public const int FlagBits = 32;

    /// <summary>The first bit of an entry's fields that this version does not know. What such a bit stands for tells its own length.</summary>
    public const int FirstUnknownField = 14;

    /// <summary>The first bit whose field must be known by whoever restores the entry.</summary>
    public const int FirstCriticalField = 32;

    /// <summary>Most bytes that the unknown fields of one entry may have together.</summary>
    public const int MaxUnknownBytes = 512 << 10;

    /// <summary>Most bytes that a block may have; nothing larger is even looked at.</summary>
    public const int MaxBlockBytes = 4 << 20;

    /// <summary>Most bytes of names and values that the attributes of one entry may have together.</summary>
    public const int MaxAttributeBytes = 2 << 20;

    /// <summary>The longest named stream that writers put into the entry itself; longer ones are cut as the contents of files are.</summary>
    public const int MaxInlineStreamBytes = 1 << 20;

    /// <summary>Most attributes of one entry.</summary>
    public const int MaxAttributes = 4096;

    /// <summary>
    /// Most slice lists of one file. A list has 998 slices on average (at least 512, and then one in 512 ends it, 2,048 at most): 65 million
    /// slices, of 1 MiB each 62 TiB. A reference to a list has at most 41 bytes: 2.6 MiB of the 4 of a block.
    /// </summary>
    public const int MaxSliceLists = 65_536;

    /// <summary>Most bytes that the references to slice lists and the attributes of one entry may have together.</summary>
    public const int MaxEntryBytes = 3 << 20;

    /// <summary>Most node levels above the leaves.</summary>
    public const int MaxDepth = 16;

    /// <summary>Length of the key that decides where blocks are cut.</summary>
    public const int BoundaryKeyBytes = 16;

    /// <summary>No leaf is cut by its paths' hash before it has this many bytes.</summary>
    public const int MinLeafBytes = 32 << 10;

    /// <summary>A leaf that has this many bytes is closed.</summary>
    public const int MaxLeafBytes = 512 << 10;

    /// <summary>A leaf begins, on average, at one entry of 2^10 …</summary>
    public const int LeafBoundaryBits = 10;

    /// <summary>… until the one before it has this many bytes,</summary>
    public const int FullLeafBytes = 128 << 10;

    /// <summary>and then at one of 2^6.</summary>
    public const int FullLeafBoundaryBits = 6;

    /// <summary>No node is cut by its paths' hash before it has this many children.</summary>
    public const int MinNodeChildren = 32;

    /// <summary>A node that has this many children is closed.</summary>
    public const int MaxNodeChildren = 512;

    /// <summary>A node whose children's first paths have this many bytes together is closed.</summary>
    public const int MaxNodePathBytes = 512 << 10;

    /// <summary>A node begins, on average, at one child of 2^7.</summary>
    public const int NodeBoundaryBits = 7;

    /// <summary>The error of a block that does not decode.</summary>
    public static BackupException Damaged(ChunkId block, string what) => new(
        BackupErrorId.VaultDataCorrupt,
        $"The metadata block {block} is damaged: {what}.",
        "Verify the vault. What this block lists cannot be read from this recovery point; another recovery point may have it.",
        target: block.ToString());
}
