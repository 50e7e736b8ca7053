namespace MSOnlineBackup.Vaults.Stores;

/// <summary>What a vault is opened for.</summary>
public enum AskAhead
{
    /// <summary>Not known: nothing is asked before it is wanted.</summary>
    Nothing,

    /// <summary>Restoring, browsing, verifying: index and recovery points.</summary>
    ForReading,

    /// <summary>A backup: also what says who else writes, and what an interrupted job left.</summary>
    ForBackup,
}
