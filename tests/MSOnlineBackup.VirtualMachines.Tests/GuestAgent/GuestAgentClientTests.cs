using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Qmp;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.GuestAgent;

/// <summary>The client of guest agents, with the real agent on this machine: nothing is frozen by it.</summary>
public sealed class GuestAgentClientTests
{
    private const string Program = "/usr/sbin/qemu-ga";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_speaks_with_the_real_agent()
    {
        Assert.SkipUnless(File.Exists(Program), "Needs qemu-guest-agent.");
        using var folder = new TempFolder();
        using Process agent = Process.Start(Program, ["--method=unix-listen", $"--path={folder["agent"]}", $"--statedir={folder.Path}", $"--pidfile={folder["pid"]}", "--block-rpcs=guest-fsfreeze-freeze"]);
        try
        {
            while (!File.Exists(folder["agent"]))
            {
                await Task.Delay(5, Stop);
            }

            await using GuestAgentClient client = await GuestAgentClient.ConnectAsync(folder["agent"], _patience, TimeProvider.System, Stop);
            await client.SyncAsync(_patience, Stop);
            await client.ExecuteAsync("guest-ping", _patience, Stop);
            JsonElement info = await client.ExecuteAsync("guest-info", _patience, Stop);
            Assert.NotNull(info.Text("version"));
            Assert.Contains(info.Member("supported_commands").Elements(), command => command.Text("name") == "guest-fsfreeze-thaw");
            Assert.Equal("thawed", (await client.ExecuteAsync("guest-fsfreeze-status", _patience, Stop)).GetString());
            GuestAgentException refused = await Assert.ThrowsAsync<GuestAgentException>(() => client.ExecuteAsync("guest-fsfreeze-freeze", _patience, Stop));
            Assert.Contains("guest-fsfreeze-freeze", refused.Message, StringComparison.Ordinal);
            await client.SyncAsync(_patience, Stop);
        }
        finally
        {
            agent.Kill();
        }
    }

    [Fact]
    public async Task Who_is_silent_is_not_waited_for()
    {
        await using var agent = new GuestAgentDouble { IsSilent = true };
        await using GuestAgentClient client = await GuestAgentClient.ConnectAsync(agent.Socket, _patience, TimeProvider.System, Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => client.SyncAsync(TimeSpan.FromMilliseconds(50), Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
        Assert.Contains("guest-sync-delimited", error.Message, StringComparison.Ordinal);
    }
}
