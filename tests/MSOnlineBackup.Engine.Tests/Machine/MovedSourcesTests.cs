using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class MovedSourcesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_path_is_followed_back_through_every_move_at_or_above_it()
    {
        var moved = new MovedSources(new StateFolder(_folder["state"]));
        Assert.Empty(moved.EarlierPathsOf(At("c", "d")));

        moved.Note(At("a"), At("b"));
        moved.Note(At("x"), At("y"));
        moved.Note(At("b", "in"), At("c"));

        Assert.Equal([At("b", "in", "d"), At("a", "in", "d")], moved.EarlierPathsOf(At("c", "d")));
        Assert.Equal([At("a")], moved.EarlierPathsOf(At("b")));
        Assert.Empty(moved.EarlierPathsOf(At("bb")));
        moved.Note(At("b"), At("a"));
        Assert.Equal([At("b", "z"), At("a", "z")], moved.EarlierPathsOf(At("a", "z")));
    }

    [Fact]
    public void So_many_are_remembered_and_no_more()
    {
        var moved = new MovedSources(new StateFolder(_folder["state"]));
        for (int i = 0; i < 70; i++)
        {
            moved.Note(At($"{i}"), At($"{i + 1}"));
        }

        Assert.Equal(64, moved.EarlierPathsOf(At("70")).Count);
    }

    [Fact]
    public void Damaged_it_says_what_to_do()
    {
        var folder = new StateFolder(_folder["state"]);
        new MovedSources(folder).Note(At("a"), At("b"));
        File.WriteAllText(Path.Combine(folder.Path, "moved-sources.json"), "{");

        BackupException fault = Assert.Throws<BackupException>(() => new MovedSources(folder).EarlierPathsOf(At("b")));

        Assert.Equal(BackupErrorId.StateInvalid, fault.Id);
        Assert.Contains("reads all of it again", fault.RecommendedAction, StringComparison.Ordinal);
    }

    private static string At(params string[] names) => Path.GetFullPath(Path.Combine([Path.DirectorySeparatorChar + "srv", .. names]));
}
