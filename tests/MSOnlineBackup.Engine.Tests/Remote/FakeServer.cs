using System.Net.Sockets;
using System.Text;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Remote;

/// <summary>A server whose machines are agents within this process, or what a test puts in their place, at the other end of a connection.</summary>
internal sealed class FakeServer : IRemoteShell, IDisposable
{
    private readonly TempFolder _folder = new();

    private FakeServer()
    {
    }

    public string Source => _folder["source"];

    public FolderVault Vault { get; private set; } = null!;

    /// <summary>What a machine has.</summary>
    public RemoteLimits Limits { get; set; } = new(64 << 20, 16 << 20, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

    /// <summary>What runs on the machine: the agent, unless given.</summary>
    public Func<Stream, CancellationToken, Task> Machine { get; set; } = RunAgentAsync;

    /// <summary>What a login says before it.</summary>
    public string Greeting { get; set; } = "";

    /// <summary>How the command ends where it did not say so itself.</summary>
    public RemoteCommandEnd End { get; set; } = new(137, "Killed");

    /// <summary>Around what the server receives and sends.</summary>
    public Func<Stream, Stream> Around { get; set; } = stream => stream;

    /// <summary>What the last machine did.</summary>
    public Task Ran { get; private set; } = Task.CompletedTask;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<FakeServer> CreateAsync(string tree = "f a 10\nf folder/b 300K\nd empty\nf folder/large 9M")
    {
        var server = new FakeServer();
        new SourceTreeBuilder(server.Source).Describe(tree);
        server.Vault = await FolderVault.CreateAsync(server._folder["vault"]);
        var records = new RemoteAgentRecords(server.State);
        foreach (string host in new[] { "web1", "web2" })
        {
            records.Pin(host, new HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIOtrj1X0wYYqfYX4eKM3tT9VrNtJxrl+QuP1OPUu82dU"));
            records.Write(new RemoteAgent { Machine = Of(host), State = RemoteAgentState.Current });
        }

        return server;
    }

    private StateFolder State => new(_folder["state"]);

    public static RemoteMachine Of(string host) => new() { HostName = host };

    public RemoteBackupOrder Order => new() { MachineName = "web1", Sources = [Source] };

    public RemoteBackups Backups => new(State, this, TimeProvider.System);

    /// <summary>Has a machine back up.</summary>
    public async Task<RemoteBackupOutcome> BackUpAsync(RemoteBackupOrder? order = null, string host = "web1", IProgress<RemoteBackupProgress>? progress = null, CancellationToken? stop = null)
    {
        using UnlockedVault vault = await Vault.OpenAsync();
        var backup = new RemoteBackup(Of(host), order ?? Order, vault, new RemoteAgentRecords(State), this, TimeProvider.System, Limits);
        return await backup.RunAsync(progress, stop ?? Cancel);
    }

    /// <summary>Has it back up, and it must have a point.</summary>
    public async Task<RemoteBackupOutcome> SucceedAsync(RemoteBackupOrder? order = null)
    {
        RemoteBackupOutcome outcome = await BackUpAsync(order);
        Assert.True(outcome.Failure is null, $"{outcome.Failure}");
        Assert.NotNull(outcome.Point);
        return outcome;
    }

    /// <summary>Has it back up, which must fail.</summary>
    public async Task<BackupException> FailAsync(BackupErrorId id, string message, RemoteBackupOrder? order = null)
    {
        RemoteBackupOutcome outcome = await BackUpAsync(order);
        Assert.Null(outcome.Point);
        Assert.True(outcome.Failure?.Id == id, $"{outcome.Failure}");
        Assert.Contains(message, outcome.Failure!.Message, StringComparison.Ordinal);
        return outcome.Failure;
    }

    /// <summary>Restores a point, and compares it with the source.</summary>
    public async Task RestoresAsync(RecoveryPoint point)
    {
        using var target = new TempFolder();
        await Vault.RestoreAsync(point, target["restored"]);
        Assert.Empty(TreeComparer.Compare(Source, target["restored"] + Source));
        Assert.Empty(await Vault.VerifyAsync());
    }

    /// <summary>The agent of a machine, as its program runs it.</summary>
    public static async Task RunAgentAsync(Stream line, CancellationToken stop) => await RemoteBackupRun.RunAsync(
        line, line, new VaultOptions { Workers = 2, TimeProvider = new LateClock() }, (_, _, _) => Task.FromResult<IDisposable?>(null), stop);

    public Task<HostKey> FindHostKeyAsync(RemoteMachine machine, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<RemoteWords> RunAsync(
        RemoteMachine machine, string knownHosts, string command, IAsyncEnumerable<ReadOnlyMemory<byte>>? content, TimeSpan patience, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async Task<RemoteCommand> StartAsync(RemoteMachine machine, string knownHosts, string command, CancellationToken cancellationToken)
    {
        (NetworkStream near, NetworkStream far) = await LoopbackPipe.ConnectAsync(cancellationToken);
        string mark = command.Split('\'')[^2];
        Ran = Task.Run(async () =>
        {
            await using (far)
            {
                await far.WriteAsync(Encoding.UTF8.GetBytes($"{Greeting}\n{mark}\n"), CancellationToken.None);
                await Machine(far, CancellationToken.None);
            }
        }, CancellationToken.None);
        return new Command(Around(near), End);
    }

    public void Dispose() => _folder.Dispose();

    // Nothing that a test has just written is so fresh that the next backup reads it again.
    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromHours(1);
    }

    private sealed class Command(Stream line, RemoteCommandEnd end) : RemoteCommand
    {
        public override Stream Incoming => line;

        public override Stream Outgoing => line;

        public override Task<RemoteCommandEnd> EndAsync() => Task.FromResult(end);

        protected override void Dispose(bool disposing) => line.Dispose();
    }
}
