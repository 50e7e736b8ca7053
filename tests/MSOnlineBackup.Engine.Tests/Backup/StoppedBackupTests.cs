using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

public sealed class StoppedBackupTests : IDisposable
{
    private static readonly byte[] _huge = TestKeys.Bytes(500, 28 << 20);

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData("f00", 0)]
    [InlineData("f07", 0)]
    [InlineData("f08", 0)]
    [InlineData("f23", 0)]
    [InlineData("huge", 20 << 20)]
    public async Task After_a_stop_the_next_run_reads_only_what_was_not_done_and_stores_nothing_twice(string stopAt, long offset)
    {
        FakeSourceTree source = Script();
        using var stop = new CancellationTokenSource();
        source[stopAt].Reading = at =>
        {
            if (at >= offset)
            {
                stop.Cancel();
            }
        };
        UnlockedVault engine = await OpenAsync(source);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => engine.BackUpAsync(_backups.Job("/data"), new JobMonitor(), stop.Token).WaitAsync(TestStores.HangGuard, Cancel));
        Assert.Empty(_backups.Points);
        Assert.Contains(_backups.Objects.Names, name => name.Contains("/checkpoints/", StringComparison.Ordinal));

        FakeSourceTree again = Script();
        _backups.Fakes["/data"] = again;
        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.NotNull(result.ResumedFromSession);
        Assert.All(source.Opened.Intersect(again.Opened), path =>
        {
            // Only the file in which it stopped, and that from where it stopped.
            Assert.Equal(stopAt, path);
            Assert.True(again[path].FirstRead > 0, path);
        });
        if (offset > 0)
        {
            Assert.InRange(again["huge"].FirstRead!.Value, offset - (9 << 20), 28 << 20);
        }

        await _backups.AssertNothingStoredTwiceAsync();
        foreach (string path in source.Opened.Union(again.Opened))
        {
            byte[] stored = await _backups.ReadAsync(result.Point, $"/data/{path}");
            Assert.True(stored.AsSpan().SequenceEqual(ContentOf(path)), path);
        }

        Assert.Equal(33, (await _backups.EntriesAsync(result.Point)).Count);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData("/packs/", true)]
    [InlineData("/checkpoints/", true)]
    [InlineData("/packs/", false)]
    [InlineData("/index/", false)]
    [InlineData("/points/", false)]
    public async Task A_stop_does_not_wait_for_ever_for_what_a_slow_vault_takes(string kind, bool whileReading)
    {
        // A small source is read, and its job committing, when the vault has its first object to take.
        FakeSourceTree source = whileReading ? Script() : new FakeSourceTree("/data").Folder("").File("f00", ContentOf("f00"));
        await OpenAsync(source);
        var slow = new SlowVaultStore(_backups.Objects, name => name.Contains(kind, StringComparison.Ordinal));
        UnlockedVault engine = await _backups.OpenAsync(slow);
        using var stop = new CancellationTokenSource();
        Task backup = engine.BackUpAsync(_backups.Job("/data"), new JobMonitor(), stop.Token);
        await slow.Taking.WaitAsync(TestStores.HangGuard, Cancel);

        await stop.CancelAsync();
        _backups.Clock.Advance(TimeSpan.FromSeconds(19));
        Assert.False(slow.HasGivenUp);
        _backups.Clock.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backup.WaitAsync(TestStores.HangGuard, Cancel));
        Assert.Empty(_backups.Points);
        await _backups.BackUpAsync(Request("/data"));
        await _backups.AssertNothingStoredTwiceAsync();
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task What_a_stopped_run_had_of_a_file_that_changed_since_is_read_again()
    {
        FakeSourceTree source = Script();
        using var stop = new CancellationTokenSource();
        source["f20"].Reading = _ => stop.Cancel();
        UnlockedVault engine = await OpenAsync(source);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.BackUpAsync(_backups.Job("/data"), new JobMonitor(), stop.Token));

        FakeSourceTree again = Script().File("f00", TestKeys.Bytes(99, 1000), state: 2);
        _backups.Fakes["/data"] = again;
        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.Contains("f00", again.Opened);
        Assert.Equal(TestKeys.Bytes(99, 1000), await _backups.ReadAsync(result.Point, "/data/f00"));
    }

    [Fact]
    public async Task Checkpoints_of_a_run_that_ended_well_are_not_used_again()
    {
        await OpenAsync(Script());
        await _backups.BackUpAsync(Request("/data"));
        Assert.Contains(_backups.Objects.Names, name => name.Contains("/checkpoints/", StringComparison.Ordinal));

        Assert.Null((await _backups.BackUpAsync(Request("/data"))).ResumedFromSession);
    }

    [Theory]
    [InlineData("/packs/")]
    [InlineData("/index/")]
    [InlineData("/points/")]
    [InlineData("/checkpoints/")]
    public async Task A_vault_that_fails_is_the_jobs_failure_and_the_next_run_succeeds(string kind)
    {
        await OpenAsync(Script());
        var faulty = new FaultyVaultStore(_backups.Objects) { FailAt = 1, Kind = FaultKind.ForGood, Counts = (call, name) => call == VaultCall.Create && name.Contains(kind, StringComparison.Ordinal) };
        UnlockedVault engine = await _backups.OpenAsync(faulty);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(
            () => engine.BackUpAsync(_backups.Job("/data"), new JobMonitor(), Cancel).WaitAsync(TestStores.HangGuard, Cancel));

        Assert.Equal(BackupErrorId.VaultUnreachable, fault.Id);
        Assert.Empty(_backups.Points);
        await _backups.BackUpAsync(Request("/data"));
        await _backups.AssertNothingStoredTwiceAsync();
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task Several_jobs_may_write_into_one_store_at_once()
    {
        await _backups.OpenAsync();
        BackupResult[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(job => Task.Run(async () =>
        {
            FakeSourceTree source = Script().File("own", TestKeys.Bytes(1000 + job, 700_000), state: job);
            UnlockedVault engine = await TestVault.UnlockAsync(_backups.Objects, Passphrase, _backups.Options, Cancel);
            return await engine.BackUpAsync(
                _backups.Job("/data") with { MachineName = $"machine {job / 2}", OpenSource = _ => source }, new JobMonitor(), Cancel);
        }, Cancel)));

        Assert.Equal(4, (await (await _backups.OpenAsync()).ListPointsAsync(null, Cancel)).Count);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        for (int job = 0; job < 4; job++)
        {
            Assert.Equal(TestKeys.Bytes(1000 + job, 700_000), await _backups.ReadAsync(results[job].Point, "/data/own"));
            Assert.Equal(ContentOf("f17"), await _backups.ReadAsync(results[job].Point, "/data/f17"));
        }
    }

    [Fact]
    public async Task A_stream_is_one_file()
    {
        byte[] content = TestKeys.Bytes(1, 6_000_000);
        using var stream = new MemoryStream(content);

        BackupResult result = await _backups.BackUpAsync(Stream(stream));

        Assert.Equal(content, await _backups.ReadAsync(result.Point, "dump.sql"));
        Assert.Equal(content.Length, result.Point.Sources[0].Manifest.Bytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3_000_000)]
    public async Task A_stream_whose_producer_failed_makes_no_point(int length)
    {
        using var stream = new MemoryStream(TestKeys.Bytes(1, length));
        var failure = new BackupException(BackupErrorId.CommandFailed, "It failed.", "None: a test.");

        Assert.Same(failure, await _backups.FailAsync(Stream(stream, _ => Task.FromException(failure))));

        Assert.Empty(_backups.Points);
    }

    [Fact]
    public async Task An_empty_stream_is_an_empty_file()
    {
        using var stream = new MemoryStream();

        BackupResult result = await _backups.BackUpAsync(Stream(stream));

        Assert.Empty(await _backups.ReadAsync(result.Point, "dump.sql"));
    }

    private static BackupRequest Stream(Stream stream, Func<CancellationToken, Task>? finish = null) =>
        Request() with { Sources = [new BackupSource.Input("dump.sql", stream, finish)] };

    // Small files for bundles, large ones, and one within which there are checkpoints.
    private static FakeSourceTree Script()
    {
        FakeSourceTree source = new FakeSourceTree("/data").Folder("");
        for (int i = 0; i < 30; i++)
        {
            source.File($"f{i:d2}", ContentOf($"f{i:d2}"));
        }

        return source.File("huge", ContentOf("huge")).File("last", ContentOf("last"));
    }

    private static byte[] ContentOf(string path) => path switch
    {
        "huge" => _huge,
        "last" => TestKeys.Bytes(501, 100),
        "own" => [],
        _ when int.Parse(path[1..], System.Globalization.CultureInfo.InvariantCulture) is var number =>
            TestKeys.Bytes(number, number % 8 == 7 ? 1_500_000 : 20_000),
        _ => throw new ArgumentOutOfRangeException(nameof(path)),
    };

    private async Task<UnlockedVault> OpenAsync(FakeSourceTree source)
    {
        _backups.Fakes["/data"] = source;
        return await _backups.OpenAsync();
    }
}
