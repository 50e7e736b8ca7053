using System.Text;
using System.Text.Json;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>A version of obengine that can be put on machines of one platform, with whatever it needs to run: its files and their hashes.</summary>
internal sealed class AgentPackage
{
    /// <summary>What runs it: in the folder of the version.</summary>
    public const string Program = "obengine";

    /// <summary>The list of hashes, in the folder of the version, in the format of sha256sum.</summary>
    public const string ListName = "obengine.sha256";

    /// <summary>How many digits of the list's hash tell builds of one version apart.</summary>
    public const int DigitsOfBuild = 12;

    private const string DependenciesName = "obengine.deps.json";
    private const int MostFiles = 5000;
    private const long MostOfDependencies = 16 << 20;

    // What file systems usually give room by.
    private const int Block = 4096;

    /// <param name="platform">As .NET calls it.</param>
    /// <param name="version">As <c>--version</c> says it.</param>
    /// <param name="files">All but the list.</param>
    public AgentPackage(string platform, string version, IEnumerable<AgentFile> files)
    {
        Platform = platform;
        Version = version;
        AgentFile[] sorted = [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)];
        byte[] list = Encoding.UTF8.GetBytes(string.Concat(sorted.Select(file => $"{file.Hash}  {file.Path}\n")));
        var listed = AgentFile.Of(ListName, list, isProgram: false);
        ListHash = listed.Hash;
        Build = $"{version}-{ListHash[..DigitsOfBuild]}";
        Files = [listed, .. sorted];
        Room = Files.Sum(file => (file.Length + Block - 1) / Block * Block) + (Files.Count * Block);
    }

    /// <summary>What it runs on, as .NET calls it: <c>linux-x64</c>.</summary>
    public string Platform { get; }

    /// <summary>As <c>--version</c> says it.</summary>
    public string Version { get; }

    /// <summary>The name of its folder: the version, and the beginning of the hash of what it consists of.</summary>
    public string Build { get; }

    /// <summary>The SHA-256 of the list of hashes, which stands for all of it.</summary>
    public string ListHash { get; }

    /// <summary>Its files, the list of hashes first.</summary>
    public IReadOnlyList<AgentFile> Files { get; }

    /// <summary>The room that it takes on a disk, in bytes, rounded up.</summary>
    public long Room { get; }

    /// <summary>Reads one that <c>dotnet publish</c> has made. Where a list of hashes lies in its folder, all of that is compared with it first.</summary>
    /// <param name="folder">Its absolute path.</param>
    /// <param name="isShared">Whether something else may lie in the folder, too: then only what the build has listed is taken, and else all of it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PackageInvalid; ArgumentInvalid: there is no such folder.</exception>
    public static async Task<AgentPackage> ReadAsync(string folder, bool isShared, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"There is no folder '{folder}'.",
                "Name the folder that 'dotnet publish' has made, with obengine in it; docs/agents.md tells how.",
                folder);
        }

        try
        {
            (string platform, string version, HashSet<string> listed) = Describe(folder);
            await CompareAsync(folder, cancellationToken).ConfigureAwait(false);
            var files = new List<AgentFile>();
            foreach (string path in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false }))
            {
                string name = Path.GetRelativePath(folder, path).Replace('\\', '/');
                if (name != ListName && (!isShared || listed.Contains(name) || name.EndsWith(".r2r.dll", StringComparison.Ordinal)))
                {
                    files.Add(files.Count < MostFiles && IsPlain(name)
                        ? await AgentFile.OfAsync(name, path, name == Program, cancellationToken).ConfigureAwait(false)
                        : throw RemoteErrors.Package(folder, files.Count == MostFiles ? "it has far too many files" : $"its file '{name}' has a name that is none of a package's"));
                }
            }

            return files.Any(file => file.Path == Program)
                ? new AgentPackage(platform, version, files)
                : throw RemoteErrors.Package(folder, $"there is no program '{Program}' in it: it was not published for a platform");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RemoteErrors.Package(folder, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Whether a name can stand in a list of hashes, and means the same everywhere.</summary>
    internal static bool IsPlain(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+' or '/');

    // What the build has written beside the program says what it is.
    private static (string Platform, string Version, HashSet<string> Listed) Describe(string folder)
    {
        string path = Path.Combine(folder, DependenciesName);
        return File.Exists(path) && new FileInfo(path).Length <= MostOfDependencies
            ? Describe(folder, File.ReadAllBytes(path))
            : throw RemoteErrors.Package(folder, $"there is no '{DependenciesName}' in it: it is no folder that 'dotnet publish' has made of obengine");
    }

    /// <summary>Reads what the build says of it: platform, version, and the names of files that belong to it.</summary>
    /// <exception cref="BackupException">PackageInvalid.</exception>
    internal static (string Platform, string Version, HashSet<string> Listed) Describe(string folder, byte[] dependencies)
    {
        try
        {
            using var read = JsonDocument.Parse(dependencies);
            string target = read.RootElement.GetProperty("runtimeTarget").GetProperty("name").GetString() ?? "";
            int slash = target.IndexOf('/', StringComparison.Ordinal);
            string? library = read.RootElement.GetProperty("libraries").EnumerateObject().Select(entry => entry.Name).FirstOrDefault(name => name.StartsWith(Program + "/", StringComparison.Ordinal));
            string version = library?[(Program.Length + 1)..] ?? "";
            return slash < 0 ? throw RemoteErrors.Package(folder, "it was not published for a platform, so that it would need a .NET on the machine")
                : !RemoteNames.IsVersion(version) ? throw RemoteErrors.Package(folder, $"'{DependenciesName}' names no version of obengine")
                : (target[(slash + 1)..], version, Listed(read.RootElement));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw RemoteErrors.Package(folder, $"'{DependenciesName}' is damaged", e);
        }
    }

    // What is listed by its place in a package lies in the folder itself.
    private static HashSet<string> Listed(JsonElement root) =>
    [
        Program, "obengine.dll", DependenciesName, "obengine.runtimeconfig.json", "prices.json",
        .. root.TryGetProperty("targets", out JsonElement targets)
            ? targets.EnumerateObject().SelectMany(target => target.Value.EnumerateObject())
                .SelectMany(library => library.Value.EnumerateObject().Where(assets => assets.Name is "runtime" or "native"))
                .SelectMany(assets => assets.Value.EnumerateObject())
                .SelectMany(asset => new[] { asset.Name, asset.Name[(asset.Name.LastIndexOf('/') + 1)..] })
            : [],
    ];

    private static async Task CompareAsync(string folder, CancellationToken cancellationToken)
    {
        string list = Path.Combine(folder, ListName);
        if (!File.Exists(list))
        {
            return;
        }

        foreach ((string name, string hash) in FileHashes.Parse(await File.ReadAllBytesAsync(list, cancellationToken).ConfigureAwait(false), list).Hashes)
        {
            string? found = await FileHashes.OfFileAsync(Path.Combine(folder, name), cancellationToken).ConfigureAwait(false);
            if (found != hash)
            {
                throw RemoteErrors.Package(folder, found is null ? $"its file '{name}' is missing" : $"the SHA-256 of its file '{name}' is {found}, and '{ListName}' says {hash}: it was damaged on its way, or changed");
            }
        }
    }
}
