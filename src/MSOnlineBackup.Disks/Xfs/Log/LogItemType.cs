namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>The kinds of items of a log: places, and what is to be done later and is done, whose numbers have a common form.</summary>
internal enum LogItemType : ushort
{
    FreeExtents = 0x1236,
    FreeExtentsDone = 0x1237,
    Unlinked = 0x1238,
    Inode = 0x123B,
    Buffer = 0x123C,
    Quota = 0x123D,
    QuotaOff = 0x123E,
    InodeChunk = 0x123F,
    Owners = 0x1240,
    OwnersDone = 0x1241,
    References = 0x1242,
    ReferencesDone = 0x1243,
    Mapping = 0x1244,
    MappingDone = 0x1245,
    Attribute = 0x1246,
    AttributeDone = 0x1247,
    Exchange = 0x1248,
    ExchangeDone = 0x1249,
}
