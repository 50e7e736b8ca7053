using System.Text;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>Sets of snapshots by a maker that makes nothing real: what is written down, in which order, and what is left.</summary>
public sealed class SnapshotSetTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<string> _log = [];
    private readonly List<string> _notes = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Records => _folder["records"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task All_are_written_down_before_the_first_is_made_and_removed_last_first()
    {
        var maker = new ScriptedMaker(_log) { OnTake = () => _log.Add($"recorded {ReadRecords().Count}") };

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(maker, "a", "b", "a");
        await set.DisposeAsync();

        Assert.Equal(["recorded 2", "take a b", "remove b", "remove a"], _log);
        Assert.All(sources, source => Assert.Equal(new SourceConsistency(ConsistencyLevel.Crash, "Scripted"), source.Consistency));
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    [Fact]
    public async Task A_snapshot_that_fails_costs_its_source_alone()
    {
        var maker = new ScriptedMaker(_log) { Failing = "b" };

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(maker, "a", "b");
        await set.DisposeAsync();

        Assert.Equal((ConsistencyLevel.Crash, ConsistencyLevel.None), (sources[0].Consistency!.Level, sources[1].Consistency!.Level));
        Assert.Equal((null, "no room"), (sources[1].View, sources[1].Consistency!.Reason));
        Assert.Equal(["take a b", "remove b", "remove a"], _log);
    }

    [Fact]
    public async Task Where_snapshots_are_required_one_that_fails_ends_the_backup_and_leaves_nothing()
    {
        BackupException e = await Assert.ThrowsAsync<BackupException>(() => TakeAsync(new ScriptedMaker(_log) { Failing = "b" }, SnapshotMode.Require, "a", "b"));

        Assert.Equal((BackupErrorId.SnapshotUnavailable, _folder["b"]), (e.Id, e.Target));
        Assert.Contains("no room", e.Message, StringComparison.Ordinal);
        Assert.Equal(["take a b", "remove b", "remove a"], _log);
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    [Fact]
    public async Task What_cannot_be_removed_is_told_and_tried_again_by_the_next_backup()
    {
        var maker = new ScriptedMaker(_log) { Staying = "a" };
        (SnapshotSet set, _) = await TakeAsync(maker, "a", "b");
        await set.DisposeAsync();
        Assert.Contains("it is busy", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Records));

        _log.Clear();
        maker.Staying = null;
        (set, _) = await TakeAsync(maker, SnapshotMode.Never, "a");
        await set.DisposeAsync();

        Assert.Equal(["remove b", "remove a"], _log);
        Assert.Contains("removed", _notes[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    [Fact]
    public async Task What_cannot_be_written_down_is_not_made()
    {
        await File.WriteAllTextAsync(Records, "in the way", Cancel);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await TakeAsync(new ScriptedMaker(_log), "a");
        await set.DisposeAsync();

        Assert.Empty(_log);
        Assert.Equal(ConsistencyLevel.None, sources[0].Consistency!.Level);
        Assert.Contains(Records, sources[0].Consistency!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_that_is_read_in_place_is_named_and_one_that_nothing_changes_needs_no_snapshot()
    {
        SnapshotVolume root = VolumeOf("a");
        var source = new SourceVolumes(
            root.Path,
            new VolumePart(EntryPath.Root, root, null),
            [
                new VolumePart(new EntryPath("x"u8.ToArray()), VolumeOf("b") with { IsReadOnly = true }, null),
                new VolumePart(new EntryPath("y"u8.ToArray()), null, "It floats.") { IsMountPoint = true },
                new VolumePart(new EntryPath("z"u8.ToArray()), null, "Not ours.") { IsMountPoint = true, IsTaken = false },
            ]);
        var kit = new SnapshotKit([new ScriptedMaker(_log)], (_, _) => source);

        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources) = await SnapshotSet.TakeAsync(
            kit, new SnapshotOptions(SnapshotMode.Auto, Records), [(_folder["a"], SourceSelection.Everything)], _notes.Add, Cancel);
        await set.DisposeAsync();

        Assert.Equal(["take a", "remove a"], _log);
        Assert.Equal(new SourceConsistency(ConsistencyLevel.None, "Scripted", $"'{_folder["a", "y"]}': It floats."), sources[0].Consistency);
        Assert.True(sources[0].View!.Find(new EntryPath("z"u8.ToArray()))!.IsMountPoint);
    }

    private Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources)> TakeAsync(ScriptedMaker maker, params string[] names) => TakeAsync(maker, SnapshotMode.Auto, names);

    private Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources)> TakeAsync(ScriptedMaker maker, SnapshotMode mode, params string[] names)
    {
        var kit = new SnapshotKit([maker], (path, _) =>
        {
            SnapshotVolume volume = VolumeOf(Path.GetFileName(path));
            return new SourceVolumes(volume.Path, new VolumePart(EntryPath.Root, volume, null), []);
        });
        return SnapshotSet.TakeAsync(kit, new SnapshotOptions(mode, Records), [.. names.Select(name => (_folder[name], SourceSelection.Everything))], _notes.Add, Cancel);
    }

    private SnapshotVolume VolumeOf(string name) => new()
    {
        Path = Encoding.UTF8.GetBytes(Directory.CreateDirectory(_folder[name]).FullName),
        FileSystem = "scripted",
        Device = "none",
        Identity = name,
    };

    private IReadOnlyList<SnapshotMark> ReadRecords()
    {
        // Held by the set: read as anybody may.
        string line = Shell.RunChecked("cat", Assert.Single(Directory.GetFiles(Records)));
        return System.Text.Json.JsonSerializer.Deserialize(line, SnapshotJson.Default.SnapshotMarks)!.Snapshots;
    }

    // "Snapshots" are the folders themselves.
    private sealed class ScriptedMaker(List<string> log) : ISnapshotMaker
    {
        public string? Failing { get; init; }

        public string? Staying { get; set; }

        public Action OnTake { get; init; } = static () => { };

        public string Kind => "Scripted";

        public ConsistencyLevel Level => ConsistencyLevel.Crash;

        public bool IsOf(SnapshotVolume volume) => volume.FileSystem == "scripted";

        public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => new(Kind, EntryName.Escape(volume.Path), volume.Identity, id);

        public Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
        {
            OnTake();
            log.Add("take " + string.Join(' ', snapshots.Select(snapshot => snapshot.Volume.Identity)));
            foreach (WantedSnapshot snapshot in snapshots)
            {
                if (snapshot.Volume.Identity == Failing)
                {
                    snapshot.Fail("no room");
                }
                else
                {
                    snapshot.Succeed(snapshot.Volume.Path);
                }
            }

            return Task.CompletedTask;
        }

        public Task<string?> RemoveAsync(SnapshotMark mark)
        {
            log.Add("remove " + mark.Identity);
            return Task.FromResult(mark.Identity == Staying ? "it is busy" : null);
        }
    }
}
