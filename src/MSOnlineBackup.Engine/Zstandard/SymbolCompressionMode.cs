namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>Where the FSE table of one part of the sequences comes from.</summary>
internal enum SymbolCompressionMode
{
    /// <summary>The format's own default distribution.</summary>
    Predefined = 0,

    /// <summary>One code, the same for all sequences.</summary>
    RunLength = 1,

    /// <summary>A distribution written in the block.</summary>
    Compressed = 2,

    /// <summary>The table that this part used the last time in the same frame.</summary>
    Repeat = 3,
}
