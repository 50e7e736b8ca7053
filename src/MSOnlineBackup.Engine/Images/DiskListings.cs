using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Engine.Images;

/// <summary>Listings of folders that are under way: whoever comes for the next page goes on where the last one ended, and reads nothing twice. Thread-safe.</summary>
internal sealed class DiskListings
{
    private const int Most = 16;

    private readonly Lock _gate = new();
    private readonly OrderedDictionary<(ulong Folder, ulong After), IAsyncEnumerator<VolumeItem>> _kept = [];

    /// <summary>Goes on with a listing, or begins one.</summary>
    /// <param name="folder">The folder's number.</param>
    /// <param name="after">The number of the item that was had last; 0 to begin.</param>
    /// <param name="begin">Lists the folder.</param>
    /// <returns>The listing, which is the caller's then, and whether it stands behind that item.</returns>
    public (IAsyncEnumerator<VolumeItem> Listing, bool IsBegun) Take(ulong folder, ulong after, Func<IAsyncEnumerable<VolumeItem>> begin)
    {
        lock (_gate)
        {
            if (_kept.Remove((folder, after), out IAsyncEnumerator<VolumeItem>? kept))
            {
                return (kept, true);
            }
        }

        return (begin().GetAsyncEnumerator(CancellationToken.None), false);
    }

    /// <summary>Keeps a listing for whoever comes for its next page. The oldest is forgotten: listings hold nothing but memory.</summary>
    public void Keep(ulong folder, ulong after, IAsyncEnumerator<VolumeItem> listing)
    {
        lock (_gate)
        {
            _kept[(folder, after)] = listing;
            if (_kept.Count > Most)
            {
                _kept.RemoveAt(0);
            }
        }
    }
}
