namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// Which folders of this machine are found elsewhere now. By it a backup compares a source with what earlier points have of it under another path; it only
/// saves work.
/// </summary>
internal sealed class MovedSources(StateFolder folder)
{
    private const string FileName = "moved-sources.json";

    // So many are remembered: each matters until the next backup only.
    private const int Most = 64;

    private static readonly StringComparison _comparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private readonly StateFile<MovedState> _file = new(
        folder, FileName, StateJson.Default.MovedState, "delete it: the next backup of a source that was moved then reads all of it again");

    /// <summary>Whether a path is a folder, or lies below it. Both are absolute, without a separator at the end unless they are a root.</summary>
    public static bool IsAtOrBelow(string path, string folder) => path.StartsWith(folder, _comparison)
        && (path.Length == folder.Length || Path.EndsInDirectorySeparator(folder) || path[folder.Length] == Path.DirectorySeparatorChar);

    /// <summary>The place that a path has once a folder at or above it has moved.</summary>
    public static string Move(string path, string from, string to)
    {
        string rest = path[from.Length..].TrimStart(Path.DirectorySeparatorChar);
        return rest.Length == 0 ? to : Path.Join(to, rest);
    }

    /// <summary>Notes that what was below one folder is below another now.</summary>
    public void Note(string from, string to) => _file.Update(known => new MovedState([.. (known?.Moves ?? []).TakeLast(Most - 1), new MovedFolder(from, to)]));

    /// <summary>The paths that a source had before, the last one first; none where it was not moved.</summary>
    public IReadOnlyList<string> EarlierPathsOf(string path)
    {
        var earlier = new List<string>();
        foreach (MovedFolder move in (_file.Read()?.Moves ?? []).Reverse().Where(move => IsAtOrBelow(path, move.To)))
        {
            path = Move(path, move.To, move.From);
            earlier.Add(path);
        }

        return earlier;
    }
}

/// <summary>What <c>moved-sources.json</c> holds.</summary>
/// <param name="Moves">The oldest first.</param>
internal sealed record MovedState(IReadOnlyList<MovedFolder> Moves);

/// <summary>A folder that is found elsewhere.</summary>
internal sealed record MovedFolder(string From, string To);
