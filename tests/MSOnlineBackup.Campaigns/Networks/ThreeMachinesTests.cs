using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Networks;

/// <summary>
/// Three machines, each with an sshd, a host key, a home and files of its own; a server that has them back up to its disk, and copies that to a cloud. Whatever is cut, killed or
/// lost, what was made stays whole, and the next run goes on.
/// </summary>
public sealed class ThreeMachinesTests : IAsyncLifetime
{
    private static readonly string[] _names = ["m1", "m2", "m3"];

    private readonly Obengine _obengine = new();
    private readonly TempFolder _homes = new();
    private readonly Dictionary<string, SshServer> _servers = [];
    private FaultProxy _line = null!;
    private string _cloud = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // On each machine something else is mounted there.
    private string Files => _homes["files"];

    private string Pool => _obengine.Vault;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux: each machine has mounts of its own.");
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        Directory.CreateDirectory(Files);
        foreach (string machine in _names)
        {
            new SourceTreeBuilder(FilesOf(machine)).Describe("f a 10\nf folder/b 300K").File("own", 30 << 20, seed: machine[1]);
            Directory.CreateDirectory(_homes[machine]);
            _servers[machine] = await SshServer.StartAsync(Stop, $"{machine}:x:0:0::{_homes[machine]}:/bin/sh");
        }

        WriteClient();
        foreach (string machine in _names)
        {
            Shell.RunChecked("ssh", "-F", _obengine.Folder["client"], "-T", "-o", "BatchMode=yes", machine, $"mount --bind '{FilesOf(machine)}' {Files}");
        }

        string container = AzuriteServer.Shared.NewContainer();
        _line = new FaultProxy(new Uri(AzuriteServer.Shared.Url));
        string account = _line.Url.ToString().TrimEnd('/');
        _cloud = $"{account}/{container[(container.LastIndexOf('/') + 1)..]}";
        _obengine.Variables["AZURE_STORAGE_CONNECTION_STRING"] = AzuriteServer.Shared.ConnectionString.Replace(AzuriteServer.Shared.Url, account, StringComparison.Ordinal);
        _obengine.Variables["OBENGINE_SSH"] = $"ssh -F {_obengine.Folder["client"]}";
        _obengine.Variables["MSONLINEBACKUP_STATE"] = _obengine.Folder["state"];
        await _obengine.CreateVaultAsync();
        await SoundAsync("vault", "create", _cloud, "--twin-of", Pool);
        await SoundAsync(["agent", "install", .. _names, "--accept-new"]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SshServer server in _servers.Values)
        {
            server.Dispose();
        }

        if (_line is not null)
        {
            await _line.DisposeAsync();
        }

