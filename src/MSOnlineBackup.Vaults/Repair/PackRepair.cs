namespace MSOnlineBackup.Vaults.Repair;

/// <summary>A pack that was damaged or missing, and what became of the chunks that it held.</summary>
/// <param name="Object">Its name.</param>
/// <param name="Problem">What was wrong with it.</param>
public sealed record PackRepair(string Object, string Problem)
{
    /// <summary>Chunks that still opened in it; written anew where no other pack has them.</summary>
    public int Salvaged { get; init; }

    /// <summary>Chunks that did not, and of which another pack has a sound copy.</summary>
    public int FromCopies { get; init; }

    /// <summary>Chunks that were recovered from parity.</summary>
    public int FromParity { get; init; }

    /// <summary>Chunks that nothing in the vault gives any more: the next backups store again what their sources still have.</summary>
    public int Lost { get; init; }

    /// <summary>Bytes of the lost chunks, before compression.</summary>
    public long LostBytes { get; init; }
}
