using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Engine.Tests.Health;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Installation;

public sealed class InstalledModuleTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public InstalledModuleTests()
    {
        HealthFixture.MakeModule(Module);
        ZipFile.CreateFromDirectory(Module, Package);
        WriteSum();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Module => _folder["module"];

    private string Package => _folder["package.nupkg"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_damaged_is_named_and_comes_from_the_package()
    {
        Assert.True((await InstalledModule.CheckAsync(Module, Cancel))!.IsWhole);
        await File.WriteAllTextAsync(Path.Combine(Module, "module/bin/One.dll"), "o", Cancel);
        Directory.Delete(Path.Combine(Module, "module/bin/runtimes"), recursive: true);
        await File.WriteAllTextAsync(Path.Combine(Module, "module/bin/Extra.dll"), "x", Cancel);

        ModuleCheck check = (await InstalledModule.CheckAsync(Module, Cancel))!;
        IReadOnlyList<string> repaired = await RepairAsync();

        Assert.Equal(
            [("module/bin/Extra.dll", ModuleFileState.Foreign), ("module/bin/One.dll", ModuleFileState.Changed), (
                "module/bin/runtimes/linux-x64/lib/Two.dll", ModuleFileState.Missing)],
            check.Faults.Select(file => (file.Path, file.State)));
        Assert.False(check.IsWhole);
        Assert.Equal(["module/bin/One.dll", "module/bin/runtimes/linux-x64/lib/Two.dll"], repaired);
        check = (await InstalledModule.CheckAsync(Module, Cancel))!;
        Assert.True(check.IsWhole);
        Assert.Single(check.Faults);
        Assert.Empty(await RepairAsync());
    }

    [Fact]
    public async Task A_list_that_is_lost_or_damaged_comes_from_the_package_too()
    {
        File.Delete(Path.Combine(Module, InstalledModule.ListName));
        Assert.Null(await InstalledModule.CheckAsync(Module, Cancel));
        Assert.Equal([InstalledModule.ListName], await RepairAsync());
        await File.WriteAllTextAsync(Path.Combine(Module, InstalledModule.ListName), "no list", Cancel);

        Assert.Equal(BackupErrorId.PackageInvalid, (await FailAsync(() => InstalledModule.CheckAsync(Module, Cancel))).Id);
        Assert.Equal([InstalledModule.ListName], await RepairAsync());
        Assert.True((await InstalledModule.CheckAsync(Module, Cancel))!.IsWhole);
    }

    [Fact]
    public async Task A_package_that_was_tampered_with_is_refused()
    {
        await using (ZipArchive archive = await ZipFile.OpenAsync(Package, ZipArchiveMode.Update, Cancel))
        {
            archive.GetEntry("module/bin/One.dll")!.Delete();
            await using Stream entry = await archive.CreateEntry("module/bin/One.dll").OpenAsync(Cancel);
            entry.Write("evil"u8);
        }

        BackupException beside = await FailAsync(RepairAsync);
        File.Delete(Package + ".sha256");
        File.Delete(Path.Combine(Module, "module/bin/One.dll"));
        BackupException within = await FailAsync(RepairAsync);

        Assert.All([beside, within], fault => Assert.Equal(BackupErrorId.PackageInvalid, fault.Id));
        Assert.Contains(".sha256", beside.Message, StringComparison.Ordinal);
        Assert.Contains("One.dll", within.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Module, "module/bin/One.dll")));
    }

    [Fact]
    public async Task A_package_of_another_version_is_refused()
    {
        HealthFixture.MakeModule(_folder["other"], "1.2.4");
        File.Delete(Package);
        await ZipFile.CreateFromDirectoryAsync(_folder["other"], Package, Cancel);
        WriteSum();

        Assert.Contains("1.2.4", (await FailAsync(RepairAsync)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a zip")]
    public async Task What_is_no_package_is_refused(string content)
    {
        await File.WriteAllTextAsync(Package, content, Cancel);
        File.Delete(Package + ".sha256");

        Assert.Equal(BackupErrorId.PackageInvalid, (await FailAsync(RepairAsync)).Id);
        File.Delete(Package);
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await FailAsync(RepairAsync)).Id);
    }

    [Fact]
    public async Task A_file_that_cannot_be_replaced_is_an_error()
    {
        string file = Path.Combine(Module, "module/bin/One.dll");
        File.Delete(file);
        Directory.CreateDirectory(Path.Combine(file, "in", "the", "way"));

        Assert.Equal(BackupErrorId.ModuleNotRepaired, (await FailAsync(RepairAsync)).Id);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a\\..\\b")]
    [InlineData("C:evil")]
    [InlineData("a/./b")]
    public void A_list_names_files_in_its_folder_only(string path) =>
        Assert.Equal(BackupErrorId.PackageInvalid, Assert.Throws<BackupException>(() => FileHashes.Parse(
            Encoding.UTF8.GetBytes($"{new string('a', 64)}  {path}\n"), "list")).Id);

    [Theory]
    [InlineData("abc  file")]
    [InlineData("xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  file")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa file")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  ")]
    [InlineData("\n\n")]
    public void What_is_no_list_is_refused(string text) => Assert.Throws<BackupException>(() => FileHashes.Parse(Encoding.UTF8.GetBytes(text), "list"));

    [Fact]
    public void A_list_is_what_sha256sum_writes() => Assert.Equal(
        ["a b", "c/d"],
        FileHashes.Parse(Encoding.UTF8.GetBytes($"{new string('A', 64)} *a b\r\n{new string('0', 64)}  c/d"), "list").Hashes.Keys.Order(
            StringComparer.Ordinal));

    [Fact]
    public void The_folder_of_a_module_is_found_from_that_of_its_program()
    {
        Assert.Equal(Module, InstalledModule.FindFolder(Path.Combine(Module, "module", "bin") + Path.DirectorySeparatorChar));
        Assert.Null(InstalledModule.FindFolder(_folder["elsewhere", "bin"]));
    }

    private static Task<BackupException> FailAsync(Func<Task> action) => Assert.ThrowsAsync<BackupException>(action);

    private async Task<IReadOnlyList<string>> RepairAsync()
    {
        using ModulePackage package = await ModulePackage.OpenAsync(Package, Cancel);
        return await InstalledModule.RepairAsync(Module, package, Cancel);
    }

    private void WriteSum() => File.WriteAllText(
        Package + ".sha256", $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Package)))}  {Path.GetFileName(Package)}\n");
}
