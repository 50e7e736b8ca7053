using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>What is in a folder still that was to be cleared, by full paths.</summary>
/// <param name="Foreign">What somebody has put there, or written to.</param>
/// <param name="Busy">What is open.</param>
internal sealed record LeftInFolder(IReadOnlyList<string> Foreign, IReadOnlyList<string> Busy)
{
    /// <summary>Whether there is nothing.</summary>
    public bool IsNothing => Foreign.Count == 0 && Busy.Count == 0;
}

/// <summary>
/// Clears a folder of what Windows has put on the disk for a view that it showed. The folder must be shown still, with nothing in it: so only what is on the disk is found, and
/// Windows itself removes each item, unless somebody has written to it. What is foreign is never removed.
/// </summary>
/// <param name="service">Tells what lies on the disk.</param>
/// <param name="projection">Removes it.</param>
/// <param name="root">The folder.</param>
internal sealed class ProjectionCleaner(IProjectionService service, IProjection projection, string root)
{
    private readonly List<string> _foreign = [];
    private readonly List<string> _busy = [];

    /// <summary>Where that is put which somebody has put into a folder.</summary>
    public static string AsideOf(string root) => $"{Path.TrimEndingDirectorySeparator(root)} (not of the recovery point)";

    /// <summary>Removes what is the view's.</summary>
    public LeftInFolder Clear()
    {
        _foreign.Clear();
        _busy.Clear();
        ClearFolder(root);
        return new LeftInFolder([.. _foreign], [.. _busy]);
    }

    /// <summary>Removes what is the view's, and puts what is foreign beside the folder.</summary>
    public LeftInFolder ClearAndPutAside()
    {
        LeftInFolder left = Clear();
        if (left.Foreign.Count == 0)
        {
            return left;
        }

        foreach (string path in left.Foreign)
        {
            PutAside(path);
        }

        // Folders that held it are empty now.
        return Clear();
    }

    // True where it is empty now.
    private bool ClearFolder(string folder)
    {
        bool isEmpty = true;
        foreach (string path in Directory.GetFileSystemEntries(folder))
        {
            isEmpty &= ClearItem(path);
        }

        return isEmpty;
    }

    private bool ClearItem(string path)
    {
        int result = service.StateOf(path, out ProjectedState state);
        if (result is ProjectionResult.NotFound or ProjectionResult.PathNotFound)
        {
            return true;
        }

        if (result < 0)
        {
            _busy.Add(path);
            return false;
        }

        if (state is ProjectedState.None || state.HasFlag(ProjectedState.Full))
        {
            _foreign.Add(path);
            return false;
        }

        if (Directory.Exists(path) && !ClearFolder(path))
        {
            return false;
        }

        switch (projection.Delete(Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '\\')))
        {
            case ProjectionResult.InvalidOperation:
                _foreign.Add(path);
                return false;
            case < 0 and not (ProjectionResult.NotFound or ProjectionResult.PathNotFound):
                _busy.Add(path);
                return false;
            default:
                return true;
        }
    }

    private void PutAside(string path)
    {
        try
        {
            string target = Path.Combine(AsideOf(root), Path.GetRelativePath(root, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            for (int number = 2; Path.Exists(target); number++)
            {
                target = Path.Combine(Path.GetDirectoryName(target)!, ProjectedName.Numbered(Path.GetFileName(path), number));
            }

            if (Directory.Exists(path))
            {
                Directory.Move(path, target);
            }
            else
            {
                File.Move(path, target);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is open. The next look finds it where it is.
        }
    }
}
