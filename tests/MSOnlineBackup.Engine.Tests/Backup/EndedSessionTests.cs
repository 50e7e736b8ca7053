using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A job that made no point, and can say so, says so: a verification tells only of those that could not.</summary>
public sealed class EndedSessionTests : IDisposable
{
    private static readonly BackupException _failure = new(BackupErrorId.CommandFailed, "It failed.", "None: a test.");

    private readonly BackupFixture _backups = new();
    private readonly List<string> _notes = [];

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_job_that_failed_is_no_finding()
    {
        await FailAsync(await _backups.OpenAsync());

        Assert.Single(Ends());
        Assert.Empty(await UnfinishedAsync());
    }

    [Fact]
    public async Task A_job_that_was_stopped_is_no_finding()
    {
        await StopAsync(await _backups.OpenAsync());

        Assert.Single(Ends());
        Assert.Empty(await UnfinishedAsync());
    }

    [Theory]
    [InlineData(VaultCall.List, "/packs/")]
    [InlineData(VaultCall.List, "/gc/")]
    [InlineData(VaultCall.Create, "/sessions/")]
    public async Task So_is_one_that_was_stopped_while_it_began(VaultCall call, string kind)
    {
        await _backups.OpenAsync();
        var stopping = new FaultyVaultStore(_backups.Objects)
        {
            FailAt = 1, Kind = FaultKind.Cancellation, Timing = FaultTiming.AfterEffect, Counts = (made, name) => made == call
                && name.Contains(kind, StringComparison.Ordinal),
        };
        UnlockedVault engine = await _backups.OpenAsync(stopping);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.BackUpAsync(Failing(), Monitor(), stopping.Cancellation.Token));

        Assert.Single(Ends());
        Assert.Empty(await UnfinishedAsync());
    }

    [Fact]
    public async Task A_job_that_the_vault_left_is_a_finding_until_the_next_backup()
    {
        await _backups.OpenAsync();
        _backups.Tree.File("a", 1000);
        var gone = new FaultyVaultStore(_backups.Objects) { FailAt = 1, Kind = FaultKind.ForGood, Counts = (call, name) => call == VaultCall.Create && name.Contains("/packs/", StringComparison.Ordinal) };
        UnlockedVault engine = await _backups.OpenAsync(gone);

        await Assert.ThrowsAsync<BackupException>(() => engine.BackUpAsync(_backups.Job(_backups.Root), Monitor(), Cancel));

        Assert.Empty(Ends());
        Assert.Empty(_notes);
        Assert.Single(await UnfinishedAsync());
        await _backups.BackUpAsync();
        Assert.Empty(await UnfinishedAsync());
    }

    // What was sent may arrive late: only the point's own name tells whether it did, and nobody may take the session for over before.
    [Fact]
    public async Task A_job_that_does_not_know_whether_it_made_a_point_does_not_say_that_it_made_none()
    {
        await _backups.OpenAsync();
        _backups.Tree.File("a", 1000);
        var slow = new SlowVaultStore(_backups.Objects, name => name.Contains("/points/", StringComparison.Ordinal));
        UnlockedVault engine = await _backups.OpenAsync(slow);
        using var stop = new CancellationTokenSource();
        Task backup = engine.BackUpAsync(_backups.Job(_backups.Root), Monitor(), stop.Token);
        await slow.Taking.WaitAsync(TestStores.HangGuard, Cancel);
        await stop.CancelAsync();
        _backups.Clock.Advance(TimeSpan.FromSeconds(20));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backup.WaitAsync(TestStores.HangGuard, Cancel));

        Assert.Empty(Ends());
        Assert.Single(await UnfinishedAsync());
    }

    [Fact]
    public async Task A_vault_that_does_not_take_the_end_hides_no_failure()
    {
        await _backups.OpenAsync();
        var refusing = new FaultyVaultStore(_backups.Objects) { FailAt = 1, Kind = FaultKind.ForGood, Counts = (_, name) => IsEnd(name) };

        await FailAsync(await _backups.OpenAsync(refusing));

        Assert.Contains(".end", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Single(await UnfinishedAsync());
    }

    [Fact]
    public async Task A_vault_that_takes_long_for_the_end_is_not_waited_for()
    {
        await _backups.OpenAsync();
        var slow = new SlowVaultStore(_backups.Objects, IsEnd);
        Task failing = FailAsync(await _backups.OpenAsync(slow));
        await slow.Taking.WaitAsync(TestStores.HangGuard, Cancel);
        Assert.False(failing.IsCompleted);

        _backups.Clock.Advance(TimeSpan.FromSeconds(5));

        await failing.WaitAsync(TestStores.HangGuard, Cancel);
        Assert.Single(_notes);
    }

    [Fact]
    public async Task A_new_index_that_could_not_be_made_ends_its_session_too()
    {
        _backups.Tree.File("a", 1000);
        await _backups.BackUpAsync();
        _backups.Objects.Remove(_backups.Objects.Names.Single(name => name.Contains("/index/", StringComparison.Ordinal)));
        var full = new FaultyVaultStore(_backups.Objects) { FailAt = 1, Kind = FaultKind.Cancellation, Counts = (call, name) => call == VaultCall.Create && name.Contains("/index/", StringComparison.Ordinal) };
        UnlockedVault engine = await _backups.OpenAsync(full);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.RebuildIndexAsync(new JobMonitor(), full.Cancellation.Token));

        Assert.Single(Ends());
    }

    private async Task FailAsync(UnlockedVault engine) =>
        Assert.Same(_failure, await Assert.ThrowsAsync<BackupException>(() => engine.BackUpAsync(Failing(), Monitor(), Cancel)));

    private async Task StopAsync(UnlockedVault engine)
    {
        using var stop = new CancellationTokenSource();
        BackupRequest request = Failing(async _ =>
        {
            await stop.CancelAsync();
            stop.Token.ThrowIfCancellationRequested();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.BackUpAsync(request, Monitor(), stop.Token));
    }

    private static BackupRequest Failing(Func<CancellationToken, Task>? finish = null) => Request() with
    {
        Sources = [new BackupSource.Input("dump.sql", new MemoryStream(TestKeys.Bytes(1, 1000)), finish ?? (_ => Task.FromException(_failure)))],
    };

    private JobMonitor Monitor() => new() { Noted = _notes.Add };

    private IEnumerable<string> Ends() => _backups.Objects.Names.Where(IsEnd);

    private async Task<IReadOnlyList<UnfinishedSession>> UnfinishedAsync()
    {
        VerifyReport report = await _backups.VerifyAsync(VerifyLevel.Structure);
        Assert.Empty(report.Findings);
        return report.Unfinished;
    }

    private static bool IsEnd(string name) => VaultLayout.KindOf(name, out _) == StoredKind.SessionEnd;
}
