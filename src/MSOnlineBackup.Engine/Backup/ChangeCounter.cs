using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Counts how the files of a source differ from those of the last point, while the two are walked side by side. It asks for nothing: of an unchanged file it adds one.
/// </summary>
/// <param name="earlier">How many files the last point has.</param>
internal sealed class ChangeCounter(long earlier)
{
    // The folders above what is at hand in which files came or went: as many as the tree is deep at most.
    private readonly Stack<Folder> _folders = new();
    private long _met;
    private long _new;
    private long _changed;
    private long _renamed;
    private long _bytes;

    /// <summary>Notes what is there at a path now, and what was. In path order, together with <see cref="NoteMissed"/>.</summary>
    /// <param name="entry">What is there.</param>
    /// <param name="previous">What the last point has at its path; null for nothing.</param>
    /// <param name="isFirstName">Whether its bytes were not met under another name.</param>
    public void Note(ManifestEntry entry, ManifestEntry? previous, bool isFirstName)
    {
        bool wasFile = previous?.Kind == EntryKind.File;
        bool isFile = entry.Kind == EntryKind.File;
        if (wasFile)
        {
            _met++;
        }

        if (!(wasFile || isFile) || (wasFile && isFile && previous!.SameStateAs(entry)))
        {
            return;
        }

        if (wasFile)
        {
            _changed++;
        }
        else
        {
            _new++;
            FolderOf(entry.Path).New++;
        }

        if (isFile && isFirstName)
        {
            _bytes = entry.Size > long.MaxValue - _bytes ? long.MaxValue : _bytes + entry.Size;
        }
    }

    /// <summary>Notes an item that cannot be read: what was there stays.</summary>
    public void NoteKept(ManifestEntry? previous) => _met += previous?.Kind == EntryKind.File ? 1 : 0;

    /// <summary>Notes something that the last point has and that is gone.</summary>
    public void NoteMissed(ManifestEntry missed)
    {
        if (missed.Kind == EntryKind.File)
        {
            FolderOf(missed.Path).Gone++;
        }
    }

    /// <summary>What was counted, once the walk is over.</summary>
    public SourceChanges Complete()
    {
        while (_folders.Count > 0)
        {
            Leave();
        }

        // What lay in folders that are gone was not met either.
        return new SourceChanges(earlier, _new, _changed, Math.Max(0, earlier - _met), _renamed, _bytes);
    }

    private Folder FolderOf(EntryPath path)
    {
        while (_folders.TryPeek(out Folder? open) && !path.IsAtOrBelow(open.Path))
        {
            Leave();
        }

        // Below a folder that is open, its own names and those of folders in it take turns.
        int parent = Math.Max(0, path.Bytes.LastIndexOf((byte)'/'));
        if (!_folders.TryPeek(out Folder? folder) || folder.Path.Bytes.Length != parent)
        {
            _folders.Push(folder = new Folder(path.Parent));
        }

        return folder;
    }

    private void Leave()
    {
        Folder left = _folders.Pop();
        _renamed += Math.Min(left.New, left.Gone);
    }

    private sealed class Folder(EntryPath path)
    {
        public EntryPath Path => path;

        public long New { get; set; }

        public long Gone { get; set; }
    }
}
