using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>What a cache holds of an index.</summary>
/// <param name="Records">The records; their pack numbers count through <paramref name="Packs"/>.</param>
/// <param name="Packs">The packs.</param>
/// <param name="Segments">The segments that all this was read from.</param>
internal sealed record CachedIndex(FileRun Records, IReadOnlyList<PackInfo> Packs, IReadOnlyList<CachedSegment> Segments);

/// <summary>A segment of the vault that a cache stands for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its length in bytes, sealed.</param>
/// <param name="Packs">The numbers of the packs that it names.</param>
internal sealed record CachedSegment(string Name, long Length, int[] Packs);
