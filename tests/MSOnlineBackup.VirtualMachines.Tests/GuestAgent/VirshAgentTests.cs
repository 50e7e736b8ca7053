using System.Diagnostics;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.GuestAgent;

/// <summary>The child that holds a guest under libvirt still, by the program itself, over a virsh that answers as libvirt 9.0 does.</summary>
public sealed class VirshAgentTests : IDisposable
{
    private const string Answers = """
        #!/bin/sh
        cd "$(dirname "$0")"
        for last; do :; done
        echo "$*" >> calls
        case $last in
        *guest-ping*) [ ! -e away ] || { echo 'error: Guest agent is not responding: QEMU guest agent is not connected' >&2; exit 1; }; echo '{"return":{}}' ;;
        *guest-get-osinfo*) echo 'error: internal error: unable to execute QEMU agent command '"'guest-get-osinfo'"': The command guest-get-osinfo has not been found' >&2; exit 1 ;;
        *fsfreeze-freeze*) touch frozen; echo '{"return":2}' ;;
        *fsfreeze-thaw*) rm -f frozen; echo '{"return":2}' ;;
        *fsfreeze-status*) if [ -e frozen ]; then echo '{"return":"frozen"}'; else echo '{"return":"thawed"}'; fi ;;
        *) exit 9 ;;
        esac
        """;

    private readonly TempFolder _folder = new();

    public VirshAgentTests()
    {
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText(_folder["virsh"], Answers);
            File.SetUnixFileMode(_folder["virsh"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Address => VirshAgent.AddressOf("qemu:///system", "0c214241-042c-4c05-a24c-0d717cd825b9");

    private bool IsFrozen => File.Exists(_folder["frozen"]);

    private string Path => $"PATH={_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_holds_the_guest_until_it_is_let_go()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a shell.");
        await using (IGuestFreeze freeze = await new FreezeChild(["env", Path, "dotnet", Obengine.BuiltProgram, "serve", "thaw"], TimeProvider.System).FreezeAsync(Address, new FreezeLimits(), Stop))
        {
            Assert.True(IsFrozen);
            Assert.Equal(2, freeze.FileSystems);
            Assert.False(freeze.IsWindows);
            Assert.True(await freeze.ThawAsync());
            Assert.False(IsFrozen);
        }

        Assert.Contains("-q -c qemu:///system qemu-agent-command 0c214241-042c-4c05-a24c-0d717cd825b9 --timeout 60 --cmd {\"execute\":\"guest-fsfreeze-freeze\"}", await File.ReadAllLinesAsync(_folder["calls"], Stop));
    }

    [Fact]
    public async Task It_lets_go_where_whoever_started_it_is_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a shell.");
        string owner = $"echo $$ > '{_folder["pid"]}'; exec sleep 1000";
        using Process both = Process.Start("bash", ["-c", $"bash -c '{owner.Replace("'", "'\\''", StringComparison.Ordinal)}' | env '{Path}' dotnet '{Obengine.BuiltProgram}' serve thaw '{Address}' > /dev/null"]);
        while (!IsFrozen)
        {
            await Task.Delay(10, Stop);
        }

        Shell.RunChecked("kill", "-KILL", (await File.ReadAllTextAsync(_folder["pid"], Stop)).Trim());
        await both.WaitForExitAsync(Stop);

        Assert.Equal(0, both.ExitCode);
        Assert.False(IsFrozen);
    }

    [Fact]
    public async Task An_agent_that_is_not_there_is_told_with_libvirts_reason()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a shell.");
        await File.WriteAllTextAsync(_folder["away"], "", Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(
            () => new FreezeChild(["env", Path, "dotnet", Obengine.BuiltProgram, "serve", "thaw"], TimeProvider.System).FreezeAsync(Address, new FreezeLimits(), Stop));

        Assert.Equal(BackupErrorId.GuestNotFrozen, error.Id);
        Assert.Contains("QEMU guest agent is not connected", error.Message, StringComparison.Ordinal);
    }
}
