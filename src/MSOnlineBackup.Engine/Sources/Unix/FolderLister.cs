using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>Lists folders that others may be at work in. Not for several threads.</summary>
internal sealed class FolderLister(UnixSystem system, SourceSelection selection, UnixSourceRoot root)
{
    private const int MaxListings = 5;

    private readonly DirectoryListing _earlier = new();

    /// <summary>Lists a folder until it holds still, a few times at most; what was there before and is there still is kept.</summary>
    /// <param name="folder">Its handle, which another one may take the place of.</param>
    /// <param name="stat">What its stat told before.</param>
    /// <param name="listing">Gets the names.</param>
    /// <param name="path">Its path below the root.</param>
    /// <param name="failure">What is wrong with the result.</param>
    /// <returns>A negative error number where it cannot be listed.</returns>
    public int List(ref int folder, in UnixStat stat, DirectoryListing listing, ReadOnlySpan<byte> path, out BackupException? failure)
    {
        failure = null;
        UnixStat before = stat;
        for (int tries = 1; ; tries++)
        {
            int result = system.List(folder, listing);
            if (result < 0)
            {
                return result;
            }

            if (stat.IsEncrypted && system.IsLocked(folder, listing))
            {
                failure = UnixSourceError.Locked(root.FullPath(path), path.IsEmpty);
                return 0;
            }

            if (tries > 1)
            {
                KeepWhatIsThere(folder, listing);
            }

            if (system.Stat(folder, out UnixStat after) < 0 || (after.Modified == before.Modified && after.Changed == before.Changed))
            {
                break;
            }

            // A listing that was begun anew by the same handle would, on some file systems, end where the first one ended.
            int again = tries < MaxListings ? system.OpenDirectory(folder, "."u8) : -1;
            if (again < 0)
            {
                failure = UnixSourceError.Restless(root.FullPath(path));
                break;
            }

            UnixSystem.Close(folder);
            folder = again;
            before = after;
            _earlier.Clear();
            for (int i = 0; i < listing.Count; i++)
            {
                _earlier.TryAdd(listing[i]);
            }

            _earlier.Sort();
        }

        if (selection.ExcludeCaches && listing.Contains(CacheTag.Name) && UnixCacheTag.IsIn(system, folder))
        {
            listing.KeepOnly(CacheTag.Name);
        }

        return 0;
    }

    private void KeepWhatIsThere(int folder, DirectoryListing listing)
    {
        int listed = listing.Count;
        for (int i = 0; i < _earlier.Count; i++)
        {
            if (!listing.Contains(_earlier[i], listed) && system.Stat(folder, _earlier[i], out _) >= 0)
            {
                listing.TryAdd(_earlier[i]);
            }
        }

        listing.Sort();
    }
}
