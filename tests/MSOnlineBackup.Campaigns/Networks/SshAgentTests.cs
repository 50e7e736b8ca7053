using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Networks;

/// <summary>
/// The agent as it is, with its .NET, put on machines through ssh and a real sshd: accounts of one system, each with a home of its own. Two are root's, one is not.
/// </summary>
public sealed class SshAgentTests : IAsyncLifetime
{
    private const string Place = ".local/share/obengine";

    private static readonly string[] _names = ["m1", "m2", "plain"];

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

        Shell.RunChecked("chmod", "755", _homes.Path);
        Shell.RunChecked("chown", "54321:54321", _homes["plain"]);
        _server = await SshServer.StartAsync(Stop, $"m1:x:0:0::{_homes["m1"]}:/bin/sh", $"m2:x:0:0::{_homes["m2"]}:/bin/bash", $"plain:x:54321:54321::{_homes["plain"]}:/bin/sh");
        PointTo(_server);
        _obengine.Variables["OBENGINE_SSH"] = $"ssh -F {_obengine.Folder["client"]}";
        _obengine.Variables["MSONLINEBACKUP_STATE"] = _obengine.Folder["state"];
    }

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        _obengine.Dispose();
        _homes.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task It_is_put_there_backs_up_without_a_NET_is_updated_and_goes_back()
    {
        await FailsAsync("VaultHostUntrusted", "ED25519 " + _server.FingerprintOf("host"), "install", "m1");
        IReadOnlyList<JsonElement> agents = await SoundAsync("install", "m1", "m2", "plain", "--host-key", _server.FingerprintOf("host"));
        Assert.All(agents, agent => Assert.Equal("Current", agent.GetProperty("state").GetString()));
        string version = agents[0].GetProperty("version").GetString()!;
        Assert.Equal(version, OnMachine("plain", $"HOME=/nowhere {_homes["plain"]}/.local/bin/obengine --version"));

        // The system's own .NET is hidden from it.
        Assert.Contains("identical", OnMachine("m1", $"unshare -m sh -c 'for d in /usr/share/dotnet /usr/lib/dotnet; do [ ! -d $d ] || mount -t tmpfs tmpfs $d; done; exec {_homes["m1"]}/.local/bin/obengine drill /etc/hostname'"), StringComparison.Ordinal);
        Assert.Equal("54321", OnMachine("plain", $"stat -c %u {Place}/obengine"));
        await BacksUpToAsync("plain");

        // Another build of the same version, which is what a new .NET makes, too.
        string first = OnMachine("m1", $"readlink {Place}/obengine");
        UseOther();
        Assert.Equal("Current", Assert.Single(await SoundAsync("update", "m1")).GetProperty("state").GetString());
        string second = OnMachine("m1", $"readlink {Place}/obengine");
        Assert.NotEqual(first, second);
        UseOther();
        await SoundAsync("update", "--all");
        Assert.Equal("2", OnMachine("m1", $"ls {Place}/versions | wc -l"));
        Assert.Equal(version, Assert.Single(await SoundAsync("rollback", "m1")).GetProperty("previousVersion").GetString());
        Assert.Equal(second, OnMachine("m1", $"readlink {Place}/obengine"));
        Assert.Equal(version, OnMachine("m1", ".local/bin/obengine --version"));

        await SoundAsync("remove", "m1", "m2", "plain");
        Assert.Equal("0", OnMachine("m1", "find .local -name '*obengine*' | wc -l"));
        Assert.Empty(await SoundAsync("list"));
    }

    [Fact]
    public async Task Whoever_is_killed_leaves_a_version_that_answers()
    {
        await SoundAsync("install", "m1", "--accept-new");
        var chance = new Random(Campaign.FirstSeed(usual: 22));
        for (int round = 0; round < Campaign.Rounds(usual: 2, full: 50); round++)
        {
            UseOther();
            using Process process = _obengine.Start(["agent", "update", "m1", "--json"]);
            await Task.Delay(chance.Next(500, 6000), Stop);
            if (round % 2 == 0)
            {
                process.Kill();
            }
            else
            {
                // The sh that works on the machine.
                Shell.Run("pkill", "-KILL", "-f", "obengine-agent-[0-9a-f]{16}");
            }

            await Obengine.FinishAsync(process);
            Assert.Matches("^[0-9]+\\.", OnMachine("m1", ".local/bin/obengine --version"));
        }

        UseOther();
        await SoundAsync("update", "m1");
        Assert.Equal("2", OnMachine("m1", $"ls {Place}/versions | wc -l"));
        Assert.Equal("obengine versions", OnMachine("m1", $"ls -A {Place} | tr '\\n' ' '").Trim());
    }

    [Fact]
    public async Task A_disk_without_room_is_told_of_and_the_version_before_stays()
    {
        // sshd is in a mount namespace of its own, and so is what is mounted here.
        OnMachine("m1", "mount -t tmpfs -o size=60m tmpfs $HOME");
        await FailsAsync("AgentNoSpace", "bytes are free", "install", "m1", "--accept-new");
        Assert.Equal("0", OnMachine("m1", "ls -A $HOME | wc -l"));

        // There is room for the bytes, and none for so many files.
        OnMachine("m1", "cd / && umount $HOME && mount -t tmpfs -o size=600m,nr_inodes=400 tmpfs $HOME");
        await SoundAsync("install", "m1");
        UseOther();
        await FailsAsync("AgentNoSpace", "There is no room", "update", "m1");
        Assert.Matches("^[0-9]+\\.", OnMachine("m1", ".local/bin/obengine --version"));
        Assert.Equal("1", OnMachine("m1", $"ls {Place}/versions | wc -l"));
        Assert.Equal("obengine versions", OnMachine("m1", $"ls -A {Place} | tr '\\n' ' '").Trim());
    }

    [Fact]
    public async Task Another_host_in_its_place_is_refused_with_both_fingerprints()
    {
        await SoundAsync("install", "m1", "--accept-new");
        using SshServer other = await SshServer.StartAsync(Stop, $"m1:x:0:0::{_homes["m1"]}:/bin/sh");
        PointTo(other);

        string said = await FailsAsync("VaultHostUntrusted", "pinned", "update", "m1");
        Assert.Contains($"shows the ED25519 key {other.FingerprintOf("host")}", said, StringComparison.Ordinal);
        Assert.Contains($"known is the ED25519 key {_server.FingerprintOf("host")}", said, StringComparison.Ordinal);
        await FailsAsync("VaultHostUntrusted", "", "install", "m1", "--accept-new");
        await SoundAsync("install", "m1", "--host-key", other.FingerprintOf("host"));

        PointTo(other, port: 1);
        Assert.Equal("Pending", Assert.Single(await SoundAsync("update", "m1")).GetProperty("state").GetString());
    }

    private void PointTo(SshServer server, int? port = null) => File.WriteAllText(
        _obengine.Folder["client"],
        string.Concat(_names.Select(machine => $"Host {machine}\n  HostName 127.0.0.1\n  Port {port ?? server.Port}\n  User {machine}\n"))
        + $"Host *\n  IdentityFile {server.UserKey}\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n");

    // This program from another folder, with something that tells it apart from all before.
    private void UseOther()
    {
        string folder = _obengine.Folder["program"];
        if (!Directory.Exists(folder))
        {
            Shell.RunChecked("cp", "-a", Path.GetDirectoryName(Obengine.BuiltProgram)!, folder);
        }

        _obengine.Program = Path.Combine(folder, "obengine.dll");
        File.AppendAllText(Path.Combine(folder, "prices.json"), "\n");
    }

    private async Task BacksUpToAsync(string machine)
    {
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = ".local/bin/obengine";
        _obengine.Vault = $"ssh://{machine}/~/vault";
        new SourceTreeBuilder(_obengine.Source).Describe("f a 10\nf folder/b 300K");
        await _obengine.CreateVaultAsync(_obengine.Folder["owner"]);
        Run run = await _obengine.OnVaultAsync("backup", "--machine", "ALPHA", _obengine.Source);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.True(Directory.Exists(_homes["plain/vault/stores"]));
    }

    private string OnMachine(string machine, string command) =>
        Shell.RunChecked("ssh", "-F", _obengine.Folder["client"], "-T", "-o", "BatchMode=yes", machine, command).Trim();

    private async Task<IReadOnlyList<JsonElement>> SoundAsync(string command, params string[] arguments)
    {
        Run run = await _obengine.RunAsync(["agent", command, "--json", .. arguments]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return [.. run.Lines().Where(line => line.GetProperty("type").GetString() == "agent")];
    }

    private async Task<string> FailsAsync(string id, string message, string command, params string[] arguments)
    {
        Run run = await _obengine.RunAsync(["agent", command, "--json", .. arguments]);
        Assert.True(run.ExitCode == 1, run.ToString());
        JsonElement agent = run.Lines().Single(line => line.GetProperty("type").GetString() == "agent");
        Assert.True(agent.GetProperty("error").GetString() == id, run.ToString());
        string reason = agent.GetProperty("reason").GetString()!;
        Assert.Contains(message, reason, StringComparison.Ordinal);
        return reason;
    }
}
