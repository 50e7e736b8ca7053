namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>How hard a backup tries to make what it stores small. What is stored is read in one way, and at one speed, whatever was chosen.</summary>
public enum Compression
{
    /// <summary>Zstandard, level 1: quick, and much smaller.</summary>
    Default,

    /// <summary>Less work, and more to store: for a slow processor beside a fast vault.</summary>
    Fastest,

    /// <summary>More work, and less to store.</summary>
    Better,

    /// <summary>As small as it gets, at a few megabytes a second: for a slow line, or a vault that is paid by size.</summary>
    Max,
}
