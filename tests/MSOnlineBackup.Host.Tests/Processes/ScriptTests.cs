using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Scripts around the snapshots of a backup that is run, stopped and killed for real: the second is run whenever the first was begun.</summary>
public sealed class ScriptTests : IDisposable
{
    private readonly Obengine _obengine = new();
    private readonly ScriptFolder _scripts;

    public ScriptTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The scripts of these tests are Unix's, and so are its signals.");
        _obengine.Variables["MSONLINEBACKUP_STATE"] = _obengine.Folder["state"];
        _scripts = new ScriptFolder(_obengine.Folder["scripts"]);
        new SourceTreeBuilder(_obengine.Source).File("a", 10);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task A_script_that_fails_is_told_and_ends_with_3()
    {
        await _obengine.CreateVaultAsync();
        _scripts.Write("pre.sh", "echo no luck >&2; exit 1");

        Run run = await _obengine.OnVaultAsync("backup", "--json", "--scripts", "scripts/VMSnapshotScriptPluginConfig.json", _obengine.Source);

        Assert.True(run.ExitCode == 3, run.ToString());
        Assert.Equal(["post"], _scripts.ReadLog());
        IReadOnlyList<JsonElement> lines = run.Lines();
        string note = lines.Single(line => line.GetProperty("type").GetString() == "note").GetProperty("message").GetString()!;
        Assert.StartsWith($"warning: The pre-script '{_scripts.Pre}' ended with status 1: no luck", note, StringComparison.Ordinal);
        Assert.Contains("The pre-script", lines[^1].GetProperty("consistencyReason").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("INT", 130)]
    public async Task The_second_is_run_where_the_backup_is_ended_within_the_first(string signal, int ended)
    {
        await _obengine.CreateVaultAsync();
        Hold("pre");

        await EndAsync(signal, ended, after: "pre");
        await File.WriteAllTextAsync(_scripts.Path + "/go", "", Cancel);
        await LoggedAsync("post");

        // One that was killed left its script at work, which ends first; one that was stopped has killed it.
        Assert.Equal(signal == "KILL" ? ["pre", "pre has ended", "post"] : ["pre", "post"], _scripts.ReadLog());
    }

    [Fact]
    public async Task The_second_is_run_again_where_the_backup_is_killed_within_it()
    {
        await _obengine.CreateVaultAsync();
        Hold("post");

        await EndAsync("KILL", 137, after: "post");
        await File.WriteAllTextAsync(_scripts.Path + "/go", "", Cancel);
        while (_scripts.ReadLog().Count(line => line == "post has ended") < 2)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.Equal(["pre", "post", "post has ended", "post", "post has ended"], _scripts.ReadLog());
    }

    // It waits for a file.
    private void Hold(string name) => _scripts.Write(
        name + ".sh",
        $"echo {name} >>'{_scripts.Log}'; while [ ! -e '{_scripts.Path}/go' ]; do sleep 0.02; done; echo {name} has ended >>'{_scripts.Log}'");

    private async Task EndAsync(string signal, int ended, string after)
    {
        using Process process = _obengine.StartOnVault("backup", "--scripts", _scripts.File, _obengine.Source);
        await LoggedAsync(after);
        Shell.RunChecked("kill", $"-{signal}", $"{process.Id}");

        // Its output is not read to the end: what it left running may hold that open.
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(ended, process.ExitCode);
    }

    private async Task LoggedAsync(string line)
    {
        while (!_scripts.ReadLog().Contains(line))
        {
            await Task.Delay(5, Cancel);
        }
    }
}
