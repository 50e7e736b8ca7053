using MSOnlineBackup.Composition.Ssh;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests.Composition;

public sealed class SshLocationTests
{
    private static readonly BackupException _end = new(BackupErrorId.VaultUnreachable, "It was cut.", "Again.", transient: true);

    [Theory]
    [InlineData("ssh://host/srv/vault", "-- host obengine serve store --stdio --vault /srv/vault")]
    [InlineData("ssh://anna@host:2222/srv/vault", "-p 2222 -- anna@host obengine serve store --stdio --vault /srv/vault")]
    [InlineData("ssh://host/~/backups/vault", "-- host obengine serve store --stdio --vault backups/vault")]
    [InlineData("ssh://host/srv/it's $HOME", "-- host obengine serve store --stdio --vault '/srv/it'\\''s $HOME'")]
    [InlineData("ssh://anna@[2001:db8::1]:22/v", "-p 22 -- anna@2001:db8::1 obengine serve store --stdio --vault /v")]
    [InlineData("SSH://host/v", "-- host obengine serve store --stdio --vault /v")]
    public void A_location_becomes_the_arguments_of_ssh(string location, string expected) =>
        Assert.EndsWith(" " + expected, string.Join(' ', SshLocation.Parse(location).Arguments("obengine")), StringComparison.Ordinal);

    [Theory]
    [InlineData("ssh://")]
    [InlineData("ssh://host")]
    [InlineData("ssh://host/")]
    [InlineData("ssh://host/~/")]
    [InlineData("ssh:///srv/vault")]
    [InlineData("ssh://-oProxyCommand=x/srv")]
    [InlineData("ssh://anna@-oProxyCommand=x/srv")]
    [InlineData("ssh://host;id/srv")]
    [InlineData("ssh://host:0/srv")]
    [InlineData("ssh://host:x/srv")]
    [InlineData("ssh://host/~/-rf")]
    [InlineData("ssh://host/srv\nid")]
    public void What_is_no_location_is_refused(string location) =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => SshLocation.Parse(location)).Id);

    [Theory]
    [InlineData(255, false, "@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", BackupErrorId.VaultHostUntrusted, false)]
    [InlineData(255, false, "No ED25519 host key is known for host.\nHost key verification failed.", BackupErrorId.VaultHostUntrusted, false)]
    [InlineData(255, false, "anna@host: Permission denied (publickey).", BackupErrorId.VaultAccessDenied, false)]
    [InlineData(255, false, "ssh: Could not resolve hostname host: Name or service not known", BackupErrorId.VaultUnreachable, true)]
    [InlineData(255, true, "Timeout, server host not responding.", BackupErrorId.VaultUnreachable, true)]
    [InlineData(127, false, "bash: obengine: command not found", BackupErrorId.VaultProgramUnusable, false)]
    [InlineData(1, false, "'obengine' is not recognized as an internal or external command", BackupErrorId.VaultProgramUnusable, false)]
    [InlineData(2, false, "'store' is not a command", BackupErrorId.VaultProgramUnusable, false)]
    [InlineData(1, true, "", BackupErrorId.VaultUnreachable, true)]
    public void The_end_of_ssh_is_explained_in_its_own_words(int exitCode, bool wasOpen, string words, BackupErrorId expected, bool isTransient)
    {
        BackupException told = SshEnds.Explain(SshLocation.Parse("ssh://anna@host/v"), _end, wasOpen, exitCode, words);

        Assert.Equal((expected, isTransient), (told.Id, told.IsTransient));
        Assert.True(words.Length == 0 || told.Message.Contains(words.Split('\n')[^1].TrimEnd('.'), StringComparison.Ordinal), told.Message);
    }
}
