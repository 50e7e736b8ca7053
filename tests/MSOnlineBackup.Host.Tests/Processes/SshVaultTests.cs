using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary><c>--vault ssh://…</c>, where a script stands for ssh: it runs here what was to be run there. A real sshd is a campaign's (Networks/SshVaultTests).</summary>
public sealed class SshVaultTests : IDisposable
{
    private readonly Obengine _obengine = new();

    private string Folder => _obengine.Folder["vault"];

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task A_backup_into_a_vault_of_another_machine_is_restored()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script stands for ssh.");
        await FolderVault.CreateAsync(Folder);
        Stand("for last; do :; done; exec sh -c \"$last\"");
        await File.WriteAllTextAsync(Path.Combine(_obengine.Source, "file"), "content", TestContext.Current.CancellationToken);

        Run backup = await _obengine.OnVaultAsync("backup", "--machine", "ALPHA", _obengine.Source);
        Run restore = await _obengine.OnVaultAsync("restore", "latest", "--to", _obengine.Folder["restored"]);

        Assert.True(backup.ExitCode == 0, backup.ToString());
        Assert.True(restore.ExitCode == 0, restore.ToString());
        Assert.Equal("content", await File.ReadAllTextAsync(_obengine.Folder["restored"] + _obengine.Source + "/file", TestContext.Current.CancellationToken));
        Assert.Equal(1, Obengine.CountOf(Folder, "points"));
    }

    [Fact]
    public async Task What_ssh_says_is_passed_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script stands for ssh.");
        Stand("echo 'root@host: Permission denied (publickey).' >&2; exit 255");

        Run run = await _obengine.OnVaultAsync("verify");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Permission denied (publickey)", run.Error, StringComparison.Ordinal);
        Assert.Contains("VaultAccessDenied", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serving_a_store_says_over_what()
    {
        Run run = await _obengine.RunAsync(["serve", "store", "--vault", Folder]);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("--stdio", run.Error, StringComparison.Ordinal);
    }

    private void Stand(string script)
    {
        string ssh = _obengine.Folder["ssh"];
        File.WriteAllText(ssh, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(ssh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _obengine.Variables["OBENGINE_SSH"] = ssh;
        _obengine.Variables["OBENGINE_SSH_REMOTE"] = $"dotnet {Obengine.BuiltProgram}";
        _obengine.Vault = $"ssh://host{Folder}";
    }
}
