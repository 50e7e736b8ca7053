using System.Text;
using System.Text.Json;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests.Remote;

/// <summary>Backups of other machines by the programs themselves: <c>obengine agent backup</c> here, <c>obengine serve backup</c> there, with a script in the place of ssh.</summary>
public sealed class AgentBackupTests : IAsyncLifetime
{
    private static readonly string[] _open = ["cmdline", "environ"];

    private readonly FakeMachines _machines = new();
    private readonly Obengine _obengine = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Shell scripts stand for ssh and for machines, and /proc is looked into.");
        _machines.Own = _machines.MakeRealPackage();
        foreach (string name in new[] { "m1", "m2" })
        {
            _machines.Add(name);
        }

        Assert.All(await _machines.InstallAsync(null, "m1", "m2"), result => Assert.Null(result.Failure));
        await _obengine.CreateVaultAsync();
        _obengine.Variables["OBENGINE_SSH"] = _machines.SshProgram;
        _obengine.Variables["MSONLINEBACKUP_STATE"] = _machines.State;
        new SourceTreeBuilder(_obengine.Source).Describe("f a 10\nf folder/b 300K\nd empty");
    }

    public ValueTask DisposeAsync()
    {
        _machines.Dispose();
        _obengine.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Several_machines_back_up_and_one_that_is_away_stops_no_other()
    {
        await File.WriteAllTextAsync(_machines.Of("m1", "greeting"), "Welcome\n", Stop);
        Run run = await BackUpAsync("m1", "m2", "m3", "--source", _obengine.Source, "--tag", "nightly", "--exclude", "b");

        Assert.Equal(1, run.ExitCode);
        JsonElement[] lines = [.. run.Lines().Where(line => line.GetProperty("type").GetString() == "remoteBackup")];
        Assert.Equal(["m3", "m1", "m2"], lines.Select(line => line.GetProperty("host").GetString()));
        Assert.Equal(["AgentNotInstalled", null, null], lines.Select(line => line.GetProperty("error").GetString()));
        Assert.Equal(1, lines[1].GetProperty("files").GetInt64());
        Assert.Equal((3, 1), (run.Lines()[^1].GetProperty("machines").GetInt32(), run.Lines()[^1].GetProperty("failed").GetInt32()));
        foreach (string machine in new[] { "m1", "m2" })
        {
            string target = _obengine.Folder[$"restored-{machine}"];
            Assert.Equal(0, (await _obengine.OnVaultAsync("restore", "latest", "--machine", machine, "--to", target)).ExitCode);
            Assert.StartsWith("/folder/b:", Assert.Single(TreeComparer.Compare(_obengine.Source, target + _obengine.Source)), StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(_machines.Of("m1", "down"), "", Stop);
        run = await BackUpAsync("--all", "--source", _obengine.Source);
        Assert.Equal(["AgentUnreachable", null], run.Lines().Where(line => line.GetProperty("type").GetString() == "remoteBackup").Select(line => line.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task The_key_is_in_no_argument_environment_or_file_of_the_machine()
    {
        new SourceTreeBuilder(_obengine.Source).Describe("f great 60M");
        using UnlockedVault vault = await new FolderVault(_obengine.Vault).OpenAsync();
        byte[] key = Secret(vault);
        string[] forms = [Encoding.Latin1.GetString(key), Convert.ToHexString(key), Convert.ToHexStringLower(key), Convert.ToBase64String(key).TrimEnd('='), Obengine.Passphrase];
        var found = new List<string>();
        var progress = new Seen(() =>
        {
            // The script's process became the agent.
            string id = File.ReadAllText(_machines.Of("m1", "session")).Trim();
            found.AddRange(_open.Select(name => Encoding.Latin1.GetString(File.ReadAllBytes($"/proc/{id}/{name}"))));
        });

        RemoteBackupOutcome outcome = await _machines.OpenAgent().RemoteBackups.RunAsync(
            FakeMachines.Machine("m1"), new RemoteBackupOrder { MachineName = "m1", Sources = [_obengine.Source] }, vault, progress, Stop);

        Assert.True(outcome.Failure is null, $"{outcome.Failure}");
        Assert.Contains("serve\0backup\0--stdio", found[0], StringComparison.Ordinal);
        Assert.All(found, text => Assert.DoesNotContain(forms, form => text.Contains(form, StringComparison.Ordinal)));
        foreach (string file in Directory.EnumerateFiles(_machines.Of("m1", "home"), "*", SearchOption.AllDirectories))
        {
            string content = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Stop));
            Assert.DoesNotContain(forms, form => content.Contains(form, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_agent_that_is_killed_is_told_and_the_next_run_goes_on()
    {
        new SourceTreeBuilder(_obengine.Source).Describe("f great 40M");
        using UnlockedVault vault = await new FolderVault(_obengine.Vault).OpenAsync();
        bool isKilled = false;
        var progress = new Seen(() =>
        {
            if (!isKilled)
            {
                isKilled = true;
                Shell.Run("kill", "-KILL", File.ReadAllText(_machines.Of("m1", "session")).Trim());
            }
        });
        var order = new RemoteBackupOrder { MachineName = "m1", Sources = [_obengine.Source], ReadEverything = true };

        RemoteBackupOutcome killed = await _machines.OpenAgent().RemoteBackups.RunAsync(FakeMachines.Machine("m1"), order, vault, progress, Stop);

        // A backup may be faster than its first word.
        if (isKilled && killed.Point is null)
        {
            Assert.Equal(BackupErrorId.RemoteJobLost, killed.Failure?.Id);
        }

        RemoteBackupOutcome next = await _machines.OpenAgent().RemoteBackups.RunAsync(FakeMachines.Machine("m1"), order, vault, null, Stop);
        Assert.True(next.Failure is null, $"{next.Failure}");
        Assert.Empty(await new FolderVault(_obengine.Vault).VerifyAsync());
    }

    [Fact]
    public async Task A_server_is_started_by_a_server_only()
    {
        Assert.Equal(2, (await _obengine.RunAsync(["serve", "backup"])).ExitCode);
        Run run = await _obengine.RunAsync(["serve", "backup", "--stdio"], input: "");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("VaultUnreachable", run.Error, StringComparison.Ordinal);
        Assert.StartsWith("OBSTORE\n", run.Output, StringComparison.Ordinal);
        foreach (string[] wrong in new string[][] { ["m1"], ["--source", "/srv"], ["m1", "--all", "--source", "/srv"], ["m1", "m2", "--name", "n", "--source", "/srv"], ["m1", "--at-once", "0", "--source", "/srv"] })
        {
            Assert.Equal(2, (await BackUpAsync(wrong)).ExitCode);
        }
    }

    private Task<Run> BackUpAsync(params string[] arguments) => _obengine.RunAsync(["agent", "backup", .. arguments, "--json", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile]);

    // The master key itself, which no public member gives.
    private static byte[] Secret(UnlockedVault vault) => (byte[])vault.Key.GetType().GetProperty("MasterKey", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.GetValue(vault.Key)!;

    private sealed class Seen(Action look) : IProgress<RemoteBackupProgress>
    {
        private readonly Lock _gate = new();

        public void Report(RemoteBackupProgress value)
        {
            lock (_gate)
            {
                look();
            }
        }
    }
}
