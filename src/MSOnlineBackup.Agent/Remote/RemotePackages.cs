using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>The packages of one call. Each is read, and put together for sending, once, however many machines get it.</summary>
internal sealed class RemotePackages(RemoteAgentRecords records, RemoteInstallation own, CancellationToken cancellationToken) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<string, AgentPackage> _packages = new(StringComparer.Ordinal);
    private readonly Dictionary<AgentPackage, AgentArchive> _archives = [];

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
            : await OnceAsync(_packages, folder ?? "", () => ReadAsync(folder)).ConfigureAwait(false);
        return package.Platform == platform ? package : throw RemoteErrors.Package(folder ?? own.Folder!, $"it is for {package.Platform}, and '{host}' is {platform}");
    }

    /// <summary>The package as it is sent.</summary>
    /// <exception cref="BackupException">PackageInvalid, StateAccessDenied.</exception>
    public Task<AgentArchive> ArchiveAsync(AgentPackage package) => OnceAsync(_archives, package, () => AgentArchive.MakeAsync(package, records.NewFile(), cancellationToken));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (AgentArchive archive in _archives.Values)
        {
            archive.Dispose();
        }

        _gate.Dispose();
    }

    // Whoever comes second waits for what the first one makes.
    private async Task<TValue> OnceAsync<TKey, TValue>(Dictionary<TKey, TValue> known, TKey key, Func<Task<TValue>> make)
        where TKey : notnull
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!known.TryGetValue(key, out TValue? value))
            {
                known[key] = value = await make().ConfigureAwait(false);
            }

            return value;
        }
        finally
        {
            _gate.Release();
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
