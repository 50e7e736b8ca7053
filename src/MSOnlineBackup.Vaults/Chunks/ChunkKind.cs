namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>What a chunk's plaintext is. Part of its identity and of what its seal authenticates.</summary>
public enum ChunkKind : byte
{
    /// <summary>File content: a piece of a large file, or a bundle of small ones.</summary>
    Content = 1,

    /// <summary>A leaf block of a manifest: entries.</summary>
    ManifestLeaf = 2,

    /// <summary>An inner block of a manifest: first paths and block ids.</summary>
    ManifestNode = 3,

    /// <summary>A list of the slices of one large file.</summary>
    SliceList = 4,

    /// <summary>The list of what a backup skipped.</summary>
    SkippedItems = 5,
}
