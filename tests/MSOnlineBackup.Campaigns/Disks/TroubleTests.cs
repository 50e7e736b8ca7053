using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Media and accounts that are not as they should be: the right error and exit code, and no loss.</summary>
public sealed class TroubleTests : IDisposable
{
    private const string Nobody = "65534";

    private readonly Obengine _obengine = new();
    private MountedFileSystem? _volume;
    private int _files;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Volume => _obengine.Folder["volume"];

    private string VaultOnVolume => Path.Combine(Volume, "vault");

    public void Dispose()
    {
        _volume?.Dispose();
        _obengine.Dispose();
    }

    [Theory]
    [InlineData("tmpfs")]
    [InlineData("ext4")]
    public async Task A_vault_that_fills_up_in_mid_backup_fails_it_and_the_next_run_finishes_it(string kind)
    {
        Mount(kind, megabytes: 40);
        await CreateOnVolumeAsync();
        SourceTreeBuilder tree = new SourceTreeBuilder(_obengine.Source).File("first", 2 << 20).File("small", 100);
        Assert.Equal(0, (await OnVolumeAsync("backup", _obengine.Source)).ExitCode);
        string ballast = Path.Combine(Volume, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[16 << 20], Stop);
        tree.File("more", 26 << 20);

        AssertFails(await OnVolumeAsync("backup", _obengine.Source, "--json"), "VaultFull", 1);

        // There was room still for its word that it made no point.
        Assert.Equal(0, (await OnVolumeAsync("verify", "--read-data")).ExitCode);
        Assert.Equal(1, await CountPointsAsync());

        File.Delete(ballast);
        Assert.Equal(0, (await OnVolumeAsync("backup", _obengine.Source)).ExitCode);
        await AssertRestoresAsync();
    }

    [Fact]
    public async Task A_vault_that_is_unmounted_in_mid_backup_fails_it_and_nothing_is_written_beneath()
    {
        Mount("tmpfs", megabytes: 400);
        await CreateOnVolumeAsync();
        await AddFilesAsync();
        using Process process = await HoldBackupAsync(VaultOnVolume);
        string aside = _obengine.Folder["aside"];
        Directory.CreateDirectory(aside);
        Shell.RunChecked("mount", "--move", Volume, aside);
        Shell.RunChecked("kill", "-CONT", $"{process.Id}");
        try
        {
            AssertFails(await Obengine.FinishAsync(process), "VaultUnreachable", 1);
            Assert.Empty(Directory.EnumerateFileSystemEntries(Volume));
        }
        finally
        {
            Shell.RunChecked("mount", "--move", aside, Volume);
        }

        Assert.Equal(0, (await OnVolumeAsync("backup", _obengine.Source)).ExitCode);
        Assert.Equal(0, (await OnVolumeAsync("verify", "--read-data")).ExitCode);
    }

    [Fact]
    public async Task A_vault_whose_folder_is_renamed_in_mid_backup_fails_it_and_the_next_run_finishes_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A folder in use cannot be renamed there.");
        await _obengine.CreateVaultAsync();
        await AddFilesAsync();
        using Process process = await HoldBackupAsync(_obengine.Vault);
        Directory.Move(_obengine.Vault, _obengine.Folder["elsewhere"]);
        Shell.RunChecked("kill", "-CONT", $"{process.Id}");
        AssertFails(await Obengine.FinishAsync(process), "VaultUnreachable", 1);
        Assert.False(Directory.Exists(_obengine.Vault));

