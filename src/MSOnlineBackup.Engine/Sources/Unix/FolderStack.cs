using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>
/// The folders between the root and where a walk is, each with the names that are still to come. Only the deepest
/// hold an open handle, and the root; the others are opened again, step by step from the root, when the walk comes back.
/// </summary>
internal sealed class FolderStack(UnixSystem system) : IDisposable
{
    // Where few files may be open, most are left to the vault and the runtime.
    private static readonly int _maxOpen = (int)Math.Clamp(UnixSystem.OpenFileLimit / 16, 4, 64);

    // Coming back, this many are opened on the way, so that a deep tree is not descended anew for every folder of it.
    private static readonly int _reopenedAtOnce = _maxOpen / 2;

    private readonly List<Folder> _folders = [];
    private byte[] _path = new byte[4096];

    /// <summary>How many folders the walk is in; 0 when it is over.</summary>
    public int Depth { get; private set; }

    /// <summary>The handle of the deepest folder; -1 where it is not to be found again.</summary>
    public int Handle => Top.Handle;

    /// <summary>What is known of the deepest folder.</summary>
    public ref readonly UnixStat Stat => ref Top.Stat;

    private Folder Top => _folders[Depth - 1];

    /// <summary>An empty listing for a folder that may be entered next.</summary>
    public DirectoryListing NextListing
    {
        get
        {
            if (_folders.Count == Depth)
            {
                _folders.Add(new Folder());
            }

            return _folders[Depth].Listing;
        }
    }

    /// <summary>Enters the folder whose names are in <see cref="NextListing"/>.</summary>
    /// <param name="handle">Its handle, owned from now on.</param>
    /// <param name="stat">What it is.</param>
    /// <param name="path">Its path below the root.</param>
    /// <param name="place">Its absolute path, where it is not found by its name in the folder that holds it; else null.</param>
    public void Enter(int handle, in UnixStat stat, ReadOnlySpan<byte> path, byte[]? place = null)
    {
        Folder folder = _folders[Depth++];
        folder.Place = place;
        folder.Handle = handle;
        folder.Stat = stat;
        folder.Next = 0;
        folder.PathLength = path.Length;
        int distant = Depth - 1 - _maxOpen;
        if (distant > 0)
        {
            CloseFolder(_folders[distant]);
        }
    }

    /// <summary>Begins in a folder that is not the root: what is entered next lies below this path.</summary>
    public void Begin(ReadOnlySpan<byte> path)
    {
        if (_path.Length < path.Length)
        {
            _path = new byte[2 * path.Length];
        }

        path.CopyTo(_path);
    }

    /// <summary>Moves to the next name of the deepest folder.</summary>
    public bool TryNext(out ReadOnlySpan<byte> name)
    {
        Folder folder = Top;
        if (folder.Next == folder.Listing.Count)
        {
            name = default;
            return false;
        }

        name = folder.Listing[folder.Next++];
        return true;
    }

    /// <summary>The path of a name in the deepest folder. Valid until the next call.</summary>
    public ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> name)
    {
        int parent = Top.PathLength;
        int start = parent == 0 ? 0 : parent + 1;
        if (_path.Length < start + name.Length)
        {
            Array.Resize(ref _path, 2 * (start + name.Length));
        }

        if (parent > 0)
        {
            _path[parent] = (byte)'/';
        }

        name.CopyTo(_path.AsSpan(start));
        return _path.AsSpan(0, start + name.Length);
    }

    /// <summary>Leaves the deepest folder and sees to it that the one above has a handle.</summary>
    public void Leave()
    {
        CloseFolder(Top);
        Depth--;
        if (Depth > 0 && Top.Handle < 0)
        {
            Reopen();
        }
    }

    public void Dispose()
    {
        foreach (Folder folder in _folders)
        {
            CloseFolder(folder);
        }
    }

    private void Reopen()
    {
        int at = _folders[0].Handle;
        bool keptAt = true;
        for (int i = 1; i < Depth; i++)
        {
            Folder folder = _folders[i];
            int start = _folders[i - 1].PathLength == 0 ? 0 : _folders[i - 1].PathLength + 1;
            int handle = folder.Place is { } place
                ? system.OpenDirectory(-1, place)
                : system.OpenDirectory(at, _path.AsSpan(start, folder.PathLength - start));
            if (!keptAt)
            {
                UnixSystem.Close(at);
            }

            if (handle < 0)
            {
                return;
            }

            keptAt = i >= Depth - _reopenedAtOnce
                && system.Stat(handle, out UnixStat stat) >= 0
                && stat.IsSameInode(folder.Stat);
            if (keptAt)
            {
                CloseFolder(folder);
                folder.Handle = handle;
            }

            at = handle;
        }

        if (!keptAt)
        {
            UnixSystem.Close(at);
        }
    }

    private static void CloseFolder(Folder folder)
    {
        if (folder.Handle >= 0)
        {
            UnixSystem.Close(folder.Handle);
            folder.Handle = -1;
        }
    }

    private sealed class Folder
    {
        public UnixStat Stat;

        public DirectoryListing Listing { get; } = new();

        public int Handle { get; set; } = -1;

        public int Next { get; set; }

        public int PathLength { get; set; }

        public byte[]? Place { get; set; }
    }
}
