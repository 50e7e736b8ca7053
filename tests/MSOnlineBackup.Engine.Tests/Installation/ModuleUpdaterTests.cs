using System.IO.Compression;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Engine.Tests.Health;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Installation;

public sealed class ModuleUpdaterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, "1.2.3|1.2.4|1.3.0")]
    [InlineData(false, "OnlineBackup|OnlineBackup.previous")]
    public async Task Each_update_keeps_the_version_before(bool isSideBySide, string left)
    {
        using var module = new ModuleFixture(isSideBySide);

        ModuleChange first = await UpdateAsync(module, "1.2.4");
        Assert.Equal(("1.2.3", "1.2.4", module.InUse), (first.OldVersion, first.NewVersion, first.Folder));
        Assert.Equal("1.2.4", await module.ReadAsync());
        ModuleChange second = await UpdateAsync(module, "1.3.0");

        Assert.Equal("1.3.0", await module.ReadAsync());
        Assert.Equal(isSideBySide ? module.FolderOf("1.2.4") : module.Folder + ".previous", second.PreviousFolder);
        Assert.True((await InstalledModule.CheckAsync(second.PreviousFolder!, Cancel))!.IsWhole);
        Assert.Equal(left.Split('|'), module.Names);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Going_back_twice_changes_nothing_and_the_next_update_ends_it(bool isSideBySide)
    {
        using var module = new ModuleFixture(isSideBySide);
        Assert.Equal(BackupErrorId.PreviousVersionMissing, (await FailAsync(() => RollBackAsync(module))).Id);
        await UpdateAsync(module, "1.2.4");

        ModuleChange back = await RollBackAsync(module);
        Assert.Equal(("1.2.4", "1.2.3"), (back.OldVersion, back.NewVersion));
        Assert.Equal("1.2.3", await module.ReadAsync());
        Assert.Equal("1.2.3", (await RollBackAsync(module)).OldVersion);
        Assert.Equal("1.2.4", await module.ReadAsync());
        await RollBackAsync(module);
        ModuleChange again = await UpdateAsync(module, "1.3.0");

        Assert.Equal("1.2.3", again.OldVersion);
        Assert.Equal("1.3.0", await module.ReadAsync());
        Assert.Equal(isSideBySide ? ["1.2.3", "1.3.0"] : ["OnlineBackup", "OnlineBackup.previous"], module.Names);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_older_version_is_refused_unless_it_is_asked_for(bool isSideBySide)
    {
        using var module = new ModuleFixture(isSideBySide);

        Assert.Equal(BackupErrorId.PackageOutdated, (await FailAsync(() => UpdateAsync(module, "1.2.2"))).Id);
        Assert.Single(module.Names);
        await UpdateAsync(module, "1.2.2", allowDowngrade: true);
        Assert.Equal("1.2.2", await module.ReadAsync());
        await RollBackAsync(module);

        Assert.Equal("1.2.3", await module.ReadAsync());
    }

    [Fact]
    public async Task What_is_installed_already_is_left_alone()
    {
        using var module = new ModuleFixture(isSideBySide: true);
        Assert.False((await UpdateAsync(module, "1.2.3")).IsChange);

        // One that somebody else has installed beside is taken as it is, if it is sound.
        HealthFixture.MakeModule(module.FolderOf("1.2.2"), "1.2.2");
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(module.FolderOf("1.2.2"), InstalledModule.ManifestName));
        await UpdateAsync(module, "1.2.2", allowDowngrade: true);
        Assert.Equal("1.2.2", await module.ReadAsync());
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(module.InUse, InstalledModule.ManifestName)));
        await RollBackAsync(module);
        File.Delete(Path.Combine(module.FolderOf("1.2.2"), "module", "bin", "One.dll"));

        Assert.Equal(BackupErrorId.ModuleNotUpdated, (await FailAsync(() => UpdateAsync(module, "1.2.2", allowDowngrade: true))).Id);
        Assert.Equal("1.2.3", await module.ReadAsync());
    }

    // Each step in turn is the last one that is made; whatever was begun is there as a kill leaves it.
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Whatever_ends_it_and_whenever_one_version_is_whole(bool isSideBySide, bool isInSteps)
    {
        var steps = new List<string>();
        for (int kill = 0; ; kill++)
        {
            using var module = new ModuleFixture(isSideBySide);
            await UpdateAsync(module, "1.2.4");
            int passed = 0;
            void Step(string step)
            {
                steps.Add(step);
                if (passed++ == kill)
                {
                    throw new KilledException();
                }
            }

            // Forward, back, and to an older version: all that changes something.
            bool isKilled = false;
            try
            {
                await UpdateAsync(module, "1.3.0", step: Step, isInSteps: isInSteps);
                await RollBackAsync(module, Step, isInSteps);
                await UpdateAsync(module, "1.2.0", allowDowngrade: true, Step, isInSteps);
            }
            catch (KilledException)
            {
                isKilled = true;
            }

            // In steps the folder may lack its name: then the version before is whole where it is kept.
            if (Directory.Exists(module.InUse))
            {
                Assert.Contains(await module.ReadAsync(), (string[])["1.2.0", "1.2.4", "1.3.0"]);
            }
            else
            {
                Assert.True(isInSteps);
                Assert.True((await InstalledModule.CheckAsync(module.Folder + ".previous", Cancel))!.IsWhole);
            }

            await UpdateAsync(module, "1.4.0");
            Assert.Equal("1.4.0", await module.ReadAsync());
            Assert.DoesNotContain(UpdateStaging.Name, module.Names);
            if (!isKilled)
            {
                break;
            }
        }

        HashSet<string> expected = isSideBySide ? ["stage", "file", "compare", "place", "set aside"] : ["stage", "file", "compare", "beside", "exchange", "drop"];
        Assert.Superset(expected, steps.ToHashSet());
    }

    [Fact]
    public async Task A_package_is_whole_and_of_this_module_or_nothing_is_changed()
    {
        using var module = new ModuleFixture(isSideBySide: false);
        using var folder = new TempFolder();
        HealthFixture.MakeModule(folder["foreign"], "2.0.0");
        string manifest = Path.Combine(folder["foreign"], InstalledModule.ManifestName);
        string list = Path.Combine(folder["foreign"], InstalledModule.ListName);
        string hash = (await FileHashes.OfFileAsync(manifest, Cancel))!;
        await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest, Cancel)).Replace(InstalledModule.Identity, $"{Guid.Empty}", StringComparison.Ordinal), Cancel);
        await File.WriteAllTextAsync(list, (await File.ReadAllTextAsync(list, Cancel)).Replace(hash, await FileHashes.OfFileAsync(manifest, Cancel), StringComparison.Ordinal), Cancel);
        await ZipFile.CreateFromDirectoryAsync(folder["foreign"], folder["foreign.nupkg"], Cancel);
        HealthFixture.MakeModule(folder["evil"], "2.0.0");
        await File.WriteAllTextAsync(Path.Combine(folder["evil"], "module", "bin", "One.dll"), "evil", Cancel);
        await ZipFile.CreateFromDirectoryAsync(folder["evil"], folder["evil.nupkg"], Cancel);

        BackupException[] faults =
        [
            await FailAsync(() => InstallAsync(module, folder["foreign.nupkg"])),
            await FailAsync(() => InstallAsync(module, folder["evil.nupkg"])),
        ];

        Assert.All(faults, fault => Assert.Equal(BackupErrorId.PackageInvalid, fault.Id));
        Assert.Contains("another module", faults[0].Message, StringComparison.Ordinal);
        Assert.Contains("One.dll", faults[1].Message, StringComparison.Ordinal);
        Assert.Equal("1.2.3", await module.ReadAsync());
        Assert.Single(module.Names);
    }

    [Fact]
    public async Task What_somebody_else_has_put_into_a_kept_folder_is_not_deleted()
    {
        using var module = new ModuleFixture(isSideBySide: false);
        string own = Path.Combine(module.Folder, "notes.txt");
        await File.WriteAllTextAsync(own, "mine", Cancel);
        await File.WriteAllTextAsync(Path.Combine(module.Folder, "PSGetModuleInfo.xml"), "an installer's", Cancel);
        await UpdateAsync(module, "1.2.4");

        BackupException fault = await FailAsync(() => UpdateAsync(module, "1.3.0"));

        Assert.Equal(BackupErrorId.ModuleNotUpdated, fault.Id);
        Assert.Contains("notes.txt", fault.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(module.Folder + ".previous", "notes.txt"), Cancel));
        Assert.Equal("1.2.4", await module.ReadAsync());
        File.Delete(Path.Combine(module.Folder + ".previous", "notes.txt"));
        await UpdateAsync(module, "1.3.0");
        Assert.Equal("1.3.0", await module.ReadAsync());
    }

    [Fact]
    public async Task A_damaged_version_is_not_gone_back_to()
    {
        using var module = new ModuleFixture(isSideBySide: false);
        await UpdateAsync(module, "1.2.4");
        File.Delete(Path.Combine(module.Folder + ".previous", "module", "bin", "One.dll"));

        Assert.Equal(BackupErrorId.ModuleNotUpdated, (await FailAsync(() => RollBackAsync(module))).Id);
        Assert.Equal("1.2.4", await module.ReadAsync());
    }

    [Fact]
    public async Task One_update_at_a_time_is_made()
    {
        using var module = new ModuleFixture(isSideBySide: true);
        using (UpdateStaging.Enter(module.Root))
        {
            Assert.Equal(BackupErrorId.ModuleNotUpdated, (await FailAsync(() => UpdateAsync(module, "1.2.4"))).Id);
        }

        await UpdateAsync(module, "1.2.4");
        Assert.Equal("1.2.4", await module.ReadAsync());
    }

    [Fact]
    public async Task A_checkout_is_not_updated()
    {
        using var module = new ModuleFixture(isSideBySide: false);
        File.Delete(Path.Combine(module.Folder, InstalledModule.ListName));

        Assert.Equal(BackupErrorId.ArgumentInvalid, (await FailAsync(() => UpdateAsync(module, "1.2.4"))).Id);
    }

    [Fact]
    public async Task Whoever_may_read_a_version_may_read_the_next()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Permissions come from the folder above there.");
            return;
        }

        using var module = new ModuleFixture(isSideBySide: true);
        const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        File.SetUnixFileMode(module.Folder, Folder);
        File.SetUnixFileMode(Path.Combine(module.Folder, InstalledModule.ManifestName), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        await UpdateAsync(module, "1.2.4");

        Assert.Equal(Folder, File.GetUnixFileMode(Path.Combine(module.InUse, "module", "bin")));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path.Combine(module.InUse, "module", "bin", "One.dll")));
    }

    [Fact]
    public void The_module_is_known_by_what_its_manifest_says() => Assert.Contains(
        $"'{InstalledModule.Identity}'", File.ReadAllText(Path.Combine(Repository.Root, InstalledModule.ManifestName)), StringComparison.Ordinal);

    [Fact]
    public void A_path_below_one_version_is_found_in_the_one_that_is_used()
    {
        using var module = new ModuleFixture(isSideBySide: true);
        HealthFixture.MakeModule(module.FolderOf("1.10.0"), "1.10.0");
        Directory.CreateDirectory(module.FolderOf("2.0.0"));
        string file = Path.Combine(module.Folder, "module", "bin", "One.dll");
        string newer = Path.Combine(module.FolderOf("1.10.0"), "module", "bin", "One.dll");

        // An empty folder is no version, and what the newer one lacks stays as it is.
        Assert.Equal(newer, ModulePlace.InUse(file));
        Assert.Equal(file, ModulePlace.InUse(newer, module.Folder));
        Assert.Equal(file + ".x", ModulePlace.InUse(file + ".x"));
        Assert.Equal("/bin/sh", ModulePlace.InUse("/bin/sh"));
        Assert.Equal("--quiet", ModulePlace.InUse("--quiet"));
    }

    private static Task<BackupException> FailAsync(Func<Task> action) => Assert.ThrowsAsync<BackupException>(action);

    private static async Task<ModuleChange> InstallAsync(ModuleFixture module, string file)
    {
        using ModulePackage package = await ModulePackage.OpenAsync(file, Cancel);
        return await new ModuleUpdater(module.InUse).InstallAsync(package, allowDowngrade: false, Cancel);
    }

    private static async Task<ModuleChange> UpdateAsync(
        ModuleFixture module, string version, bool allowDowngrade = false, Action<string>? step = null, bool isInSteps = false)
    {
        using ModulePackage package = await module.PackAsync(version);
        var updater = new ModuleUpdater(module.InUse, step) { IsInSteps = isInSteps };
        ModuleChange change = await updater.InstallAsync(package, allowDowngrade, Cancel);
        await updater.SetAside(change);
        return change;
    }

    private static async Task<ModuleChange> RollBackAsync(ModuleFixture module, Action<string>? step = null, bool isInSteps = false)
    {
        var updater = new ModuleUpdater(module.InUse, step) { IsInSteps = isInSteps };
        ModuleChange change = await updater.RollBackAsync(Cancel);
        await updater.SetAside(change);
        return change;
    }

    private sealed class KilledException : Exception;
}
