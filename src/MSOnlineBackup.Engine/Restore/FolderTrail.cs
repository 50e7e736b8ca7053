using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>The folders that the walk is in, from the target down: made or opened as it comes to them, and let go as it leaves them.</summary>
/// <param name="job">The restore.</param>
/// <param name="mapNames">Whether items get names that Windows has.</param>
internal sealed class FolderTrail(RestoreJob job, bool mapNames)
{
    private readonly Stack<RestoreFolder> _folders = new();

    // Of folders on the way to what was selected, which may be come to again: by their place.
    private readonly Dictionary<EntryPath, FolderNames> _names = [];

    /// <summary>The open folder that holds a place; null for the target itself. One that the selection does not list is made on the way.</summary>
    public RestoreFolder? FolderOf(EntryPath place)
    {
        if (place.IsRoot)
        {
            return null;
        }

        EntryPath parent = place.Parent;
        while (_folders.TryPeek(out RestoreFolder? top) && !parent.IsAtOrBelow(top.Place))
        {
            _folders.Pop().Release();
        }

        return _folders.TryPeek(out RestoreFolder? open) && open.Place == parent ? open : MakeFolder(parent);
    }

    /// <summary>Where an item goes: its name, if the target can have it beside those that are there already; else another one, or a failure.</summary>
    /// <param name="folder">The open folder that it goes into.</param>
    /// <param name="place">Its path in the selection.</param>
    /// <param name="fullPath">Its full path in the point.</param>
    /// <param name="failure">Why it cannot be there; what is known already stays.</param>
    public EntryPath TargetOf(RestoreFolder? folder, EntryPath place, string fullPath, ref BackupException? failure)
    {
        if (folder is null)
        {
            return place;
        }

        byte[] own = place.Name.ToArray();
        EntryPath target = folder.Target.Append(own);
        if (failure is not null)
        {
            return target;
        }

        byte[] name = mapNames ? MappedName.Map(own) : own;
        if (!job.Target.CanHave(name))
        {
            failure = RestoreFault.NameImpossible(PathText.Show(target));
            return target;
        }

        try
        {
            name = folder.Names.Choose(name, () => job.Target.IgnoresCase(folder.Target), out bool isKnown);
            target = folder.Target.Append(name);
            if (!isKnown && !name.AsSpan().SequenceEqual(own))
            {
                job.Tally.Rename(fullPath, target, wasAskedFor: mapNames);
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            failure = fault;
        }

        return target;
    }

    /// <summary>Makes or opens the folder that an item is.</summary>
    /// <param name="selected">The item.</param>
    /// <param name="item">What was decided for it.</param>
    /// <param name="failure">Why it is not to be made; nothing below it can be restored then.</param>
    /// <returns>Whether it is open, and gets what the item has.</returns>
    public bool Open(SelectedEntry selected, RestoreItem item, BackupException? failure)
    {
        // A folder that was there keeps its own metadata unless everything is to be as it was, or an earlier restore did not come to set them; the
        // target itself and what is only on the way to a selected item always do.
        bool isNew = item.Placement is Placement.Free or Placement.Rename;
        bool isUnfinished = !item.Entry.Path.IsRoot && (isNew || ConflictRule.IsUnfinished(item.Existing));
        bool keepsItsOwn = item.Entry.Path.IsRoot || (!isUnfinished && (selected.IsAbove || !job.Overwrites));
        var folder = new RestoreFolder(job, item.Folder, selected.Place, item.Entry.Path, keepsItsOwn ? null : item)
        {
            IsNew = isNew,
            IsUnfinished = isUnfinished,
            Failure = failure,
            Names = selected.IsAbove ? NamesOnTheWay(selected.Place) : new FolderNames(),
        };
        if (failure is null)
        {
            try
            {
                folder.Open(unlock: job.Overwrites);
                job.Tally.CountDone(EntryKind.Directory);
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                folder.Failure = fault;
                job.Tally.Report(item, fault);
            }
        }

        _folders.Push(folder);
        return folder.Failure is null && !keepsItsOwn;
    }

    /// <summary>The walk is over: no folder waits for it any more.</summary>
    public void Close()
    {
        while (_folders.TryPop(out RestoreFolder? folder))
        {
            folder.Release();
        }
    }

    private FolderNames NamesOnTheWay(EntryPath place)
    {
        if (!_names.TryGetValue(place, out FolderNames? names))
        {
            _names.Add(place, names = new FolderNames());
        }

        return names;
    }

    private RestoreFolder MakeFolder(EntryPath place)
    {
        RestoreFolder? above = FolderOf(place);
        BackupException? failure = above?.Failure;
        EntryPath target = TargetOf(above, place, PathText.Show(place), ref failure);
        var folder = new RestoreFolder(job, above, place, target, item: null) { Failure = failure, Names = NamesOnTheWay(place) };
        if (folder.Failure is null && !place.IsRoot)
        {
            try
            {
                ManifestEntry? existing = job.Target.Find(target);
                folder.IsNew = existing is null;
                folder.IsUnfinished = existing is null || ConflictRule.IsUnfinished(existing);
                folder.Open(unlock: job.Overwrites);
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                folder.Failure = fault;
            }
        }

        _folders.Push(folder);
        return folder;
    }
}
