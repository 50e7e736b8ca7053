using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;

namespace MSOnlineBackup.Campaigns.Networks;

/// <summary><c>--vault ssh://…</c> through ssh and a real sshd: jobs as somebody types them, and what is said where the way is barred.</summary>
public sealed class SshVaultTests : IAsyncLifetime
{
    private readonly Obengine _obengine = new();
    private SshServer _server = null!;
    private int _more;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Folder => _obengine.Folder["vault with 'quotes'"];

    public async ValueTask InitializeAsync()
    {
        _server = await SshServer.StartAsync(Stop);
        _obengine.Variables["OBENGINE_SSH"] = _server.Client;
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = $"dotnet {Obengine.BuiltProgram}";
        _obengine.Vault = SshServer.Location(Folder);
        new SourceTreeBuilder(_obengine.Source).Describe("f a 10\nf folder/b 300K\nf folder/large 40M");
    }

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        _obengine.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_vault_is_made_backed_up_into_restored_from_and_maintained()
    {
        await _obengine.CreateVaultAsync(_obengine.Folder["owner"]);
        Assert.Equal(1, (await _obengine.RunAsync(["vault", "create", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile])).ExitCode);
        await BackUpAsync();
        await File.WriteAllTextAsync(Path.Combine(_obengine.Source, "more"), "more", Stop);
        await BackUpAsync();

        Assert.Equal(0, (await _obengine.OnVaultAsync("verify", "--read-data")).ExitCode);
        Assert.Equal(0, (await _obengine.OnVaultAsync("maintain")).ExitCode);
        await RestoresAsync();
        Assert.DoesNotContain(Obengine.Passphrase, _server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forced_command_for_a_machine_lets_it_back_up_and_restore_and_nothing_else()
    {
        await FolderVault.CreateAsync(Folder);
        _server.Allow($"dotnet {Obengine.BuiltProgram} serve store --stdio --vault \"{Folder}\" --machine ALPHA");
        await BackUpAsync();
        await BackUpAsync();
        await RestoresAsync();

        Run other = await _obengine.OnVaultAsync("backup", _obengine.Source, "--machine", "BETA");
        Run deleted = await _obengine.OnVaultAsync("points", "delete", "--all", "--machine", "ALPHA");

        Assert.Equal(1, other.ExitCode);
        Assert.Contains("VaultAccessDenied", other.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, deleted.ExitCode);
        Assert.Equal(2, Obengine.CountOf(Folder, "points"));
        await DeletesAndNamesNothingAsync();
    }

    [Fact]
    public async Task What_bars_the_way_is_named()
    {
        await FolderVault.CreateAsync(Folder);
        _server.Know("other");
        string told = await FailsAsync("VaultHostUntrusted", "is not the one that ssh knows", "ssh-keygen -f");
        Assert.Contains($"It shows the ED25519 key {_server.FingerprintOf("host")}", told, StringComparison.Ordinal);
        Assert.Contains($"known is the ED25519 key {_server.FingerprintOf("other")}", told, StringComparison.Ordinal);
        _server.Forget();
        await FailsAsync("VaultHostUntrusted", "does not know the host key", "by hand");
        _server.Know("host");
        _server.ComeAs("other");
        await FailsAsync("VaultAccessDenied", "Permission denied", "authorized_keys");
        _server.ComeAs("user");
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = "obengine-that-is-not-there";
        await FailsAsync("VaultProgramUnusable", "there is no obengine", "Install MSOnlineBackup");
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = "echo";
        await FailsAsync("VaultProgramUnusable", "began with", "shell's start files");
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = "printf 'OBSTORE\\n\\002\\000\\003\\000'; cat #";
        await FailsAsync("VaultProgramUnusable", "version 2 to 3", "the same version");
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = $"dotnet {Obengine.BuiltProgram}";
        _obengine.Vault = SshServer.Location(_obengine.Folder["nothing"]);
        await FailsAsync("VaultNotFound", "nothing", "", exitCode: 10);
    }

    [Fact]
    public async Task A_backup_whose_connection_is_cut_goes_on()
    {
        await FolderVault.CreateAsync(Folder);
        using Process process = await HoldAsync();
        Shell.RunChecked("pkill", "-KILL", "-P", $"{process.Id}");
        await GoesOnAsync(process);
    }

    [Fact]
    public async Task A_backup_whose_server_is_killed_goes_on()
    {
        await FolderVault.CreateAsync(Folder);
        for (int round = 0; round < Testing.Campaign.Rounds(usual: 1, full: 50); round++)
        {
            using Process process = await HoldAsync();
            Assert.NotEmpty(KillServers());
            await GoesOnAsync(process);
        }
    }

    [Fact]
    public async Task A_backup_that_is_killed_leaves_no_server_and_nothing_half()
    {
        await FolderVault.CreateAsync(Folder);
        for (int round = 0; round < Testing.Campaign.Rounds(usual: 1, full: 50); round++)
        {
            using Process process = await HoldAsync();
            process.Kill();
            await process.WaitForExitAsync(Stop);
            while (Servers().Count > 0)
            {
                await Task.Delay(20, Stop);
            }

            Run verified = await _obengine.OnVaultAsync("verify", "--read-data");
            Assert.True(verified.ExitCode is 0 or 3, verified.ToString());
        }

        Assert.NotEqual(0, Obengine.CountOf(Folder, "packs"));
        await BackUpAsync();
        await RestoresAsync();
        Assert.Equal(0, (await _obengine.OnVaultAsync("verify", "--read-data")).ExitCode);
    }

    private async Task BackUpAsync()
    {
        Run run = await _obengine.OnVaultAsync("backup", "--machine", "ALPHA", _obengine.Source);
        Assert.True(run.ExitCode == 0, run.ToString());
    }

    private async Task RestoresAsync()
    {
        string target = _obengine.Folder["restored"];
        Run run = await _obengine.OnVaultAsync("restore", "latest", "--to", target);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal("", Shell.Run("diff", "-r", _obengine.Source, target + _obengine.Source).Output);
    }

    // A backup that stands still in its midst, for which there is more to do each time.
    private Task<Process> HoldAsync()
    {
        AddToSource();
        return _obengine.HoldBackupAsync(
            ["backup", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--json", "--machine", "ALPHA", _obengine.Source],
            Folder,
            () =>
            {
                AddToSource();
                return Task.CompletedTask;
            });
    }

    private void AddToSource() => new SourceTreeBuilder(_obengine.Source).Describe($"f more-{_more++} 100M");

    private async Task GoesOnAsync(Process held)
    {
        Shell.RunChecked("kill", "-CONT", $"{held.Id}");
        Run run = await Obengine.FinishAsync(held);

        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(0, (await _obengine.OnVaultAsync("verify", "--read-data")).ExitCode);
    }

    // Those that have the vault's folder as an argument by itself: to ssh it is a part of one.
    private List<int> Servers() =>
    [
        .. Process.GetProcesses().Select(process => process.Id).Where(id => Arguments(id) is var line && line.Contains("store") && line.Contains(Folder)),
    ];

    private List<int> KillServers()
    {
        List<int> servers = Servers();
        servers.ForEach(id => Shell.RunChecked("kill", "-KILL", $"{id}"));
        return servers;
    }

    private static string[] Arguments(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            return [];
        }
    }

    // Whatever this key asks for, the forced command answers.
    private async Task DeletesAndNamesNothingAsync()
    {
        using var peer = new PipedVaultStore(Folder, _ => Task.FromResult<VaultPipe>(new ProcessPipe(_server.Command("true"))));
        List<string> names = await peer.ListAsync("", Stop).Select(found => found.Name).ToListAsync(Stop);
        string point = names.First(name => name.Contains("/points/", StringComparison.Ordinal));
        string other = string.Join('/', point.Split('/')[..^2]) + $"/{new string('7', 32)}/{point.Split('/')[^1]}";
        Assert.All(names, name => Assert.DoesNotContain("..", name, StringComparison.Ordinal));
        foreach (string name in names)
        {
            await DeniedAsync(() => peer.DeleteAsync(name, Stop).AsTask());
        }

        foreach (string name in new[] { other, "settings/00000009", "stranger" })
        {
            await DeniedAsync(() => peer.TryCreateAsync(name, new byte[1], Stop).AsTask());
        }

        Assert.Equal(names, await peer.ListAsync("", Stop).Select(found => found.Name).ToListAsync(Stop));
    }

    private static async Task DeniedAsync(Func<Task> call) => Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(call)).Id);

    private async Task<string> FailsAsync(string id, string message, string action, int exitCode = 1)
    {
        Run run = await _obengine.RunAsync(["verify", "--json", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile]);
        JsonElement error = run.Lines()[^1];
        Assert.True(run.ExitCode == exitCode && error.GetProperty("id").GetString() == id, run.ToString());
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains(action, run.Output, StringComparison.Ordinal);
        return error.GetProperty("message").GetString()!;
    }
}
