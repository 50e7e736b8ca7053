namespace MSOnlineBackup.Disks.Ext4;

/// <summary>Blocks that follow each other, in a file and on the disk.</summary>
/// <param name="Start">The first one's number on the disk; 0 for a hole, which reads as zeroes.</param>
/// <param name="Count">How many, from 1.</param>
internal readonly record struct BlockRun(long Start, long Count)
{
    public bool IsHole => Start == 0;

    public static BlockRun Hole(long count) => new(0, count);
}
