using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What is updated here is a folder of a few hundred files. No state and no scheduler of the machine is touched.</summary>
public sealed class UpdateTests : IDisposable
{
    private const int Files = 300;

    private readonly TempFolder _folder = new();

    public UpdateTests()
    {
        MakeModule(Module, "1.2.3");
        MakeModule(_folder["packed"], "1.2.4");
        ZipFile.CreateFromDirectory(_folder["packed"], Package);
    }

    private string Module => _folder["module"];

    private string Package => _folder["MSOnlineBackup.1.2.4.nupkg"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_module_is_updated_and_brought_back()
    {
        JsonElement foreseen = await RunAsync(0, "update", Package, "--dry-run");
        Assert.Equal(("1.2.3", "1.2.4", false), Read(foreseen));
        Assert.Equal("1.2.3", await FindVersionAsync());

        JsonElement updated = await RunAsync(0, "update", Package);
        Assert.Equal(("1.2.3", "1.2.4", true), Read(updated));
        Assert.Equal((Module, Module + ".previous"), (updated.GetProperty("folder").GetString(), updated.GetProperty("previousFolder").GetString()));
        Assert.Empty(updated.GetProperty("schedules").EnumerateArray());
        Assert.Equal("1.2.4", await FindVersionAsync());
        Assert.Equal(("1.2.4", "1.2.4", false), Read(await RunAsync(0, "update", Package)));

        Assert.Equal(("1.2.4", "1.2.3", true), Read(await RunAsync(0, "update", "--rollback")));
        Assert.Equal("1.2.3", await FindVersionAsync());
        Assert.False(Directory.Exists(_folder["state"]));
    }

    [Fact]
    public async Task A_step_back_is_asked_for()
    {
        MakeModule(_folder["older"], "1.0.0");
        await ZipFile.CreateFromDirectoryAsync(_folder["older"], _folder["older.zip"], TestContext.Current.CancellationToken);

        Assert.Equal("PackageOutdated", (await RunAsync(1, "update", _folder["older.zip"])).GetProperty("id").GetString());
        Assert.Equal("PreviousVersionMissing", (await RunAsync(1, "update", "--rollback")).GetProperty("id").GetString());
        Assert.Equal(("1.2.3", "1.0.0", true), Read(await RunAsync(0, "update", _folder["older.zip"], "--allow-downgrade")));
    }

    [Theory]
    [InlineData("update")]
    [InlineData("update", "package.nupkg", "--rollback")]
    [InlineData("update", "--rollback", "--allow-downgrade")]
    public async Task What_cannot_be_meant_is_refused(params string[] arguments) =>
        Assert.Equal("ArgumentInvalid", (await RunAsync(2, arguments)).GetProperty("id").GetString());

    // Killed for real, where the package is opened, while files are written, and about when folders are renamed.
    [Fact]
    public async Task An_update_that_is_killed_leaves_one_version_whole()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Kills as Unix does.");
        using var obengine = new Obengine();
        obengine.Variables["MSONLINEBACKUP_SCHEDULER"] = "None";
        string staging = _folder[".MSOnlineBackup.update", "new"];
        foreach (int written in (int[])[0, 1, Files / 2, Files - 1, Files, Files + 2])
        {
            using Process process = obengine.Start(["update", Package, "--module", Module, "--state", _folder["state"]]);
            while (!process.HasExited && Count(staging) < written)
            {
                await Task.Yield();
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            if (await FindVersionAsync() == "1.2.4")
            {
                await RunAsync(0, "update", "--rollback");
            }
        }

        Assert.Equal(("1.2.3", "1.2.4", true), Read(await RunAsync(0, "update", Package)));
        Assert.Equal("1.2.4", await FindVersionAsync());
        Assert.False(Directory.Exists(_folder[".MSOnlineBackup.update"]));
    }

    private static int Count(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count();
        }
        catch (DirectoryNotFoundException)
        {
            return 0;
        }
    }

    private static (string Old, string New, bool Changed) Read(JsonElement summary) =>
        (summary.GetProperty("oldVersion").GetString()!, summary.GetProperty("newVersion").GetString()!, summary.GetProperty("changed").GetBoolean());

    private static void MakeModule(string folder, string version)
    {
        Directory.CreateDirectory(Path.Combine(folder, "module", "bin"));
        File.WriteAllText(Path.Combine(folder, InstalledModule.ManifestName), $"@{{\n    ModuleVersion = '{version}'\n    GUID = '{InstalledModule.Identity}'\n}}\n");
        for (int i = 2; i < Files; i++)
        {
            File.WriteAllText(Path.Combine(folder, "module", "bin", $"{i}.dll"), $"{version} {i}");
        }

        File.WriteAllLines(
            Path.Combine(folder, InstalledModule.ListName),
            Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}  {Path.GetRelativePath(folder, file).Replace('\\', '/')}").ToArray());
    }

    private async Task<string> FindVersionAsync()
    {
        Assert.Empty((await InstalledModule.CheckAsync(Module, TestContext.Current.CancellationToken))!.Faults);
        string manifest = await File.ReadAllTextAsync(Path.Combine(Module, InstalledModule.ManifestName), TestContext.Current.CancellationToken);
        return manifest.Split('\'')[1];
    }

    private async Task<JsonElement> RunAsync(int exitCode, params string[] arguments)
    {
        var run = new HostRun { Variables = { ["MSONLINEBACKUP_SCHEDULER"] = "none" } };
        int ended = await run.RunAsync([.. arguments, "--module", Module, "--state", _folder["state"], "--json"]);
        Assert.True(ended == exitCode, run.Output + run.Error);
        return JsonDocument.Parse((run.Output + run.Error).Trim().Split('\n')[^1]).RootElement;
    }
}
