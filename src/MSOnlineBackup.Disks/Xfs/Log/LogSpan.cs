namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>The part of a log that tells of what may not be in its place.</summary>
/// <param name="Tail">The sector of its first record.</param>
/// <param name="TailCycle">How often the log had gone round when that was written.</param>
/// <param name="Sectors">How many sectors there are to its end.</param>
internal readonly record struct LogSpan(long Tail, uint TailCycle, long Sectors);
