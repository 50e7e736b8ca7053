using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks;

/// <summary>A logical volume and what it holds.</summary>
/// <param name="Group">The name of its group.</param>
/// <param name="Name">Its name in the group.</param>
/// <param name="Length">How many bytes it has; 0 where it cannot be put together.</param>
/// <param name="Content">What it holds: a file system that is open, or why there is none.</param>
public sealed record GroupVolume(string Group, string Name, long Length, PartContent Content);
