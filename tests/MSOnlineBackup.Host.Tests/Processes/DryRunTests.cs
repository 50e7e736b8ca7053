using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>A dry run says what the run itself would.</summary>
public sealed class DryRunTests : IDisposable
{
    private readonly Obengine _obengine = new();

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task Nothing_would_be_restored_into_the_vault()
    {
        await BackUpAsync();
        string inside = Path.Combine(_obengine.Vault, "x");

        Run rehearsed = await _obengine.OnVaultAsync("restore", "latest", "--to", inside, "-n");
        Run real = await _obengine.OnVaultAsync("restore", "latest", "--to", inside);

        Assert.Equal((1, 1), (rehearsed.ExitCode, real.ExitCode));
        Assert.Contains("Error id: RestoreTargetInvalid", rehearsed.Error);
        Assert.Equal(real.Error, rehearsed.Error);
        Assert.False(Path.Exists(inside));
        string outside = _obengine.Folder["outside"];
        Assert.Equal(0, (await _obengine.OnVaultAsync("restore", "latest", "--to", outside, "-n")).ExitCode);
        Assert.False(Path.Exists(outside));
    }

    [Fact]
    public async Task A_source_that_is_gone_is_told_and_the_others_are_listed()
    {
        await BackUpAsync();
        string gone = _obengine.Folder["gone"];

        Run rehearsed = await _obengine.OnVaultAsync("backup", gone, _obengine.Source, "-n", "--json");
        Run real = await _obengine.OnVaultAsync("backup", gone, _obengine.Source, "--json");

        Assert.Equal((4, 4), (rehearsed.ExitCode, real.ExitCode));
        Assert.Equal("SourceNotFound", Skipped(rehearsed).GetProperty("id").GetString());
        Assert.Equal(Skipped(real).ToString(), Skipped(rehearsed).ToString());
        Assert.Contains(
            rehearsed.Lines(), line => line.TryGetProperty("path", out JsonElement path) && path.GetString() == Path.Combine(_obengine.Source, "small"));
        Assert.Equal(1, (await _obengine.OnVaultAsync("backup", gone, "-n")).ExitCode);
    }

    [Fact]
    public async Task A_disk_that_was_mounted_and_is_not_now_is_told()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Only root mounts volumes.");
        string disk = Path.Combine(_obengine.Source, "disk");
        using (MountedFileSystem.InMemory(disk, "1m"))
        {
            await File.WriteAllTextAsync(Path.Combine(disk, "file"), "there", TestContext.Current.CancellationToken);
            await BackUpAsync("--cross-mount-points", "--allow-source", "memory");
        }

        await File.WriteAllTextAsync(Path.Combine(disk, "beneath"), "hidden", TestContext.Current.CancellationToken);
        Run rehearsed = await _obengine.OnVaultAsync("backup", _obengine.Source, "--cross-mount-points", "--allow-source", "memory", "-n", "--json");
        Run real = await _obengine.OnVaultAsync("backup", _obengine.Source, "--cross-mount-points", "--allow-source", "memory", "--json");

        Assert.Equal((3, 3), (rehearsed.ExitCode, real.ExitCode));
        Assert.Equal("SourceNotMounted", Skipped(rehearsed).GetProperty("id").GetString());
        Assert.Equal(Skipped(real).ToString(), Skipped(rehearsed).ToString());
        Assert.DoesNotContain("beneath", rehearsed.Output);
    }

    [Fact]
    public async Task What_a_backup_would_note_is_noted()
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("deep/small", 100).File("left", 100);
        string[] sources = [_obengine.Source, _obengine.Source + "/deep", _obengine.Vault + "/..", "--exclude", "left"];

        Run rehearsed = await _obengine.OnVaultAsync(["backup", "-n", "--json", .. sources]);
        Run real = await _obengine.OnVaultAsync(["backup", "--json", .. sources]);

        string[] notes = Notes(real);
        Assert.Contains(notes, note => note.Contains("is inside", StringComparison.Ordinal));
        Assert.Contains(notes, note => note.Contains(_obengine.Vault, StringComparison.Ordinal));
        Assert.Equal(notes, Notes(rehearsed));
    }

    private static string[] Notes(Run run) =>
        [.. run.Lines().Where(line => line.GetProperty("type").GetString() == "note").Select(line => line.GetProperty("message").GetString()!)];

    private static JsonElement Skipped(Run run) => Assert.Single(run.Lines(), line => line.GetProperty("type").GetString() == "skipped");

    private async Task BackUpAsync(params string[] options)
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("small", 100);
        Assert.Equal(0, (await _obengine.OnVaultAsync(["backup", _obengine.Source, .. options])).ExitCode);
    }
}
