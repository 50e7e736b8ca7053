using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Installation;

/// <summary>
/// Changes the version of an installed module. A version is put together beside, compared with its hashes, and gets its name by one rename; so whatever ends this, and whenever,
/// leaves the old version or the new one whole. The version before is kept.
/// </summary>
/// <remarks>In two steps, between which schedules learn of the folder: <see cref="InstallAsync"/> or <see cref="RollBackAsync"/>, then <see cref="SetAside"/>.</remarks>
internal sealed class ModuleUpdater
{
    // What installers and unpackers of packages put beside the module's files.
    private static readonly string[] _ofPackages = ["PSGetModuleInfo.xml", "[Content_Types].xml", "_rels/", "package/", "MSOnlineBackup.nuspec"];

    private readonly ModulePlace _place;
    private readonly Action<string> _step;

    /// <param name="folder">The module's folder, with its manifest.</param>
    /// <param name="step">Told, before each change on the disk, of what comes next; null for nobody.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it is a checkout, or no module.</exception>
    public ModuleUpdater(string folder, Action<string>? step = null)
    {
        _place = ModulePlace.Of(folder);
        _step = step ?? (_ => { });
        if (!File.Exists(Path.Combine(Current, InstalledModule.ListName)))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{Current}' has no list of hashes, '{InstalledModule.ListName}': it is a checkout or no module.",
                "Name the folder of an installed module. A checkout is updated by git; a lost list comes back with Repair-OBModule.",
                Current);
        }
    }

    /// <summary>Whether folders exchange their names in steps even where the system can do it in one: for tests of what other systems do.</summary>
    public bool IsInSteps { get; init; }

    /// <summary>The folder that is in use. Where an update in place was killed between its renames, that is the one in which the version before was kept.</summary>
    public string Current => IsInterrupted ? ModulePlace.KeptNameOf(_place.Current) : _place.Current;

    private bool IsInterrupted => !_place.IsSideBySide && !Directory.Exists(_place.Current)
        && File.Exists(Path.Combine(ModulePlace.KeptNameOf(_place.Current), InstalledModule.ListName));

    /// <summary>What an update by a package would change. All of the package is compared with its hashes.</summary>
    /// <exception cref="BackupException">PackageInvalid; PackageOutdated: it is older, and that is not allowed.</exception>
    public ModuleChange Foresee(ModulePackage package, bool allowDowngrade)
    {
        package.RequireWhole();
        string installed = VersionOf(Current);
        var old = Version.Parse(installed);
        var wanted = Version.Parse(package.Version);
        if (wanted == old)
        {
            return new ModuleChange(installed, installed, _place.Current, FindPrevious());
        }

        if (wanted < old && !allowDowngrade)
        {
            throw PackageErrors.Outdated(package.Path, package.Version, installed);
        }

        return _place.IsSideBySide
            ? new ModuleChange(installed, package.Version, _place.FolderOf(wanted), wanted > old ? _place.Current : ModulePlace.KeptNameOf(_place.Current)) { SetAside = Above(wanted) }
            : new ModuleChange(installed, package.Version, _place.Current, ModulePlace.KeptNameOf(_place.Current));
    }

    /// <summary>What going back would change.</summary>
    /// <exception cref="BackupException">PreviousVersionMissing.</exception>
    public ModuleChange ForeseeRollBack()
    {
        string current = _place.Current;
        string installed = VersionOf(current);
        string previous = FindPrevious() ?? throw PackageErrors.NoPrevious(current);
        string version = VersionOf(previous);
        if (!_place.IsSideBySide)
        {
            return new ModuleChange(installed, version, current, ModulePlace.KeptNameOf(current));
        }

        // Either the version below, or one above that was set aside when somebody went back before.
        string folder = _place.FolderOf(Version.Parse(version));
        return previous == folder
            ? new ModuleChange(installed, version, folder, ModulePlace.KeptNameOf(current)) { SetAside = Above(Version.Parse(version)) }
            : new ModuleChange(installed, version, folder, current);
    }

    /// <summary>Brings in the version of a package. Side by side nothing else is touched, in place the version before is kept beside.</summary>
    /// <exception cref="BackupException">Those of <see cref="Foresee"/>; ModuleNotUpdated.</exception>
    public async Task<ModuleChange> InstallAsync(ModulePackage package, bool allowDowngrade, CancellationToken cancellationToken)
    {
        ModuleChange change = Foresee(package, allowDowngrade);
        if (change.IsChange)
        {
            await ChangeAsync(change.Folder, async staging =>
            {
                TakeUp();
                if (_place.IsSideBySide && Directory.Exists(change.Folder))
                {
                    await RequireSameAsync(change.Folder, package, cancellationToken).ConfigureAwait(false);
                    return;
                }

                await StageAsync(staging, package, cancellationToken).ConfigureAwait(false);
                DropKept(staging);
                if (_place.IsSideBySide)
                {
                    _step("place");
                    Move(staging.New, change.Folder);
                }
                else
                {
                    _step("beside");
                    Move(staging.New, ModulePlace.KeptNameOf(change.Folder));
                    Swap(staging);
                }
            }).ConfigureAwait(false);
        }

        return change;
    }

    /// <summary>Brings back the version before, and keeps the one that was in use: going back twice changes nothing.</summary>
    /// <exception cref="BackupException">PreviousVersionMissing; ModuleNotUpdated: it is damaged, or cannot be brought back.</exception>
    public async Task<ModuleChange> RollBackAsync(CancellationToken cancellationToken)
    {
        await ChangeAsync(_place.Current, _ =>
        {
            TakeUp();
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        ModuleChange change = ForeseeRollBack();
        string previous = FindPrevious()!;
        if (await InstalledModule.CheckAsync(previous, cancellationToken).ConfigureAwait(false) is not { IsWhole: true })
        {
            throw PackageErrors.NotUpdated(previous, "it is damaged", "Repair it with Repair-OBModule -Path and the package of its version, or update with a package.");
        }

        await ChangeAsync(change.Folder, staging =>
        {
            if (!_place.IsSideBySide)
            {
                Swap(staging);
            }
            else if (previous != change.Folder)
            {
                _step("place");
                Move(previous, change.Folder);
            }

            return Task.CompletedTask;
        }).ConfigureAwait(false);
        return change;
    }

    /// <summary>Sets higher versions aside, where a lower one is to be used. They are kept.</summary>
    /// <exception cref="BackupException">ModuleNotUpdated.</exception>
    public async Task SetAside(ModuleChange change)
    {
        if (change.SetAside.Count > 0)
        {
            await ChangeAsync(change.Folder, staging =>
            {
                foreach (string folder in change.SetAside)
                {
                    string kept = ModulePlace.KeptNameOf(folder);
                    if (Directory.Exists(kept))
                    {
                        _step("drop");
                        RequireOurs(kept);
                        staging.Delete(kept);
                    }

                    _step("set aside");
                    Move(folder, kept);
                }

                return Task.CompletedTask;
            }).ConfigureAwait(false);
        }
    }

    private static string VersionOf(string folder)
    {
        try
        {
            return ModulePackage.VersionIn(File.ReadAllBytes(Path.Combine(folder, InstalledModule.ManifestName))) is { } version && Version.TryParse(version, out _)
                ? version
                : throw PackageErrors.NotUpdated(folder, $"its {InstalledModule.ManifestName} names no version", "Repair it with Repair-OBModule first.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageErrors.NotUpdated(folder, e);
        }
    }

    private static async Task RequireSameAsync(string folder, ModulePackage package, CancellationToken cancellationToken)
    {
        if (!(await InstalledModule.CompareAsync(folder, package.Hashes, cancellationToken).ConfigureAwait(false)).IsWhole)
        {
            throw PackageErrors.NotUpdated(folder, "it is there, and differs from the package", "Repair it with Repair-OBModule -Path, or remove it, and update again.");
        }
    }

    private static void Move(string folder, string name)
    {
        Directory.Move(folder, name);
        Durability.FlushFolder(Path.GetDirectoryName(name)!);
        Durability.FlushFolder(Path.GetDirectoryName(folder)!);
    }

    // Only what was shipped is deleted: whatever else somebody has put there is his.
    private static void RequireOurs(string folder)
    {
        FileHashes? list = File.Exists(Path.Combine(folder, InstalledModule.ListName))
            ? FileHashes.Parse(File.ReadAllBytes(Path.Combine(folder, InstalledModule.ListName)), folder) : null;
        string? foreign = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
            .FirstOrDefault(file => list?.Hashes.ContainsKey(file) != true && file != InstalledModule.ListName
                && !_ofPackages.Any(name => name.EndsWith('/') ? file.StartsWith(name, StringComparison.Ordinal) : file == name));
        if (foreign is not null)
        {
            throw PackageErrors.NotUpdated(folder, $"it would be deleted, and '{foreign}' in it is not the module's", "Move that elsewhere, and update again.");
        }
    }

    private async Task ChangeAsync(string folder, Func<UpdateStaging, Task> change)
    {
        using UpdateStaging staging = UpdateStaging.Enter(_place.Root);
        try
        {
            await change(staging).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _ = staging.TryRemove();
            throw PackageErrors.NotUpdated(folder, e);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            _ = staging.TryRemove();
            throw;
        }

        _ = staging.TryRemove();
    }

    private async Task StageAsync(UpdateStaging staging, ModulePackage package, CancellationToken cancellationToken)
    {
        _step("stage");
        foreach (string file in package.Hashes.Hashes.Keys.Append(InstalledModule.ListName))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _step("file");
            string path = Path.Combine(staging.New, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using var written = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            await written.WriteAsync(package.Read(file), cancellationToken).ConfigureAwait(false);
            await written.FlushAsync(cancellationToken).ConfigureAwait(false);
            Durability.Flush(written.SafeFileHandle);
            TakeMode(path, Path.Combine(Current, InstalledModule.ManifestName));
        }

        foreach (string folder in Directory.EnumerateDirectories(staging.New, "*", SearchOption.AllDirectories).Append(staging.New))
        {
            TakeMode(folder, Current);
            Durability.FlushFolder(folder);
        }

        // Read back: what the disk has, not what was given to it.
        _step("compare");
        if (await InstalledModule.CheckAsync(staging.New, cancellationToken).ConfigureAwait(false) is not { IsWhole: true })
        {
            throw PackageErrors.NotUpdated(staging.New, "what was written is not read back as it was", "Check the disk, and update again.");
        }
    }

    // Whoever may read the version before may read this one.
    private static void TakeMode(string path, string from)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, File.GetUnixFileMode(from));
        }
    }

    // One version before is kept, and none of before that: in place that beside, side by side what was set aside.
    private void DropKept(UpdateStaging staging)
    {
        string[] kept = _place.IsSideBySide
            ? [.. _place.KeptVersions().Select(version => ModulePlace.KeptNameOf(_place.FolderOf(version)))]
            : Directory.Exists(ModulePlace.KeptNameOf(_place.Current)) ? [ModulePlace.KeptNameOf(_place.Current)] : [];
        foreach (string folder in kept)
        {
            RequireOurs(folder);
        }

        foreach (string folder in kept)
        {
            _step("drop");
            staging.Delete(folder);
        }
    }

    // The folder in use and the one beside exchange their names.
    private void Swap(UpdateStaging staging)
    {
        string current = _place.Current;
        string kept = ModulePlace.KeptNameOf(current);
        _step("exchange");
        if (!IsInSteps && FolderSwap.TryExchange(kept, current))
        {
            Durability.FlushFolder(_place.Root);
            return;
        }

        // Between two of these renames both versions are whole, and neither has the name: the next update, or going back, goes on from there.
        Move(kept, staging.New);
        _step("keep");
        Move(current, kept);
        try
        {
            _step("rename");
            Move(staging.New, current);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Move(kept, current);
            throw;
        }
    }

    private void TakeUp()
    {
        if (IsInterrupted)
        {
            Move(ModulePlace.KeptNameOf(_place.Current), _place.Current);
        }
    }

    private string? FindPrevious()
    {
        if (!_place.IsSideBySide)
        {
            string kept = ModulePlace.KeptNameOf(_place.Current);
            return File.Exists(Path.Combine(kept, InstalledModule.ManifestName)) ? kept : null;
        }

        return _place.KeptVersions() is [.., var aside]
            ? ModulePlace.KeptNameOf(_place.FolderOf(aside))
            : _place.Versions() is [.., var below, _] ? _place.FolderOf(below) : null;
    }

    private string[] Above(Version version) => [.. _place.Versions().Where(other => other > version).Select(_place.FolderOf)];
}
