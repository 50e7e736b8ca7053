namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>How a compressed block holds its literals (the lowest two bits of their section's header).</summary>
internal enum LiteralsBlockType
{
    /// <summary>The literals themselves.</summary>
    Raw = 0,

    /// <summary>One byte, repeated.</summary>
    RunLength = 1,

    /// <summary>A Huffman tree, and one or four streams coded with it.</summary>
    Compressed = 2,

    /// <summary>One or four streams coded with the tree of an earlier block of the same frame.</summary>
    Treeless = 3,
}
