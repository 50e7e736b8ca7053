using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Installation;

/// <summary>The module as it is installed: its files, compared with the hashes that were shipped with them, and put right from a package.</summary>
public static class InstalledModule
{
    /// <summary>The list of hashes, in the module's folder beside its manifest. A checkout has none: its files are as its owner builds them.</summary>
    public const string ListName = "MSOnlineBackup.sha256";

    /// <summary>The module's manifest.</summary>
    public const string ManifestName = "MSOnlineBackup.psd1";

    /// <summary>What no other module is: the GUID in its manifest.</summary>
    public const string Identity = "5f0a9d53-7c1e-4b0e-9a38-0e8d1f6b2c47";

    private const string Code = "module";

    private static readonly string[] _code = [".dll", ".exe", ".ps1", ".psm1", ".psd1", ".ps1xml", ".so", ".dylib"];

    /// <summary>The folder of the module that a program's folder belongs to, at most three above; null where there is none.</summary>
    public static string? FindFolder(string programFolder)
    {
        ArgumentNullException.ThrowIfNull(programFolder);
        string? folder = Path.TrimEndingDirectorySeparator(programFolder);
        for (int above = 0; above <= 3 && folder is not null; above++, folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, ListName)) || File.Exists(Path.Combine(folder, ManifestName)))
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>Whether two folders are of one module: the same, or versions of it side by side.</summary>
    public static bool AreOfOnePlace(string folder, string other)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(other);
        (ModulePlace one, ModulePlace two) = (ModulePlace.Of(folder), ModulePlace.Of(other));
        return one.IsSideBySide == two.IsSideBySide && (one.IsSideBySide ? one.Root == two.Root : one.Current == two.Current);
    }

    /// <summary>Compares a module's files with the list in its folder. Nothing is changed.</summary>
    /// <returns>Null where the folder has no list: it is a checkout, or no module.</returns>
    /// <exception cref="BackupException">PackageInvalid: the list is damaged.</exception>
    public static async Task<ModuleCheck?> CheckAsync(string folder, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Read(Path.Combine(folder, ListName)) is { } content
            ? await CompareAsync(folder, FileHashes.Parse(content, Path.Combine(folder, ListName)), cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>Puts files that are damaged or missing right, from a package of the same version. Each is written beside, compared and then put in its
    /// place, all at once.</summary>
    /// <param name="folder">The module's folder.</param>
    /// <param name="package">The package.</param>
    /// <param name="cancellationToken">Stops it. Then some are right, and doing it again goes on.</param>
    /// <returns>The files that were put right.</returns>
    /// <exception cref="BackupException">PackageInvalid: the package is damaged, or of another version; ModuleNotRepaired.</exception>
    public static async Task<IReadOnlyList<string>> RepairAsync(string folder, ModulePackage package, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(package);
        RequireSameVersion(folder, package);
        var repaired = new List<string>();
        ModuleCheck check = await CompareAsync(folder, package.Hashes, cancellationToken).ConfigureAwait(false);
        foreach (ModuleFile file in check.Faults.Where(file => file.State != ModuleFileState.Foreign))
        {
            Replace(Path.Combine(folder, file.Path), package.Read(file.Path));
            repaired.Add(file.Path);
        }

        byte[] list = package.Read(ListName);
        if (Read(Path.Combine(folder, ListName)) is not { } installed || !installed.AsSpan().SequenceEqual(list))
        {
            Replace(Path.Combine(folder, ListName), list);
            repaired.Add(ListName);
        }

        return repaired;
    }

    /// <summary>Compares a module's files with a list.</summary>
    internal static async Task<ModuleCheck> CompareAsync(string folder, FileHashes hashes, CancellationToken cancellationToken)
    {
        var files = new List<ModuleFile>();
        foreach ((string path, string hash) in hashes.Hashes)
        {
            ModuleFileState state;
            try
            {
                string? found = await FileHashes.OfFileAsync(Path.Combine(folder, path), cancellationToken).ConfigureAwait(false);
                state = found is null ? ModuleFileState.Missing : found == hash ? ModuleFileState.Sound : ModuleFileState.Changed;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                state = ModuleFileState.Unreadable;
            }

            files.Add(new ModuleFile(path, state));
        }

        files.AddRange(FindForeign(folder, hashes));
        return new ModuleCheck(folder, [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)]);
    }

    // Only where code is loaded from: what an installer puts beside the manifest is its own.
    private static IEnumerable<ModuleFile> FindForeign(string folder, FileHashes hashes)
    {
        string code = Path.Combine(folder, Code);
        return !Directory.Exists(code) ? [] : Directory.EnumerateFiles(code, "*", SearchOption.AllDirectories)
            .Where(path => _code.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            .Where(path => !hashes.Hashes.ContainsKey(path))
            .Select(path => new ModuleFile(path, ModuleFileState.Foreign));
    }

    // Another version's files would make a module of two halves. Where the manifest itself is damaged, nothing says which version it was.
    private static void RequireSameVersion(string folder, ModulePackage package)
    {
        string? installed = Read(Path.Combine(folder, ManifestName)) is { } content ? ModulePackage.VersionIn(content) : null;
        if (installed is not null && installed != package.Version)
        {
            throw PackageErrors.Invalid(package.Path, $"it is of version {package.Version}, and version {installed} is installed");
        }
    }

    private static byte[]? Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageErrors.Invalid(path, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static void Replace(string path, byte[] content)
    {
        string beside = path + ".new";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (Directory.Exists(path))
            {
                Directory.Delete(path);
            }

            using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            if (!OperatingSystem.IsWindows() && File.Exists(path))
            {
                File.SetUnixFileMode(beside, File.GetUnixFileMode(path));
            }

            File.Move(beside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageErrors.NotRepaired(path, e);
        }
    }
}
