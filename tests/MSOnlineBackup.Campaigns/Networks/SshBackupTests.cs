using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Networks;

/// <summary>Backups that the server starts, through ssh and a real sshd: the agent that was put there, with its .NET, in accounts of one system. One is root's, one is not.</summary>
public sealed class SshBackupTests : IAsyncLifetime
{
    private static readonly string[] _names = ["m1", "plain"];

    private readonly Obengine _obengine = new();
    private readonly TempFolder _homes = new();
    private SshServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux: sshd runs in a mount namespace.");
        foreach (string machine in _names)
        {
            Directory.CreateDirectory(_homes[machine]);
        }

        Shell.RunChecked("chmod", "755", _homes.Path, _obengine.Folder.Path);
        Shell.RunChecked("chown", "54321:54321", _homes["plain"]);
        _server = await SshServer.StartAsync(Stop, $"m1:x:0:0::{_homes["m1"]}:/bin/bash", $"plain:x:54321:54321::{_homes["plain"]}:/bin/sh");
        File.WriteAllText(
            _obengine.Folder["client"],
            string.Concat(_names.Select(machine => $"Host {machine}\n  HostName 127.0.0.1\n  Port {_server.Port}\n  User {machine}\n"))
            + $"Host *\n  IdentityFile {_server.UserKey}\n  IdentitiesOnly yes\n  LogLevel ERROR\n");
        _obengine.Variables["OBENGINE_SSH"] = $"ssh -F {_obengine.Folder["client"]}";
        _obengine.Variables["MSONLINEBACKUP_STATE"] = _obengine.Folder["state"];
        await _obengine.CreateVaultAsync();
        Run installed = await _obengine.RunAsync(["agent", "install", .. _names, "--host-key", _server.FingerprintOf("host")]);
        Assert.True(installed.ExitCode == 0, installed.ToString());
    }

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        _obengine.Dispose();
        _homes.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_arrives_is_equal_and_what_an_account_cannot_read_is_said()
    {
        await File.WriteAllTextAsync(_homes["m1/.bashrc"], "echo Welcome\n", Stop);
        new SourceTreeBuilder(_obengine.Source).Describe("f a 10\nf folder/b 300K\nf folder/large 20M\nd empty\nf secret 100");
        Shell.RunChecked("chmod", "600", Path.Combine(_obengine.Source, "secret"));

        Run run = await BackUpAsync(_names);

        Assert.True(run.ExitCode == 3, run.ToString());
        JsonElement[] lines = LinesOf(run);
        Assert.All(lines, line => Assert.Equal(JsonValueKind.Null, line.GetProperty("error").ValueKind));
        Assert.Equal([0, 1], lines.Select(line => line.GetProperty("skipped").GetInt64()));
        await RestoresAsync("m1");
        Assert.Equal("0", Shell.RunChecked("sh", "-c", $"grep -rlF '{Obengine.Passphrase}' {_homes.Path} | wc -l").Trim());
    }

    [Fact]
    public async Task Whoever_is_killed_damages_nothing_and_the_next_run_goes_on()
    {
        var chance = new Random(Campaign.FirstSeed(usual: 20));
        for (int round = 0; round < Campaign.Rounds(usual: 6, full: 60); round++)
        {
            new SourceTreeBuilder(_obengine.Source).Describe($"f new-{round} 60M");
            using Process process = _obengine.Start(["agent", "backup", "m1", "--json", .. Options]);
            await Task.Delay(chance.Next(200, 3000), Stop);
            if (round % 2 == 0)
            {
                process.Kill();
            }
            else
            {
                KillAgents();
            }

            Run run = await Obengine.FinishAsync(process);
            if (round % 2 == 1 && run.ExitCode != 0)
            {
                Assert.Contains(Assert.Single(LinesOf(run)).GetProperty("error").GetString(), new[] { "RemoteJobLost", "AgentMachineUnsuitable", "AgentUnreachable" });
            }

            Run verified = await _obengine.OnVaultAsync("verify", "--read-data");
            Assert.True(verified.ExitCode == 0, verified.ToString());
        }

        Run last = await BackUpAsync("m1");
        Assert.True(last.ExitCode == 0, last.ToString());
        await RestoresAsync("m1");

        // An agent whose server is gone has gone, too.
        Assert.True(SpinWait.SpinUntil(() => Agents().Length == 0, TimeSpan.FromMinutes(1)));
    }

    private string[] Options => ["--source", _obengine.Source, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile];

    private Task<Run> BackUpAsync(params string[] machines) => _obengine.RunAsync(["agent", "backup", .. machines, "--json", .. Options]);

    private static JsonElement[] LinesOf(Run run) => [.. run.Lines().Where(line => line.GetProperty("type").GetString() == "remoteBackup")];

    private async Task RestoresAsync(string machine)
    {
        string target = _obengine.Folder[$"restored-{machine}"];
        Run run = await _obengine.OnVaultAsync("restore", "latest", "--machine", machine, "--to", target);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Empty(TreeComparer.Compare(_obengine.Source, target + _obengine.Source));
    }

    private void KillAgents()
    {
        foreach (int agent in Agents())
        {
            Shell.Run("kill", "-KILL", agent.ToString(CultureInfo.InvariantCulture));
        }
    }

    // Only those of these homes.
    private int[] Agents() => [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _)).Where(IsAgent)
        .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))];

    private bool IsAgent(string? process)
    {
        try
        {
            string line = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{process}/cmdline"));
            return line.Contains(_homes.Path, StringComparison.Ordinal) && line.Contains("serve\0backup", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It has gone.
            return false;
        }
    }
}
