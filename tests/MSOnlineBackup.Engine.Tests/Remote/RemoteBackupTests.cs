using System.Text;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Remote;

/// <summary>Backups of another machine that a server starts: by the real agent at the other end of a connection within this process.</summary>
public sealed class RemoteBackupTests : IAsyncLifetime
{
    private static readonly string[] _hosts = ["web1", "none", "web2"];

    private FakeServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await FakeServer.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_arrives_is_equal_and_only_changes_are_read_again()
    {
        RemoteBackupOutcome first = await _server.SucceedAsync(_server.Order with { Tags = ["nightly"] });
        Assert.Equal(("web1", "web1"), (first.MachineName, first.Point!.MachineName));
        Assert.Equal(["nightly"], first.Point.Tags);
        Assert.Equal((3, 0, 0), (first.NewFiles, first.ChangedFiles, first.UnchangedFiles));
        await _server.RestoresAsync(first.Point);

        await File.WriteAllTextAsync(Path.Combine(_server.Source, "more"), "more", Stop);
        RemoteBackupOutcome second = await _server.SucceedAsync();
        Assert.Equal((1, 0, 3), (second.NewFiles, second.ChangedFiles, second.UnchangedFiles));
        Assert.Equal(first.PointId, second.Point!.ParentSessionId);
        Assert.Equal(4, second.ReadBytes);
        await _server.RestoresAsync(second.Point);
    }

    [Fact]
    public async Task The_order_says_what_is_taken()
    {
        RemoteBackupOrder order = _server.Order with { Selection = new SourceSelection { Exclude = ["large"], ExcludeLargerThan = 100 << 10 }, Sources = [_server.Source, _server.Source + "-is-not-there"] };

        RemoteBackupOutcome outcome = await _server.SucceedAsync(order);

        Assert.Equal(1, outcome.Point!.Sources.Sum(source => source.Manifest.Files));
        RemoteLoss lost = Assert.Single(outcome.LostSources);
        Assert.Equal((_server.Source + "-is-not-there", BackupErrorId.SourceNotFound), (lost.Name, lost.Failure.Id));
        Assert.StartsWith("On 'web1': ", lost.Failure.Message, StringComparison.Ordinal);
        await _server.FailAsync(BackupErrorId.ArgumentInvalid, "'srv' is no absolute path", order with { Sources = ["srv"] });
    }

    [Fact]
    public async Task What_a_login_says_first_is_passed_over()
    {
        _server.Greeting = "Welcome!\nobengine-agent-\n\n\nOBSTORE\n";
        await _server.SucceedAsync();
    }

    [Fact]
    public async Task A_vault_that_is_full_is_said_and_the_next_run_goes_on()
    {
        int packs = 0;
        _server.Vault.Decorate = store => new WatchedVaultStore(store, name =>
        {
            if (name.Contains("/packs/", StringComparison.Ordinal) && ++packs > 1)
            {
                throw new BackupException(BackupErrorId.VaultFull, "It is full.", "Make room.");
            }
        });
        _server.Limits = _server.Limits with { PackSize = 2 << 20 };
        BackupException failure = await _server.FailAsync(BackupErrorId.VaultFull, "It is full.");
        Assert.Equal("Make room.", failure.RecommendedAction);
        Assert.Empty(await _server.Vault.PointsAsync());

        _server.Vault.Decorate = store => store;
        await _server.RestoresAsync((await _server.SucceedAsync()).Point!);
    }

    [Fact]
    public async Task A_line_that_is_cut_damages_nothing_and_the_next_run_goes_on()
    {
        // Whose bytes are counted: those of a whole backup first.
        CutStream? line = null;
        _server.Around = stream => line = new CutStream(stream, long.MaxValue);
        await _server.SucceedAsync();
        long whole = line!.Passed;
        foreach (long cut in new[] { 3, 40, 300, 3000, whole / 2, whole - 200 })
        {
            await File.AppendAllTextAsync(Path.Combine(_server.Source, "a"), $"{cut}", Stop);
            new SourceTreeBuilder(_server.Source).Describe($"f new-{cut} 4M");
            _server.Around = stream => new CutStream(stream, cut);
            RemoteBackupOutcome outcome = await _server.BackUpAsync(_server.Order with { ReadEverything = true });
            Assert.True(outcome.Point is null == outcome.Failure is not null);
            if (outcome.Failure is { } failure)
            {
                Assert.True(failure.Id is BackupErrorId.RemoteJobLost or BackupErrorId.AgentMachineUnsuitable or BackupErrorId.VaultUnreachable or BackupErrorId.AgentVersionDiffers, $"{cut}: {failure}");
            }

            await Assert.ThrowsAnyAsync<Exception>(() => _server.Ran);
            Assert.Empty(await _server.Vault.VerifyAsync());
        }

        _server.Around = stream => stream;
        await _server.RestoresAsync((await _server.SucceedAsync()).Point!);
    }