        Directory.Move(_obengine.Folder["elsewhere"], _obengine.Vault);
        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source)).ExitCode);
        Assert.Equal(0, (await _obengine.OnVaultAsync("verify", "--read-data")).ExitCode);
    }

    [Fact]
    public async Task A_read_only_vault_refuses_backups_and_still_restores()
    {
        Mount("tmpfs", megabytes: 40);
        await CreateOnVolumeAsync();
        new SourceTreeBuilder(_obengine.Source).File("file", 200_000);
        Assert.Equal(0, (await OnVolumeAsync("backup", _obengine.Source)).ExitCode);
        _volume!.Remount("ro");
        AssertFails(await OnVolumeAsync("backup", _obengine.Source, "--json"), "VaultAccessDenied", 1);
        Assert.Equal(0, (await OnVolumeAsync("verify", "--read-data")).ExitCode);
        await AssertRestoresAsync();
        _volume.Remount("rw");
    }

    [Fact]
    public async Task A_target_that_is_full_a_file_or_holds_the_items_is_told_apart()
    {
        Mount("tmpfs", megabytes: 4);
        new SourceTreeBuilder(_obengine.Source).File("file", 6 << 20).File("small", 100);
        await _obengine.CreateVaultAsync();
        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source)).ExitCode);

        AssertFails(await RestoreAsync(Path.Combine(Volume, "target")), "RestoreTargetFull", 1);
        Assert.DoesNotContain(Directory.EnumerateFiles(Volume, "*", SearchOption.AllDirectories), file => new FileInfo(file).Length > 100);

        string file = _obengine.Folder["file"];
        await File.WriteAllTextAsync(file, "mine", Stop);
        AssertFails(await RestoreAsync(file), "RestoreTargetInvalid", 1);
        Assert.Equal("mine", await File.ReadAllTextAsync(file, Stop));

        string target = _obengine.Folder["target"];
        Assert.Equal(0, (await RestoreAsync(target)).ExitCode);
        string changed = target + _obengine.Source + "/small";
        await File.WriteAllTextAsync(changed, "mine", Stop);
        Run again = await RestoreAsync(target);
        Assert.Equal(3, again.ExitCode);
        Assert.Contains(again.Lines(), line => line.TryGetProperty("id", out JsonElement id) && id.GetString() == "RestoreItemExists");
        Assert.Equal("mine", await File.ReadAllTextAsync(changed, Stop));
    }

    [Fact]
    public async Task Without_the_rights_items_are_skipped_listed_and_counted()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Only root can become another user.");
        new SourceTreeBuilder(_obengine.Source).Describe(
            """
            f readable 100 644
            f secret 100 600
            d closed 700
            f closed/inside 100 644
            f open/secret 200000 600
            f open/readable 100 644
            """);
        foreach (string path in new[] { _obengine.Folder.Path, _obengine.Source })
        {
            UnixFile.SetMode(UnixFile.Raw(path), 0b111_111_111);
        }

        Run created = RunAsNobody("vault", "create", _obengine.Vault, "--owner-file", _obengine.Folder["owner"]);
        Assert.True(created.ExitCode == 0, created.Error);
        Run run = RunAsNobody("backup", "--vault", _obengine.Vault, _obengine.Source);
        Assert.True(run.ExitCode == 3, run.Output + run.Error);
        foreach (string skipped in new[] { "secret", "closed", "open/secret" })
        {
            Assert.Contains($"{_obengine.Source}/{skipped}", run.Error + run.Output);
        }

        IReadOnlyList<JsonElement> listed = await _obengine.JsonAsync("skipped", "latest");
        Assert.Equal(3, listed.Count(line => line.GetProperty("type").GetString() == "skipped"));
        JsonElement point = (await _obengine.JsonAsync("points")).First(line => line.GetProperty("type").GetString() == "point");
        Assert.Equal(3, point.GetProperty("skipped").GetInt64());
        Assert.Equal(3, RunAsNobody("restore", "latest", "--vault", _obengine.Vault, "--to", _obengine.Folder["target"]).ExitCode);
        Assert.True(File.Exists(_obengine.Folder["target"] + _obengine.Source + "/open/readable"));
    }

    private void Mount(string kind, int megabytes)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Only root mounts volumes.");
        if (kind == "tmpfs")
        {
            _volume = MountedFileSystem.InMemory(Volume, $"{megabytes}m");
            return;
        }

        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"There is no mkfs.{kind}, or this kernel cannot mount {kind}.");
        _volume = MountedFileSystem.InImage(_obengine.Folder["image"], Volume, kind, (long)megabytes << 20);
    }

    private async Task CreateOnVolumeAsync()
    {
        Run run = await _obengine.RunAsync(["vault", "create", VaultOnVolume, "--passphrase-file", _obengine.PassphraseFile]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    private Task<Run> OnVolumeAsync(params string[] arguments) =>
        _obengine.RunAsync([arguments[0], "--vault", VaultOnVolume, "--passphrase-file", _obengine.PassphraseFile, .. arguments[1..]]);

    private Task<Run> RestoreAsync(string target) => _obengine.OnVaultAsync("restore", "latest", "--to", target, "--json");

    private async Task<int> CountPointsAsync() =>
        (await OnVolumeAsync("points", "--json")).Lines().Count(line => line.GetProperty("type").GetString() == "point");

    private async Task AssertRestoresAsync()
    {
        string target = _obengine.Folder["target"];
        Run restored = await OnVolumeAsync("restore", "latest", "--to", target);
        Assert.True(restored.ExitCode == 0, restored.Error);
        Assert.Empty(TreeComparer.Compare(_obengine.Source, target + _obengine.Source));
    }

    private Run RunAsNobody(params string[] arguments)
    {
        (int exitCode, string output) = Shell.Run(
            "setpriv",
            ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", "dotnet", _obengine.Program, .. arguments, "--passphrase-file", _obengine.PassphraseFile]);
        return new Run(exitCode, output, "");
    }

    private static void AssertFails(Run run, string id, int exitCode)
    {
        JsonElement error = run.Lines()[^1];
        Assert.True(
            error.GetProperty("type").GetString() == "error" && error.GetProperty("id").GetString() == id && run.ExitCode == exitCode,
            $"{run.ExitCode}: {run.Output}{run.Error}");
        Assert.NotEmpty(error.GetProperty("action").GetString()!);
    }

    private Task<Process> HoldBackupAsync(string vault) => _obengine.HoldBackupAsync(
        ["backup", _obengine.Source, "--vault", vault, "--passphrase-file", _obengine.PassphraseFile, "--json"], vault, AddFilesAsync);

    private async Task AddFilesAsync()
    {
        byte[] content = new byte[5 << 20];
        for (int end = _files + 30; _files < end; _files++)
        {
            new Random(_files).NextBytes(content);
            await File.WriteAllBytesAsync(Path.Combine(_obengine.Source, $"f{_files}"), content, Stop);
        }
    }
}
