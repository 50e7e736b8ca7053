namespace MSOnlineBackup.Agent.Remote;

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
