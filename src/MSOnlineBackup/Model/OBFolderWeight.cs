namespace MSOnlineBackup;

/// <summary>What a folder, with all that is below it, adds to a reference.</summary>
public sealed class OBFolderWeight
{
    /// <summary>The folder's full path.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>How many folders are above it, up to the source: that has 0.</summary>
    public int Depth { get; internal init; }

    /// <summary>Files that were added, whose content has changed, or that were stored anew.</summary>
    public long Files { get; internal init; }

    /// <summary>Their size in bytes.</summary>
    public long Bytes { get; internal init; }

    /// <summary>Bytes of them that the vault got after the reference was made, before compression.</summary>
    public long NewBytes { get; internal init; }

    /// <summary>What these take up in the vault.</summary>
    public long StoredBytes { get; internal init; }

    /// <summary>The recovery point.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>The recovery point that it was compared with.</summary>
    public string ReferenceId { get; internal init; } = "";

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}
