using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Restore.Targets.Unix;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Restore;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>Resource forks of macOS, shown by a system that has them as macOS does: read and written in pieces, whatever their length.</summary>
public sealed class ResourceForkTests : IDisposable
{
    private static readonly byte[] _long = TestKeys.Bytes(750, 5 << 20);

    private static readonly byte[] _short = TestKeys.Bytes(753, 500_000);

    private readonly ForkedSystem _system = new();
    private readonly BackupFixture _backups = new();
    private readonly TempFolder _target = new();

    public ResourceForkTests()
    {
        _backups.Tree.File("forked", 1000).File("plain", 1000).File("short", 1000);
        _system[_backups.Root + "/forked"] = _long;
        _system[_backups.Root + "/short"] = _short;
        Directory.CreateDirectory(_target["out"]);
    }

    public void Dispose()
    {
        _backups.Dispose();
        _target.Dispose();
    }

    [Fact]
    public async Task A_long_fork_is_read_and_written_in_pieces_and_comes_back_whole()
    {
        RecoveryPoint point = await BackUpAsync();
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(point);
        Assert.Equal([AttributeTag.LongStream], entries[_backups.Root + "/forked"].Attributes.Select(attribute => attribute.Tag));
        Assert.Equal([AttributeTag.NamedStream], entries[_backups.Root + "/short"].Attributes.Select(attribute => attribute.Tag));
        Assert.Equal(_short, entries[_backups.Root + "/short"].Attributes[0].Value.ToArray());
        Assert.Empty(entries[_backups.Root + "/plain"].Attributes);

        Assert.Empty(await RestoreAsync(point, RestoreConflict.Skip));

        Assert.Equal(_long, _system[Out("forked")]);
        Assert.Null(_system[Out("plain")]);
        Assert.InRange(_system.LongestPiece, 1, 4 << 20);
    }

    [Fact]
    public async Task A_fork_that_is_there_stays_and_one_that_differs_is_written_again_with_its_file()
    {
        RecoveryPoint point = await BackUpAsync();
        await RestoreAsync(point, RestoreConflict.Skip);
        byte[] kept = _system[Out("forked")]!;
        Assert.Empty(await RestoreAsync(point, RestoreConflict.Overwrite));
        Assert.Same(kept, _system[Out("forked")]);

        _system[Out("forked")] = [.. _long[..^1], 0, 7];
        Assert.Empty(await RestoreAsync(point, RestoreConflict.Overwrite));

        Assert.Equal(_long, _system[Out("forked")]);
    }

    [Fact]
    public async Task A_fork_that_ends_in_a_hole_gets_its_length()
    {
        byte[] sparse = [.. TestKeys.Bytes(751, 2 << 20), .. new byte[1 << 20]];
        FakeSourceTree tree = new FakeSourceTree("/data").Folder("").File("f", [1]);
        tree["f"].With(new FakeStream("com.apple.ResourceFork", sparse.Length, (0, sparse[..(2 << 20)])));
        _backups.Fakes["/data"] = tree;
        RecoveryPoint point = (await _backups.BackUpAsync(Request("/data"))).Point;

        Assert.Empty(await RestoreAsync(point, RestoreConflict.Skip));

        Assert.Equal(sparse, _system[_target["out"] + "/data/f"]);
    }

    [Fact]
    public async Task A_fork_that_cannot_be_read_keeps_the_earlier_version_of_its_file()
    {
        await BackUpAsync();
        _system[_backups.Root + "/forked"] = TestKeys.Bytes(752, 4 << 20);
        File.SetLastWriteTimeUtc(_backups.Root + "/forked", DateTime.UnixEpoch.AddYears(40));
        _system.Failure = -Errno.InputOutput;

        RecoveryPoint point = await BackUpAsync();

        _system.Failure = null;
        SkippedItem skipped = Assert.Single(await _backups.SkippedAsync(point));
        Assert.Equal((_backups.Root + "/forked", BackupErrorId.SourceItemUnreadable), (skipped.Path, skipped.Id));
        Assert.Contains("com.apple.ResourceFork", skipped.Reason, StringComparison.Ordinal);
        Assert.Empty(await RestoreAsync(point, RestoreConflict.Skip));
        Assert.Equal(_long, _system[Out("forked")]);
    }

    [Fact]
    public async Task A_system_without_forks_restores_the_rest_and_says_so()
    {
        RecoveryPoint point = await BackUpAsync();

        List<SkippedItem> skipped = await RestoreAsync(point, RestoreConflict.Skip, UnixSystem.Current);

        Assert.Equal((_backups.Root + "/forked", BackupErrorId.RestoreMetadataFailed), (Assert.Single(skipped).Path, skipped[0].Id));
        Assert.Equal(await File.ReadAllBytesAsync(_backups.Root + "/forked", Cancel), await File.ReadAllBytesAsync(Out("forked"), Cancel));
    }

    private string Out(string name) => $"{_target["out"]}{_backups.Root}/{name}";

    private async Task<RecoveryPoint> BackUpAsync()
    {
        _backups.Clock.Advance(TimeSpan.FromMinutes(1));
        BackupRequest request = Request(_backups.Root) with
        {
            OpenSource = source => UnixSourceTree.Open(_system, Encoding.UTF8.GetBytes(((BackupSource.Tree)source).Path), SourceSelection.Everything),
        };
        using UnlockedVault vault = await _backups.OpenAsync();
        return (await vault.BackUpAsync(request, new JobMonitor(), Cancel)).Point;
    }

    private async Task<List<SkippedItem>> RestoreAsync(RecoveryPoint point, RestoreConflict conflict, UnixSystem? system = null)
    {
        var skipped = new List<SkippedItem>();
        ChunkStore store = await _backups.OpenStoreAsync();
        RestoreRequest request = RestoreFixture.Request(point, conflict, verify: true) with { Layout = RestoreLayout.FullPath };
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, Cancel);
        using UnixRestoreTarget target = UnixRestoreTarget.Open(system ?? _system, Encoding.UTF8.GetBytes(_target["out"]), skipSecurity: false);
        var monitor = new JobMonitor { ItemSkipped = item => { lock (skipped) { skipped.Add(item); } } };
        await RestoreWalk.RestoreAsync(store, request, selection, target, monitor, _backups.Options, Cancel);
        return skipped;
    }
}
