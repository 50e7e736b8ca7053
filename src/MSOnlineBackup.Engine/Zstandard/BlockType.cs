namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>How a block holds its content (bits 1 and 2 of its header).</summary>
internal enum BlockType
{
    /// <summary>The content itself.</summary>
    Raw = 0,

    /// <summary>One byte, repeated as often as the block's size says.</summary>
    RunLength = 1,

    /// <summary>A section of literals and a section of sequences.</summary>
    Compressed = 2,

    /// <summary>Not allowed in a frame.</summary>
    Reserved = 3,
}
