namespace MSOnlineBackup.Vaults.Layout;

/// <summary>What an object of a vault is, by its name.</summary>
internal enum StoredKind
{
    /// <summary>Nothing that this version puts into a vault: a stranger's file, or a newer version's object.</summary>
    Unknown,
    Header,
    KeySlot,
    KeySlotCopy,
    KeySlotRemoval,
    KeyEpoch,
    KeyOrder,
    Machine,
    Settings,
    Credential,
    Record,
    Consent,
    ConsentUse,
    ConsentsOver,
    Probe,
    Status,
    Session,
    SessionEnd,
    Pack,
    Segment,
    Checkpoint,
    Point,
    Commit,
    Deletion,
    Collection,
    ParityGroup,
    ParityShards,
    Copy,
    Proof,
    Group,
}
