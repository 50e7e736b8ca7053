using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Probing;

/// <summary>Looks whether a part of a disk holds what it knows, by a few bytes of it.</summary>
/// <param name="content">The part. Small pieces of it are kept (<see cref="BlockCache"/>).</param>
/// <param name="place">What messages call it: "partition 2", "the disk".</param>
/// <param name="cancellationToken">Stops it.</param>
/// <returns>What it holds, opened where it has files; null where it is something else.</returns>
/// <exception cref="BackupException">What reading the disk gives. That the content is damaged is in what is returned.</exception>
internal delegate ValueTask<PartContent?> Probe(IDiskContent content, string place, CancellationToken cancellationToken);
