namespace MSOnlineBackup.Disks.Fat;

/// <summary>Where the content of a file or folder of exFAT is.</summary>
/// <param name="First">Its first cluster.</param>
/// <param name="IsRun">Whether its clusters follow each other, and the table does not have them.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Written">How many of them were written; what follows reads as zeroes.</param>
internal readonly record struct ExFatStream(uint First, bool IsRun, long Length, long Written);
