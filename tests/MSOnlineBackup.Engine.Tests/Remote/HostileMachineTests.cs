using System.Text;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Remote;

/// <summary>Machines in somebody else's hands, and agents of other versions: what a server takes from them, and what it gives them.</summary>
public sealed class HostileMachineTests : IAsyncLifetime
{
    private FakeServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await FakeServer.CreateAsync("f a 10");

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task It_deletes_nothing_and_writes_under_its_own_name_only()
    {
        BackupResult other = await _server.Vault.BackUpAsync(_server.Source);
        var objects = new FolderVaultStore(_server.Vault.Folder);
        string[] names = await NamesAsync(objects);
        int denied = 0;
        Talk(async store =>
        {
            foreach (string name in names)
            {
                await DeniedAsync(() => store.DeleteAsync(name, Stop).AsTask());
            }

            string foreign = names.First(name => name.Contains("/points/", StringComparison.Ordinal));
            foreach (string name in new[] { foreign[..^1] + (foreign[^1] == '0' ? '1' : '0'), "settings/00000009", $"machines/{foreign.Split('/')[^2]}/00000009", $"stores/{foreign.Split('/')[1]}/sessions/{foreign.Split('/')[^1]}.end" })
            {
                await DeniedAsync(() => store.TryCreateAsync(name, new byte[1], Stop).AsTask());
            }
        });

        await _server.FailAsync(BackupErrorId.RemoteJobLost, "ended before it had told");
        await _server.Ran;
        Assert.Equal(names.Length + 4, denied);
        Assert.Empty(names.Except(await NamesAsync(objects)));
        await _server.RestoresAsync(other.Point);

        async Task DeniedAsync(Func<Task> call)
        {
            Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(call)).Id);
            denied++;
        }
    }

    [Fact]
    public async Task A_point_that_it_only_claims_is_no_success()
    {
        RemoteBackupOutcome first = await _server.SucceedAsync();
        foreach (SessionId claimed in new[] { first.PointId!.Value, SessionId.Parse("0193a000000070008000000000000001") })
        {
            Talk(async store => await store.TellAsync(new RemoteNotice { End = new RemoteEnding { Point = claimed } }.Encode(), Stop));
            await _server.FailAsync(BackupErrorId.RemotePointMissing, $"{claimed}");
            await _server.Ran;
        }

        // A session of its own that came to no point.
        Talk(async store =>
        {
            string name = (await NamesAsync(new FolderVaultStore(_server.Vault.Folder))).First(name => name.Contains("/points/", StringComparison.Ordinal));
            SessionId session = SessionId.Parse("0193a000000070008000000000000002");
            await store.TryCreateAsync($"stores/{name.Split('/')[1]}/sessions/{session}", new byte[100], Stop);
            await store.TellAsync(new RemoteNotice { End = new RemoteEnding { Point = session } }.Encode(), Stop);
        });
        await _server.FailAsync(BackupErrorId.RemotePointMissing, "the vault does not bear that out");
        await _server.Ran;
    }

    [Fact]
    public async Task An_agent_of_another_version_is_given_no_key()
    {
        byte[]? given = null;
        Talk(async store => await Assert.ThrowsAsync<BackupException>(async () => given = await store.AskForOrderAsync(new RemoteHello(2, 3, "9.9").Encode(), Stop)), asks: false);

        BackupException failure = await _server.FailAsync(BackupErrorId.AgentVersionDiffers, "has version 9.9, which takes orders of version 2 to 3");
        Assert.Contains("Update-OBAgent -HostName web1", failure.RecommendedAction, StringComparison.Ordinal);
        await _server.Ran;
        Assert.Null(given);

        // One that has no such command yet, one of another pipe, one that is not there, and no shell.
        _server.Machine = (_, _) => Task.CompletedTask;
        _server.End = new(2, "'backup' is not a command or an argument of 'obengine serve'.");
        await _server.FailAsync(BackupErrorId.AgentVersionDiffers, "is not a command");
        _server.End = new(127, "sh: 1: exec: /home/a/.local/share/obengine/obengine: not found");
        await _server.FailAsync(BackupErrorId.AgentNotInstalled, "there is no agent any more");
        _server.Machine = async (line, _) => await line.WriteAsync("OBSTORE\n\x09\0\x09\0"u8.ToArray(), Stop);
        _server.End = new(0, "");
        await _server.FailAsync(BackupErrorId.AgentVersionDiffers, "speaks version 9 of the protocol");
        _server.Machine = async (line, _) => await line.WriteAsync(new byte[4096], Stop);
        await _server.FailAsync(BackupErrorId.AgentVersionDiffers, "says something else");
    }

    [Fact]
    public async Task What_says_nothing_is_given_up()
    {
        _server.Limits = _server.Limits with { Start = TimeSpan.FromMilliseconds(100) };
        _server.Machine = HangAsync;
        await _server.FailAsync(BackupErrorId.AgentUnreachable, "has told nothing");

        _server.Limits = _server.Limits with { Start = TimeSpan.FromMinutes(1), Silence = TimeSpan.FromMilliseconds(100) };
        Talk(async store =>
        {
            await store.TellAsync(new RemoteNotice().Encode(), Stop);
            await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync("vault.json", 0, new byte[1], await HungAsync()));
        });
        await _server.FailAsync(BackupErrorId.AgentUnreachable, "has told nothing");
    }

    [Fact]
    public async Task What_it_says_is_words_and_nothing_that_a_terminal_obeys()
    {
        Talk(async store =>
        {
            RemoteSaying[] many = [.. Enumerable.Range(0, RemoteNotice.MostSayings).Select(i => new RemoteSaying(RemoteSayingKind.Warning, $"\e[2J{i}\n{new string('x', 5000)}") { Id = "NoSuchId" })];
            for (int i = 0; i < 20; i++)
            {
                await store.TellAsync(new RemoteNotice { Sayings = many }.Encode(), Stop);
            }

            await store.TellAsync(new RemoteNotice { End = new RemoteEnding { Failure = new RemoteSaying(RemoteSayingKind.Warning, "\e]0;x\a") { Id = "VaultFull" } } }.Encode(), Stop);
            await Assert.ThrowsAsync<BackupException>(() => store.TellAsync(new RemoteNotice { Sayings = [.. many, .. many] }.Encode(), Stop));
            await Assert.ThrowsAsync<BackupException>(() => store.TellAsync("{"u8.ToArray(), Stop));
        });

        RemoteBackupOutcome outcome = await _server.BackUpAsync();

        await _server.Ran;
        Assert.Equal(BackupErrorId.VaultFull, outcome.Failure?.Id);
        Assert.Equal(100, outcome.Warnings.Count);
        Assert.All(outcome.Warnings.Append(outcome.Failure!), said => Assert.True(said.Message.Length < 600 && !said.Message.Any(char.IsControl), said.Message));
        Assert.All(outcome.Warnings, said => Assert.Equal(BackupErrorId.RemoteJobLost, said.Id));
    }

    private static async Task HangAsync(Stream line, CancellationToken stop)
    {
        byte[] some = new byte[1 << 10];
        while (await line.ReadAsync(some, stop) > 0)
        {
        }
    }

    // Until the server has hung up.
    private static async Task<CancellationToken> HungAsync()
    {
        await Task.Delay(TimeSpan.FromMilliseconds(300), Stop);
        return Stop;
    }

    private static async Task<string[]> NamesAsync(FolderVaultStore store) => await store.ListAsync("", Stop).Select(found => found.Name).Order(StringComparer.Ordinal).ToArrayAsync(Stop);

    // In the place of the agent: it speaks as the agent does, and says what it likes.
    private void Talk(Func<PipedVaultStore, Task> say, bool asks = true) => _server.Machine = async (line, _) =>
    {
        using var store = new PipedVaultStore("vault", _ => Task.FromResult<VaultPipe>(new Line(line)));
        if (asks)
        {
            byte[] order = await store.AskForOrderAsync(RemoteHello.Own.Encode(), Stop);
            Assert.Contains("web1", Encoding.UTF8.GetString(order), StringComparison.Ordinal);
            Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(() => store.AskForOrderAsync(RemoteHello.Own.Encode(), Stop))).Id);
        }

        await say(store);
    };

    private sealed class Line(Stream line) : VaultPipe
    {
        public override Stream Incoming => line;

        public override Stream Outgoing => line;

        protected override void Dispose(bool disposing) => line.Dispose();
    }
}