        _obengine.Dispose();
        _homes.Dispose();
    }

    [Fact]
    public async Task Disk_and_cloud_have_all_whatever_is_cut_and_whoever_is_killed()
    {
        Assert.All(await BackUpAsync(0), machine => Assert.Equal("", Error(machine)));
        Assert.Equal(3, Number(await CopyAsync(), "pointsCopied"));

        // The cloud is away, and so is a machine.
        _line.Decide = _ => new NetworkFault.Reset(Direction.Request, 0);
        WriteClient(away: "m3");
        Change(1);
        Assert.Equal(["", "", "AgentUnreachable"], (await BackUpAsync(1)).Select(Error));
        using (Process copy = StartCopy())
        {
            await RestoresAsync(Pool, "m1", "m2");
            Assert.False(copy.HasExited, "the copy has ended without its cloud");
            _line.Decide = _ => null;
            Run run = await Obengine.FinishAsync(copy);
            Assert.True(run.ExitCode == 0, run.ToString());
        }

        WriteClient();
        await RestoresAsync(_cloud, "m1", "m2");

        var chance = new Random(Campaign.FirstSeed(usual: 15));
        for (int round = 0; round < Campaign.Rounds(usual: 3, full: 150); round++)
        {
            Change(2 + round);
            await KillAsync(round % 3, chance);
        }

        Assert.All(await BackUpAsync(0), machine => Assert.Equal("", Error(machine)));
        await CopyAsync();
        foreach (string place in new[] { Pool, _cloud })
        {
            await SoundAsync("verify", "--read-data", "--vault", place, "--passphrase-file", _obengine.PassphraseFile);
            await RestoresAsync(place, _names);
        }
    }

    [Fact]
    public async Task A_new_server_finds_all_and_an_emptied_disk_is_filled_from_the_cloud()
    {
        long first = (await BackUpAsync(0)).Sum(machine => Number(machine, "storedBytes"));
        await CopyAsync();

        // Another machine in the server's place: the disk, the passphrase and the login are what it has.
        _obengine.Variables["MSONLINEBACKUP_STATE"] = _obengine.Folder["state of the new server"];
        _obengine.Variables["XDG_CONFIG_HOME"] = _obengine.Folder["configuration of the new server"];
        await SoundAsync(["agent", "install", .. _names, "--accept-new"]);
        Change(1);
        Assert.InRange((await BackUpAsync(0)).Sum(machine => Number(machine, "storedBytes")), 1, first / 50);
        Assert.Equal(6, (await _obengine.JsonAsync("points")).Count(line => line.GetProperty("type").GetString() == "point"));
        await CopyAsync();

        Directory.Delete(Pool, recursive: true);
        await SoundAsync("vault", "create", Pool, "--twin-of", _cloud);
        await SoundAsync("vault", "copy", _cloud, Pool, "--passphrase-file", _obengine.PassphraseFile);
        Change(2);
        Assert.InRange((await BackUpAsync(0)).Sum(machine => Number(machine, "storedBytes")), 1, first / 50);
        await RestoresAsync(Pool, _names);
        Assert.Equal(3, Number(await CopyAsync(), "pointsCopied"));
    }

    // The server in the midst of a backup, the agents, or the copy. Nothing is damaged by it.
    private async Task KillAsync(int victim, Random chance)
    {
        using Process process = victim == 2 ? StartCopy() : _obengine.Start(BackupOf(_names));
        await Task.Delay(chance.Next(500, 4000), Stop);
        if (victim == 1)
        {
            Shell.Run("pkill", "-KILL", "-f", $"{_homes.Path}/.*serve backup");
        }
        else
        {
            process.Kill();
        }

        await Obengine.FinishAsync(process);
        foreach (string place in new[] { Pool, _cloud })
        {
            Run verified = await _obengine.RunAsync(["verify", "--vault", place, "--passphrase-file", _obengine.PassphraseFile]);

            // 3 where it names sessions that came to no point.
            Assert.True(verified.ExitCode is 0 or 3, $"after killing {victim}: {verified}");
            Assert.Contains("no problems found", verified.Output, StringComparison.Ordinal);
        }
    }

    private void Change(int version)
    {
        foreach (string machine in _names)
        {
            new SourceTreeBuilder(FilesOf(machine)).File($"change-{version % 4}", 100_000, seed: version);
        }
    }

    private async Task<IReadOnlyList<JsonElement>> BackUpAsync(int exitCode)
    {
        Run run = await _obengine.RunAsync(BackupOf(_names));
        Assert.True(run.ExitCode == exitCode, run.ToString());
        return [.. run.Lines().Where(line => line.GetProperty("type").GetString() == "remoteBackup").OrderBy(line => line.GetProperty("host").GetString(), StringComparer.Ordinal)];
    }

    private string[] BackupOf(string[] machines) =>
        ["agent", "backup", .. machines, "--vault", Pool, "--passphrase-file", _obengine.PassphraseFile, "--source", Files, "--json"];

    private async Task<JsonElement> CopyAsync() => (await SoundAsync("vault", "copy", Pool, _cloud, "--passphrase-file", _obengine.PassphraseFile))[^1];

    private Process StartCopy() => _obengine.Start(["vault", "copy", Pool, _cloud, "--passphrase-file", _obengine.PassphraseFile, "--json"]);

    private async Task RestoresAsync(string place, params string[] machines)
    {
        foreach (string machine in machines)
        {
            using var target = new TempFolder();
            await SoundAsync("restore", "latest", "--machine", machine, "--vault", place, "--passphrase-file", _obengine.PassphraseFile, "--to", target.Path);
            Assert.Equal("", Shell.Run("diff", "-r", FilesOf(machine), target.Path + Files).Output);
        }
    }

    private async Task<IReadOnlyList<JsonElement>> SoundAsync(params string[] arguments)
    {
        Run run = await _obengine.RunAsync([.. arguments, "--json"]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)}: {run}");
        return run.Lines();
    }

    private string FilesOf(string machine) => _homes[$"files of {machine}"];

    private void WriteClient(string? away = null) => File.WriteAllText(
        _obengine.Folder["client"],
        string.Concat(_names.Select(machine =>
            $"Host {machine}\n  HostName 127.0.0.1\n  Port {(machine == away ? 1 : _servers[machine].Port)}\n  User {machine}\n  IdentityFile {_servers[machine].UserKey}\n"))
        + "Host *\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n");

    private static long Number(JsonElement line, string field) => line.GetProperty(field).GetInt64();

    private static string Error(JsonElement machine) => machine.GetProperty("error").GetString() ?? "";
}
