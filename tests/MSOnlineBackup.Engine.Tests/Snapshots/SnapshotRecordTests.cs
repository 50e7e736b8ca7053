using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

public sealed class SnapshotRecordTests : IDisposable
{
    private static readonly SnapshotMark _mark = new("Btrfs", "/srv", "id", "name");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_living_backup_wrote_down_is_its_own_and_what_a_dead_one_left_is_found()
    {
        using SnapshotRecord living = SnapshotRecord.Create(_folder["records"]);
        living.Write([_mark]);
        using (SnapshotRecord dead = SnapshotRecord.Create(_folder["records"]))
        {
            dead.Write([_mark with { Name = "left" }]);
        }

        SnapshotRecord found = Assert.Single(SnapshotRecord.FindAbandoned(_folder["records"]));
        Assert.Equal([_mark with { Name = "left" }], found.Read());
        found.Remove();
        Assert.Empty(SnapshotRecord.FindAbandoned(_folder["records"]));
        Assert.Single(Directory.GetFiles(_folder["records"]));
    }

    [Fact]
    public void The_last_whole_line_counts()
    {
        string path;
        using (SnapshotRecord record = SnapshotRecord.Create(_folder["records"]))
        {
            path = record.Path;
            record.Write([_mark]);
            record.Write([_mark with { Name = "renamed" }]);
        }

        byte[] whole = File.ReadAllBytes(path);
        int first = Array.IndexOf(whole, (byte)'\n') + 1;
        foreach ((int length, string? name) in new[] { (whole.Length, "renamed"), (whole.Length - 1, "name"), (first, "name"), (first - 1, null), (0, null) })
        {
            File.WriteAllBytes(path, whole[..length]);
            using SnapshotRecord found = Assert.Single(SnapshotRecord.FindAbandoned(_folder["records"]));
            Assert.Equal(name, found.Read().SingleOrDefault()?.Name);
        }
    }

    [Fact]
    public void A_folder_that_is_not_there_has_none() => Assert.Empty(SnapshotRecord.FindAbandoned(_folder["none"]));
}
