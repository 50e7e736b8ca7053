using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>
/// Where a source is read when that is not where it is: in snapshots of its volumes. What is said of items, and what exclusions are matched against, stays their own path.
/// </summary>
/// <param name="root">The absolute path that the root is read at, raw (on Windows as WTF-8).</param>
/// <param name="below">Folders below the root that are read somewhere else than below it: tops of subvolumes, and what is mounted there.</param>
/// <param name="devices">Devices of snapshots, each with the device of what it is a snapshot of.</param>
internal sealed class SourceView(byte[] root, IReadOnlyDictionary<EntryPath, SourcePlace> below, IReadOnlyDictionary<ulong, ulong> devices)
{
    /// <summary>The absolute path that the root is read at, raw.</summary>
    public byte[] Root => root;

    /// <summary>Whether nothing is asked of the source where it is: it may be gone.</summary>
    public bool StandsAlone { get; init; }

    /// <summary>Where a folder below the root is read; null where it is simply found in the one that holds it.</summary>
    public SourcePlace? Find(EntryPath path) => below.GetValueOrDefault(path);

    /// <summary>The device that an item is on where nobody looks at snapshots.</summary>
    public ulong LiveDevice(ulong device) => devices.GetValueOrDefault(device, device);
}

/// <summary>Where a folder is read.</summary>
/// <param name="Path">An absolute path, raw.</param>
/// <param name="IsMountPoint">Whether another file system is mounted there.</param>
internal sealed record SourcePlace(byte[] Path, bool IsMountPoint)
{
    /// <summary>Whether it is read at all: what was left out, or is in no snapshot, is an empty folder.</summary>
    public bool IsEntered { get; init; } = true;
}
