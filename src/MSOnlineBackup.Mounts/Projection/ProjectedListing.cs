using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>Somebody lists a folder: what is looked for, and how far it has come. What was there when it began is listed, whatever comes and goes.</summary>
/// <param name="folder">The folder; null for one that holds nothing.</param>
/// <param name="names">How Windows reads patterns.</param>
internal sealed class ProjectedListing(ProjectedFolder? folder, IProjectionService names)
{
    private readonly Lock _gate = new();
    private bool _isBegun;
    private string? _search;
    private bool _isPattern;
    private int _at;

    /// <summary>Adds as many items as there is room for, in order, from where the last time ended.</summary>
    /// <param name="search">What is looked for; counts only where the listing begins, or begins again.</param>
    /// <param name="isRestarted">Whether it begins again.</param>
    /// <param name="entries">Takes them.</param>
    /// <returns>An HRESULT: that of the buffer where not even one has room.</returns>
    public int Next(string? search, bool isRestarted, IProjectedEntries entries)
    {
        lock (_gate)
        {
            if (!_isBegun || isRestarted)
            {
                (_isBegun, _at) = (true, 0);
                _search = string.IsNullOrEmpty(search) ? null : search;
                _isPattern = _search is not null && names.IsPattern(_search);
            }

            return folder is null ? ProjectionResult.Ok : _search is null || _isPattern ? AddAll(folder, entries) : AddOne(folder, _search, entries);
        }
    }

    private int AddAll(ProjectedFolder all, IProjectedEntries entries)
    {
        bool hasAny = false;
        for (; _at < all.Entries.Count; _at++)
        {
            ProjectedEntry entry = all.Entries[_at];
            if (_isPattern && !names.IsMatch(entry.Name, _search!))
            {
                continue;
            }

            int result = entries.Add(entry.Name, entry.Info);
            if (result < 0)
            {
                // The next buffer begins with this one.
                return result == ProjectionResult.InsufficientBuffer && hasAny ? ProjectionResult.Ok : result;
            }

            hasAny = true;
        }

        return ProjectionResult.Ok;
    }

    private int AddOne(ProjectedFolder all, string name, IProjectedEntries entries)
    {
        if (_at > 0 || all.Find(name) is not { } entry)
        {
            return ProjectionResult.Ok;
        }

        int result = entries.Add(entry.Name, entry.Info);
        _at = result < 0 ? 0 : 1;
        return result;
    }
}
