namespace MSOnlineBackup.Agent.Installation;

/// <summary>
/// Where the module lies: with other versions side by side, as PowerShell's module path has it (<c>MSOnlineBackup/1.2.3</c>), or in a folder of its own.
/// Side by side the highest version is the one that is used.
/// </summary>
internal sealed class ModulePlace
{
    /// <summary>What the folder of all versions is called.</summary>
    public const string ModuleName = "MSOnlineBackup";

    /// <summary>Behind the name of a folder: it is kept, and not used. No such name is a version's, so PowerShell passes it over.</summary>
    public const string Kept = ".previous";

    private const int Levels = 6;

    private readonly string _folder;

    private ModulePlace(string folder, bool isSideBySide)
    {
        _folder = folder;
        IsSideBySide = isSideBySide;
        Root = Path.GetDirectoryName(folder) ?? folder;
    }

    /// <summary>Whether versions lie side by side.</summary>
    public bool IsSideBySide { get; }

    /// <summary>The folder in which that of the module lies; side by side it holds all versions.</summary>
    public string Root { get; }

    /// <summary>The folder that is used: the module's own, or side by side that of the highest version.</summary>
    public string Current => IsSideBySide && Versions() is [.., var newest] ? FolderOf(newest) : _folder;

    /// <summary>Where the module with this folder lies.</summary>
    /// <param name="folder">The absolute path of the folder with the manifest.</param>
    public static ModulePlace Of(string folder)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return new ModulePlace(folder, IsOfVersion(folder));
    }

    /// <summary>The place that a path below the folder of a version belongs to; null where it lies below none.</summary>
    public static ModulePlace? Holding(string path)
    {
        string? folder = Path.IsPathFullyQualified(path) ? Path.GetDirectoryName(path) : null;
        for (int level = 0; level < Levels && folder is not null; level++, folder = Path.GetDirectoryName(folder))
        {
            if (IsOfVersion(folder))
            {
                return new ModulePlace(folder, isSideBySide: true);
            }
        }

        return null;
    }

    /// <summary>A path below the folder of a version, as it is in the version that is used; any other path, and one that is not there, stay as they are.</summary>
    /// <param name="path">The path.</param>
    /// <param name="chosen">The folder of the version that counts; null for the one that is used.</param>
    public static string InUse(string path, string? chosen = null)
    {
        if (Holding(path) is not { } place)
        {
            return path;
        }

        string other = Path.Combine(chosen is not null && Path.GetDirectoryName(chosen) == place.Root ? chosen : place.Current, Path.GetRelativePath(place._folder, path));
        return File.Exists(other) ? other : path;
    }

    /// <summary>Side by side the versions that are there, the lowest first.</summary>
    public IReadOnlyList<Version> Versions() => Find("");

    /// <summary>Side by side the versions that were set aside, the lowest first.</summary>
    public IReadOnlyList<Version> KeptVersions() => Find(Kept);

    /// <summary>Side by side the folder of a version.</summary>
    public string FolderOf(Version version) => Path.Combine(Root, version.ToString());

    /// <summary>A folder's name while it is kept and not used.</summary>
    public static string KeptNameOf(string folder) => folder + Kept;

    private static bool IsOfVersion(string folder) => Version.TryParse(Path.GetFileName(folder), out _)
        && string.Equals(Path.GetFileName(Path.GetDirectoryName(folder)), ModuleName, StringComparison.OrdinalIgnoreCase);

    private Version[] Find(string ending)
    {
        try
        {
            return
            [
                .. Directory.EnumerateDirectories(Root)
                    .Where(folder => folder.EndsWith(ending, StringComparison.Ordinal) && File.Exists(Path.Combine(folder, InstalledModule.ManifestName)))
                    .Select(folder => Path.GetFileName(folder)[..^ending.Length])
                    .Select(name => Version.TryParse(name, out Version? version) && version.ToString() == name ? version : null)
                    .OfType<Version>().Order(),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be listed is used as it is named.
            return [];
        }
    }
}
