using System.IO.Compression;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Engine.Tests.Health;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Installation;

/// <summary>Version 1.2.3 of a module of a few files, side by side or in a folder of its own, and packages.</summary>
internal sealed class ModuleFixture : IDisposable
{
    private readonly TempFolder _folder = new();

    public ModuleFixture(bool isSideBySide)
    {
        IsSideBySide = isSideBySide;
        HealthFixture.MakeModule(Folder);
    }

    public bool IsSideBySide { get; }

    public string Folder => IsSideBySide ? FolderOf("1.2.3") : Path.Combine(Root, "OnlineBackup");

    /// <summary>What lies beside the versions, or beside the folder.</summary>
    public string Root => _folder["modules", "MSOnlineBackup"];

    /// <summary>The folder that is in use, as a new session finds it.</summary>
    public string InUse => IsSideBySide
        ? Directory.EnumerateDirectories(Root).Where(folder => Version.TryParse(Path.GetFileName(folder), out _)).MaxBy(folder => Version.Parse(Path.GetFileName(folder)))!
        : Folder;

    /// <summary>All that is there, in order.</summary>
    public IEnumerable<string> Names => Directory.EnumerateFileSystemEntries(Root).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public string FolderOf(string version) => Path.Combine(Root, version);

    /// <summary>A package of a version.</summary>
    public async Task<ModulePackage> PackAsync(string version)
    {
        string file = _folder[$"{version}.nupkg"];
        if (!File.Exists(file))
        {
            HealthFixture.MakeModule(_folder["packed", version], version);
            await ZipFile.CreateFromDirectoryAsync(_folder["packed", version], file, TestContext.Current.CancellationToken);
        }

        return await ModulePackage.OpenAsync(file, TestContext.Current.CancellationToken);
    }

    /// <summary>Which version is in use; all of its files are sound.</summary>
    public async Task<string> ReadAsync()
    {
        ModuleCheck check = (await InstalledModule.CheckAsync(InUse, TestContext.Current.CancellationToken))!;
        Assert.Empty(check.Faults);
        return ModulePackage.VersionIn(await File.ReadAllBytesAsync(Path.Combine(InUse, InstalledModule.ManifestName), TestContext.Current.CancellationToken))!;
    }

    public void Dispose() => _folder.Dispose();
}
