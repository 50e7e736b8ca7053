namespace MSOnlineBackup.Disks.Ext4;

/// <summary>A name in a folder.</summary>
/// <param name="Inode">Whose it is.</param>
/// <param name="Name">The name's bytes.</param>
internal readonly record struct FolderEntry(uint Inode, ReadOnlyMemory<byte> Name);
