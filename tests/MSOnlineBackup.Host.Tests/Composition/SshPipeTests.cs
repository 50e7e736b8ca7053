using MSOnlineBackup.Composition.Ssh;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;

namespace MSOnlineBackup.Host.Tests.Composition;

/// <summary>A vault over a script that stands for ssh and fails in one of its ways: each is told for what it is, and nobody waits for ever.</summary>
public sealed class SshPipeTests : IDisposable
{
    // OBSTORE, version 1 to 1; that the vault is open; after the client's greeting, its opening and the beginning of an upload: room for it.
    private const string Server =
        """printf 'OBSTORE\n\001\000\001\000\000\000\000\000\002\000\000\000\000'; head -c 49 > /dev/null; printf '\000\000\000\000\005\001\000\000\000'""";

    private readonly TempFolder _folder = new();

    public static TheoryData<string, BackupErrorId, bool, string> Ends => new()
    {
        { "echo 'ssh: connect to host h port 22: Connection refused' >&2; exit 255", BackupErrorId.VaultUnreachable, true, "Connection refused" },
        { "exit 255", BackupErrorId.VaultUnreachable, true, "'h' cannot be reached" },
        { "exit 0", BackupErrorId.VaultProgramUnusable, false, "ended with 0 before it had the vault" },
        { "cat > /dev/null & exit 0", BackupErrorId.VaultProgramUnusable, false, "ended with 0 before it had the vault" },
        { "kill -9 $$", BackupErrorId.VaultProgramUnusable, false, "ended with 137" },
        { "echo 'Welcome to the machine'; exec cat > /dev/null", BackupErrorId.VaultProgramUnusable, false, "it began with 'Welcome to t'" },
        { "head -c 1000000 /dev/zero; exec cat > /dev/null", BackupErrorId.VaultProgramUnusable, false, "it began with '............'" },
        { "printf 'hello'; exit 255", BackupErrorId.VaultProgramUnusable, false, "it began with 'hello'" },
        { "printf 'OBSTORE'; exit 0", BackupErrorId.VaultProgramUnusable, false, "ended with 0 before it had the vault" },
        { "echo 'bash: obengine: command not found' >&2; exit 127", BackupErrorId.VaultProgramUnusable, false, "there is no obengine" },
        { """printf 'OBSTORE\n\002\000\003\000'; exec cat > /dev/null""", BackupErrorId.VaultProgramUnusable, false, "speaks version 2 to 3 of the protocol" },
        { "echo 'root@h: Permission denied (publickey).' >&2; exit 255", BackupErrorId.VaultAccessDenied, false, "Permission denied (publickey)" },
        { "echo 'Host key verification failed.' >&2; exit 255", BackupErrorId.VaultHostUntrusted, false, "does not know the host key" },
        { Server + "; head -c 100000 > /dev/null; kill -9 $$", BackupErrorId.VaultUnreachable, true, "was cut" },
        { Server + "; head -c 100000 > /dev/null; echo 'Timeout, server h not responding.' >&2; exit 255", BackupErrorId.VaultUnreachable, true, "Timeout, server h not responding" },
        { Server + "; printf 'garbage that is no frame of any kind'; exec cat > /dev/null", BackupErrorId.VaultProgramUnusable, false, "something else writes to it" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Each_end_is_told_for_what_it_is(string script, BackupErrorId expected, bool isTransient, string message)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script stands for ssh.");
        using PipedVaultStore store = StoreOver(Stand(script));

        BackupException told = await UploadAsync(store);

        Assert.Equal((expected, isTransient), (told.Id, told.IsTransient));
        Assert.Contains(message, told.Message, StringComparison.Ordinal);
        Assert.Null(told.InnerException as AggregateException);
    }

    [Theory]
    [InlineData("there-is-no-such-program-as-this")]
    [InlineData("/there/is/no/such/ssh -F file")]
    public async Task A_missing_program_is_named(string program)
    {
        using PipedVaultStore store = StoreOver(program);

        BackupException told = await UploadAsync(store);

        Assert.Equal((BackupErrorId.VaultProgramUnusable, false), (told.Id, told.IsTransient));
        Assert.Contains("cannot be started", told.Message, StringComparison.Ordinal);
        Assert.Contains(program.Split(' ')[0], told.Message, StringComparison.Ordinal);
        Assert.Contains("OBENGINE_SSH", told.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_changed_host_key_both_fingerprints_are_told()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script stands for ssh.");
        string known = _folder["known hosts"];
        await File.WriteAllTextAsync(
            known,
            "# those that we know\n[127.0.0.1]:34751 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtrj1X0wYYqfYX4eKM3tT9VrNtJxrl+QuP1OPUu82dU root@host\n",
            TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["words"], Words(known), TestContext.Current.CancellationToken);
        using PipedVaultStore store = StoreOver(Stand($"cat '{_folder["words"]}' >&2; exit 255"));

        BackupException told = await UploadAsync(store);

        Assert.Equal(BackupErrorId.VaultHostUntrusted, told.Id);
        Assert.Contains("ED25519 key SHA256:KNtFKQ+p8T6VqtLvoZcK46YAzs6Dl0ZT6iDFyJuZ8jc", told.Message, StringComparison.Ordinal);
        Assert.Contains("known is the ED25519 key SHA256:G0ui8xV60yff+x4nYXBSKcbnOQmHi0svh4BLZbbYfPU", told.Message, StringComparison.Ordinal);
        Assert.Contains($"({known}, line 2)", told.Message, StringComparison.Ordinal);
        Assert.Contains($"""ssh-keygen -f "{known}" -R "[127.0.0.1]:34751",""", told.RecommendedAction, StringComparison.Ordinal);
    }

    private static async Task<BackupException> UploadAsync(PipedVaultStore store) =>
        await Assert.ThrowsAsync<BackupException>(async () => await store.TryCreateAsync("packs/1", new byte[1 << 20], TestContext.Current.CancellationToken));

    private static PipedVaultStore StoreOver(string program)
    {
        var place = SshLocation.Parse("ssh://h/srv/vault");
        return new PipedVaultStore(place.Location, _ => Task.FromResult<VaultPipe>(SshPipe.Start(place, program, "obengine")));
    }

    // As OpenSSH 9.2 wrote them.
    private static string Words(string known) => $"""
        @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
        @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
        @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
        IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
        Someone could be eavesdropping on you right now (man-in-the-middle attack)!
        It is also possible that a host key has just been changed.
        The fingerprint for the ED25519 key sent by the remote host is
        SHA256:KNtFKQ+p8T6VqtLvoZcK46YAzs6Dl0ZT6iDFyJuZ8jc.
        Please contact your system administrator.
        Add correct host key in {known} to get rid of this message.
        Offending ED25519 key in {known}:2
          remove with:
          ssh-keygen -f "{known}" -R "[127.0.0.1]:34751"
        Host key for [127.0.0.1]:34751 has changed and you have requested strict checking.
        Host key verification failed.

        """;

    private string Stand(string script)
    {
        string ssh = _folder["ssh"];
        File.WriteAllText(ssh, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(ssh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return ssh;
    }
}
