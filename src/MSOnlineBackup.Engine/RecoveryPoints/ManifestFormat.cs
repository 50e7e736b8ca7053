using MSOnlineBackup.Engine.Chunks;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>The fixed numbers of the manifest's encoding, and the one error of whatever does not keep to it.</summary>
internal static class ManifestFormat
{
    /// <summary>The first byte of every leaf, node and slice list.</summary>
    public const byte Version = 1;

    /// <summary>How many bits of an entry's head are its kind; those above are its flags.</summary>
    public const int KindBits = 5;

    /// <summary>Most bytes that a block may have; nothing larger is even looked at.</summary>
    public const int MaxBlockBytes = 4 << 20;

    /// <summary>Most bytes of names and values that the attributes of one entry may have together.</summary>
    public const int MaxAttributeBytes = 2 << 20;

    /// <summary>Most attributes of one entry.</summary>
    public const int MaxAttributes = 4096;

    /// <summary>Most slice lists of one file: about 64 TiB of chunks of average size.</summary>
    public const int MaxSliceLists = 32_768;

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
