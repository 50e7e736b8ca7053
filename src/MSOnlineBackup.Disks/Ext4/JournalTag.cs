namespace MSOnlineBackup.Disks.Ext4;

/// <summary>A descriptor's entry for one block that follows it.</summary>
/// <param name="Block">Which block of the file system it is.</param>
/// <param name="IsEscaped">Whether its first four bytes were replaced by zeroes.</param>
/// <param name="Checksum">Its sum, whole or half; null where the journal has none.</param>
internal readonly record struct JournalTag(long Block, bool IsEscaped, uint? Checksum);
