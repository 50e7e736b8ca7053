namespace MSOnlineBackup;

/// <summary>What became of an item between two recovery points.</summary>
public enum OBItemChange
{
    /// <summary>It is there, and was not in the reference.</summary>
    Added,

    /// <summary>It is in both, and differs.</summary>
    Changed,

    /// <summary>It was in the reference, and is there no more.</summary>
    Gone,

    /// <summary>Whether it differs is not known: one of the points has something there that cannot be read.</summary>
    NotCompared,
}

/// <summary>By what an item differs from what it was.</summary>
[Flags]
public enum OBItemAspects
{
    /// <summary>By nothing that is compared.</summary>
    None = 0,

    /// <summary>It is of another kind: a folder in the place of a file.</summary>
    Kind = 1,

    /// <summary>A file's bytes.</summary>
    Content = 2,

    /// <summary>Where a symbolic link leads.</summary>
    Target = 4,

    /// <summary>Permission bits.</summary>
    Mode = 8,

    /// <summary>Owner or group.</summary>
    Owner = 16,

    /// <summary>When it was modified.</summary>
    Modified = 32,

    /// <summary>When it was created; of Windows only.</summary>
    Created = 64,

    /// <summary>How many names the file has.</summary>
    Links = 128,

    /// <summary>Extended attributes, access lists, flags.</summary>
    Attributes = 256,
}

/// <summary>How an item differs between two recovery points.</summary>
public sealed class OBRecoveryPointDifference
{
    /// <summary>What became of it.</summary>
    public OBItemChange Change { get; internal init; }

    /// <summary>The full path.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>Whether it is a folder.</summary>
    public bool IsDir { get; internal init; }

    /// <summary>By what it has changed.</summary>
    public OBItemAspects Aspects { get; internal init; }

    /// <summary>Size of a file in bytes; of what is gone, what it was. Null for everything else.</summary>
    public long? ItemSize { get; internal init; }

    /// <summary>Its size in the reference; null where it is not there, or no file.</summary>
    public long? EarlierSize { get; internal init; }

    /// <summary>Bytes of its content that the vault got after the reference was made, before compression; null where that is not known.</summary>
    public long? NewBytes { get; internal init; }

    /// <summary>What these take up in the vault; null likewise.</summary>
    public long? StoredBytes { get; internal init; }

    /// <summary>The item, for Start-OBRecovery: as the recovery point has it, or the reference where it is gone.</summary>
    public OBRecoverableItem Item { get; internal init; } = null!;

    /// <summary>The recovery point.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>The recovery point that it was compared with.</summary>
    public string ReferenceId { get; internal init; } = "";

    /// <summary>What and where.</summary>
    public override string ToString() => $"{Change} {Path}";
}