    [Fact]
    public async Task Whoever_stops_it_stops_the_machine_in_order()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        _server.Vault.Decorate = store => new WatchedVaultStore(store, name =>
        {
            if (name.Contains("/packs/", StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        });
        new SourceTreeBuilder(_server.Source).Describe("f great 40M");
        _server.Limits = _server.Limits with { PackSize = 2 << 20, Room = 4 << 20 };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _server.BackUpAsync(stop: stop.Token));

        // Told by the server, it ends by itself; so fast a backup may have come to its end.
        Exception? ended = await Record.ExceptionAsync(() => _server.Ran);
        Assert.True(ended is null or OperationCanceledException or BackupException, $"{ended}");
        _server.Vault.Decorate = store => store;
        await _server.RestoresAsync((await _server.SucceedAsync()).Point!);
    }

    [Fact]
    public async Task Of_one_machine_one_backup_runs_at_a_time_and_of_several_one_that_fails_stops_no_other()
    {
        RemoteBackupOutcome? second = null;
        _server.Machine = async (line, stop) =>
        {
            _server.Machine = FakeServer.RunAgentAsync;
            second = await _server.BackUpAsync();
            await FakeServer.RunAgentAsync(line, stop);
        };
        await _server.SucceedAsync();
        Assert.Equal(BackupErrorId.JobInProgress, second!.Failure?.Id);

        using UnlockedVault vault = await _server.Vault.OpenAsync();
        IReadOnlyList<RemoteBackupOutcome> outcomes = await _server.Backups.With(2).RunAsync(
            [.. _hosts.Select(host => (FakeServer.Of(host), _server.Order with { MachineName = host }))], vault, null, Stop);
        Assert.Equal([null, BackupErrorId.AgentNotInstalled, null], outcomes.Select(outcome => outcome.Failure?.Id));
        Assert.Equal(["web1", "web2"], outcomes.Select(outcome => outcome.Point?.MachineName).OfType<string>());
        await Assert.ThrowsAsync<BackupException>(() => _server.Backups.RunAsync([(FakeServer.Of("web1"), _server.Order), (FakeServer.Of("web2"), _server.Order with { MachineName = "WEB1" })], vault, null, Stop));
    }

    [Fact]
    public async Task Whoever_watches_the_vault_is_told_by_the_server_also_where_the_agent_never_spoke()
    {
        await _server.SucceedAsync();
        _server.Machine = (_, _) => Task.CompletedTask;
        await _server.FailAsync(BackupErrorId.RemoteJobLost, "it ended with 137, and said: Killed");

        using UnlockedVault vault = await _server.Vault.OpenAsync();
        VaultCompliance seen = await vault.Vault.Watch([vault.CreateMonitoringCredential()]).LookAsync(Stop);
        Assert.Equal(["RemoteJobLost"], Assert.Single(seen.Policies, policy => policy.Machine == "web1").Errors);
    }

    [Fact]
    public void Memory_is_shared_by_as_many_machines_as_there_may_be()
    {
        foreach (int machines in Enumerable.Range(1, RemoteBackups.MostMachinesAtOnce))
        {
            RemoteBackups backups = _server.Backups.With(machines);
            Assert.InRange(backups.RoomOfEach * (long)machines, 1, 256 << 20);
            Assert.True(backups.PackSize * 2 <= backups.RoomOfEach);
        }
    }

    [Fact]
    public async Task The_key_is_sent_once_and_nobody_else_is_given_an_order()
    {
        using UnlockedVault vault = await _server.Vault.OpenAsync();
        byte[] key = [.. vault.Key.MasterKey];
        using var sent = new MemoryStream();
        _server.Around = stream => new Copying(stream, sent);
        await _server.SucceedAsync();
        byte[] all = sent.ToArray();
        int at = all.AsSpan().IndexOf(key);
        Assert.True(at > 0);
        Assert.Equal(-1, all.AsSpan(at + 1).IndexOf(key));
        Assert.Equal(-1, all.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(key))));

        // A server that nobody has sent on an errand has no order to give.
        using PipedVaultStore store = LoopbackPipe.StoreOver(new FolderVaultStore(_server.Vault.Folder));
        Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(() => store.AskForOrderAsync(RemoteHello.Own.Encode(), Stop))).Id);
        Assert.Equal(BackupErrorId.VaultAccessDenied, (await Assert.ThrowsAsync<BackupException>(() => store.TellAsync(new RemoteNotice().Encode(), Stop))).Id);
    }

    [Fact]
    public async Task A_vault_among_the_sources_is_left_out()
    {
        RemoteBackupOutcome outcome = await _server.SucceedAsync(_server.Order with { Sources = [Path.GetDirectoryName(_server.Vault.Folder)!] });
        using var target = new TempFolder();
        await _server.Vault.RestoreAsync(outcome.Point!, target["restored"]);
        Assert.True(Directory.Exists(target["restored"] + _server.Source));
        Assert.False(File.Exists(target["restored"] + Path.Combine(_server.Vault.Folder, "vault.json")));
    }

    // What the server sends.
    private sealed class Copying(Stream inner, Stream copy) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await copy.WriteAsync(buffer, cancellationToken);
            await inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
