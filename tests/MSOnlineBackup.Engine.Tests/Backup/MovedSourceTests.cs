using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A source that is found at another path is compared with what earlier points have of it.</summary>
public sealed class MovedSourceTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task Nothing_that_is_unchanged_is_read_again_and_points_have_the_path_that_they_were_made_under()
    {
        _backups.Tree.Populate(seed: 2, items: 40).Describe("f large 3M\nf gone 100");
        BackupResult first = await _backups.BackUpAsync();
        string moved = _backups.Root + "-moved";
        Directory.Move(_backups.Root, moved);
        File.Delete(Path.Combine(moved, "gone"));
        await File.WriteAllTextAsync(Path.Combine(moved, "new"), "twelve bytes", Cancel);

        BackupResult second = await _backups.BackUpAsync(RequestOf(moved, _backups.Root));

        Assert.Equal((12, 1L, 0L), (second.ReadBytes, second.NewFiles, second.ChangedFiles));
        Assert.Equal(moved, second.Point.Sources[0].Path);
        Assert.Equal(_backups.Root, first.Point.Sources[0].Path);
        Assert.DoesNotContain($"{moved}/gone", (await _backups.EntriesAsync(second.Point)).Keys);
        Assert.Contains($"{_backups.Root}/gone", (await _backups.EntriesAsync(first.Point)).Keys);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        Assert.Equal(0, (await _backups.BackUpAsync(Request(moved))).ReadBytes);
    }

    [Fact]
    public async Task It_is_compared_with_the_newest_point_that_has_it_under_any_of_its_paths()
    {
        _backups.Tree.Describe("f a 1000\nf b 2000");
        await _backups.BackUpAsync();
        string moved = _backups.Root + "-moved";
        Directory.Move(_backups.Root, moved);
        new SourceTreeBuilder(moved).File("a", 5000, seed: 9);
        await _backups.BackUpAsync(RequestOf(moved, _backups.Root));

        // And back again.
        Directory.Move(moved, _backups.Root);
        await foreach (BackupPreviewItem item in (await (await _backups.OpenAsync()).IndexAsync(Cancel)).PreviewAsync(RequestOf(_backups.Root, moved, _backups.Root), Cancel))
        {
            // That a folder was renamed is a change of its own.
            Assert.True(item.Change == PreviewChange.Unchanged || item.Path == _backups.Root, item.Path);
        }

        BackupResult third = await _backups.BackUpAsync(RequestOf(_backups.Root, moved, _backups.Root));

        Assert.Equal((0, 0L), (third.ReadBytes, third.ChangedFiles));
        Assert.Equal(_backups.Root, third.Point.Sources[0].Path);
    }

    private static BackupRequest RequestOf(string source, params string[] earlier) =>
        Request() with { Sources = [new BackupSource.Tree(source, SourceSelection.Everything) { EarlierPaths = earlier }] };
}
