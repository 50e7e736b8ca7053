using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>The packages of one call. Each is read, and put together for sending, once, however many machines get it.</summary>
internal sealed class RemotePackages(RemoteAgentRecords records, RemoteInstallation own, CancellationToken cancellationToken) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Task<AgentPackage>>> _packages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<AgentPackage, Lazy<Task<AgentArchive>>> _archives = [];

    /// <summary>The package for a machine.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="platform">What runs there.</param>
    /// <param name="folder">The folder of a package; null for this installation.</param>
    /// <exception cref="BackupException">PackageInvalid, ArgumentInvalid.</exception>
    public async Task<AgentPackage> FindAsync(string host, string platform, string? folder)
    {
        AgentPackage package = folder is null && own.Platform != platform
            ? throw RemoteErrors.Package(
                own.Folder ?? "this installation",
                $"it runs on {own.Platform ?? "another system"}, and '{host}' is {platform}. What is put there needs a package of its own")
            : await _packages.GetOrAdd(folder ?? "", _ => new Lazy<Task<AgentPackage>>(() => ReadAsync(folder))).Value.ConfigureAwait(false);
        return package.Platform == platform ? package : throw RemoteErrors.Package(folder ?? own.Folder!, $"it is for {package.Platform}, and '{host}' is {platform}");
    }

    /// <summary>The package as it is sent.</summary>
    /// <exception cref="BackupException">PackageInvalid, StateAccessDenied.</exception>
    public Task<AgentArchive> ArchiveAsync(AgentPackage package) =>
        _archives.GetOrAdd(package, _ => new Lazy<Task<AgentArchive>>(() => AgentArchive.MakeAsync(package, records.NewFile(), cancellationToken))).Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Task<AgentArchive> archive in _archives.Values.Where(archive => archive.IsValueCreated).Select(archive => archive.Value))
        {
            // One that is being made when all is stopped goes with this process.
            if (archive.IsCompletedSuccessfully)
            {
                archive.Result.Dispose();
            }
        }
    }

    private Task<AgentPackage> ReadAsync(string? folder) => folder is not null
        ? AgentPackage.ReadAsync(folder, isShared: false, cancellationToken)
        : own switch
        {
            { Folder: null } => throw RemoteErrors.Package("this installation", "its files cannot be told from others'. What is put on machines needs a package of its own"),
            { IsPublished: true } => AgentPackage.ReadAsync(own.Folder, isShared: true, cancellationToken),
            { Runtime: null } => throw RemoteErrors.Package(own.Folder, "there is no .NET here that could go with it: this PowerShell brings one of its own, and no other is installed"),
            { Platform: null } => throw RemoteErrors.Package(own.Folder, "no agent can be put on machines of this one's kind"),
            _ => OwnPackage.ReadAsync(own.Folder, own.Runtime, own.Platform, cancellationToken),
        };
}

/// <summary>What of this machine is put on others where nobody names a package.</summary>
/// <param name="Folder">Where obengine lies; null where nobody can tell.</param>
/// <param name="Runtime">The folder of a .NET; null where there is none.</param>
/// <param name="Platform">What they run on; null for none on which an agent can be.</param>
public sealed record RemoteInstallation(string? Folder, string? Runtime, string? Platform)
{
    /// <summary>Whether the folder is one that was published for a platform, with a .NET of its own.</summary>
    public bool IsPublished { get; init; }

    /// <summary>Finds it for the program that runs.</summary>
    public static RemoteInstallation Find()
    {
        string? folder = OwnPackage.FindFolder();
        bool isPublished = folder is not null && OwnPackage.IsPublished(folder);
        return new RemoteInstallation(folder, isPublished ? null : OwnPackage.FindRuntime(), OwnPackage.Platform) { IsPublished = isPublished };
    }

    /// <summary>Where a program of ours was put on this machine by another: the link to it, which updates do not change; null where it was not.</summary>
    /// <param name="file">A file of the program that runs.</param>
    public static string? FindProgram(string file)
    {
        // PLACE/versions/BUILD/…, of which PLACE/obengine is the link.
        for (string? folder = Path.GetDirectoryName(file); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (RemoteNames.VersionOf(Path.GetFileName(folder)) is not null && Path.GetDirectoryName(folder) is { } versions && Path.GetFileName(versions) == "versions")
            {
                string link = Path.Combine(Path.GetDirectoryName(versions) ?? "", AgentPackage.Program);
                return new FileInfo(link).LinkTarget is not null ? link : null;
            }
        }

        return null;
    }
}
