using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>What is taken for ransomware, and what is not: real trees, after eight ordinary days.</summary>
public sealed class UnusualBackupTests : IDisposable
{
    private const int Documents = 240;
    private const int Photos = 60;

    private readonly BackupFixture _backups = new();
    private readonly List<RecoveryPoint> _points = [];

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task Everything_encrypted_under_other_names()
    {
        await LiveAsync();
        ForEach(Documents + Photos, (path, i) => _backups.Tree.Delete(path).File(path + ".locked", Noise(4_000 + i)));

        string? cause = await JudgeAsync();

        SourceChanges changes = _points[^1].Sources[0].Changes!;
        Assert.Equal((300, 300, 0, 300, 300), (changes.Earlier, changes.New, changes.Changed, changes.Gone, changes.Renamed));
        Assert.StartsWith(
            "100% of 300 files were changed or gone, where 0.7% are usual, 100% with a new one beside them, where 0.0% are usual; of what was read 100% was not in the vault",
            cause!.Replace(" %", "%", StringComparison.Ordinal),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_encrypted_in_place()
    {
        await LiveAsync();
        ForEach(Documents + Photos, (path, i) => _backups.Tree.File(path, Noise(4_000 + i)));

        Assert.Contains("100 % of 300 files were changed", await JudgeAsync(), StringComparison.Ordinal);
        Assert.Equal((300, 0, 300), Select(_points[^1], changes => (changes.Changed, changes.Gone, changes.Touched)));
    }

    [Fact]
    public async Task Half_of_it_encrypted_before_the_backup_began()
    {
        await LiveAsync();
        ForEach((Documents + Photos) / 2, (path, i) => _backups.Tree.Delete(path).File(path + ".locked", Noise(8_000 + i)));

        Assert.NotNull(await JudgeAsync());
    }

    [Fact]
    public async Task Names_and_contents_exchanged_though_it_compresses()
    {
        await LiveAsync();
        ForEach(Documents + Photos, (path, i) => _backups.Tree.Delete(path).File($"{path[..path.LastIndexOf('/')]}/{Guid.NewGuid()}", Encoding.ASCII.GetBytes(Convert.ToHexString(Noise(2_000 + i)))));

        Assert.NotNull(await JudgeAsync());
    }

    [Fact]
    public async Task A_source_that_was_added_the_day_before_hides_nothing()
    {
        await LiveAsync();
        ForEach(100, (_, i) => _backups.Tree.File($"../other/{i}", Noise(20_000)));
        string[] both = [_backups.Root, Path.GetFullPath(Path.Join(_backups.Root, "../other"))];
        Assert.Null(await JudgeAsync(both));
        ForEach(Documents + Photos, (path, i) => _backups.Tree.File(path, Noise(4_000 + i)));

        Assert.NotNull(await JudgeAsync(both));
    }

    [Fact]
    public async Task Once_it_has_happened_the_next_backups_are_as_usual()
    {
        await LiveAsync();
        ForEach(Documents + Photos, (path, i) => _backups.Tree.File(path, Noise(4_000 + i)));
        Assert.NotNull(await JudgeAsync());

        Assert.Null(await JudgeAsync());
        Assert.Equal(0, Select(_points[^1], changes => changes.Touched));
    }

    [Fact]
    public async Task The_first_backups_are_not_judged()
    {
        Furnish();
        Assert.Null(await JudgeAsync());
        Assert.Null(_points[0].Sources[0].Changes);
        ForEach(Documents + Photos, (path, i) => _backups.Tree.File(path, Noise(4_000 + i)));

        Assert.Null(await JudgeAsync());
        Assert.Equal(300, Select(_points[^1], changes => changes.Changed));
    }

    [Fact]
    public async Task A_great_update_is_not_ransomware()
    {
        await LiveAsync();
        ForEach(Documents, (path, i) =>
        {
            if (i % 3 > 0)
            {
                _backups.Tree.File(path, Text(i + 5_000, 30_000));
            }
            else
            {
                _backups.Tree.Delete(path).File(path + ".2", Text(i + 5_000, 30_000));
            }
        });

        Assert.Null(await JudgeAsync());
        Assert.Equal((80, 160, 80), Select(_points[^1], changes => (changes.New, changes.Changed, changes.Renamed)));
    }

    [Fact]
    public async Task A_source_that_is_added_is_not_ransomware()
    {
        await LiveAsync();
        ForEach(400, (_, i) => _backups.Tree.File($"../other/{i}", Noise(100_000)));

        // With it the old one is tidied up: much changes, and nothing of that is new.
        ForEach(Documents, (path, _) => _backups.Tree.Modified(path, 1_000_000));

        Assert.Null(await JudgeAsync(_backups.Root, Path.GetFullPath(Path.Join(_backups.Root, "../other"))));
    }

    [Fact]
    public async Task Photos_that_are_imported_are_not_ransomware()
    {
        await LiveAsync();
        ForEach(300, (_, i) => _backups.Tree.File($"photos/new/{i}.jpg", Noise(100_000)));

        Assert.Null(await JudgeAsync());
        Assert.Equal((300, 0), Select(_points[^1], changes => (changes.New, changes.Touched)));
        Assert.True(_points[^1].NewBytes > _points[^2].Sources[0].Manifest.Bytes);
    }

    [Fact]
    public async Task Photos_that_are_imported_while_the_old_are_sorted_into_folders_are_not_ransomware()
    {
        await LiveAsync();
        ForEach(Photos, (_, i) => _backups.Tree.Delete($"photos/{i}.jpg").File($"photos/2025/{i}.jpg", Photo(i)));
        ForEach(100, (_, i) => _backups.Tree.File($"photos/new/{i}.jpg", Noise(40_000)));

        Assert.Null(await JudgeAsync());
        Assert.Equal((160, 60, 0), Select(_points[^1], changes => (changes.New, changes.Gone, changes.Renamed)));
    }

    [Fact]
    public async Task Logs_that_rotate_are_not_ransomware()
    {
        ForEach(150, (_, i) => _backups.Tree.File($"logs/service{i}.log", Text(i, 20_000)).File($"logs/service{i}.log.1", Text(i + 1_000, 20_000)).File($"logs/service{i}.log.2.gz", Noise(8_000)));
        await LiveAsync(furnish: false);
        ForEach(150, (_, i) => _backups.Tree.Delete($"logs/service{i}.log.2.gz")
            .File($"logs/service{i}.log.3.gz", Noise(8_000)).File($"logs/service{i}.log.2.gz", Noise(8_000)).File($"logs/service{i}.log.1", Text(i, 20_000)).File($"logs/service{i}.log", Text(i + 2_000, 500)));

        Assert.Null(await JudgeAsync());
        Assert.Equal(450, Select(_points[^1], changes => changes.Touched));
    }

    [Fact]
    public async Task A_folder_that_is_renamed_is_not_ransomware()
    {
        await LiveAsync();
        Directory.Move(Path.Join(_backups.Root, "documents"), Path.Join(_backups.Root, "papers"));
        Directory.Move(Path.Join(_backups.Root, "photos"), Path.Join(_backups.Root, "pictures"));

        Assert.Null(await JudgeAsync());
        Assert.Equal((300, 300, 0), Select(_points[^1], changes => (changes.New, changes.Gone, changes.Renamed)));
    }

    [Fact]
    public async Task Files_that_are_renamed_or_touched_are_not_ransomware()
    {
        await LiveAsync();
        ForEach(Documents + Photos, (path, i) =>
        {
            if (i % 2 == 0)
            {
                File.Move(Path.Join(_backups.Root, path), Path.Join(_backups.Root, path + ".renamed"));
            }
            else
            {
                _backups.Tree.Modified(path, 1_000_000);
            }
        });

        Assert.Null(await JudgeAsync());
        Assert.Equal((150, 150, 150), Select(_points[^1], changes => (changes.New, changes.Changed, changes.Renamed)));
    }

    [Fact]
    public async Task What_cannot_be_read_has_not_changed()
    {
        await LiveAsync(days: 1);
        FakeSourceTree fake = new FakeSourceTree(_backups.Root).Folder("").Folder("documents").Folder("photos");
        fake["documents"].Refuses = FakeSourceTree.Unreadable("documents");
        fake["photos"].Refuses = FakeSourceTree.Unreadable("photos");
        _backups.Fakes[_backups.Root] = fake;

        await JudgeAsync();

        Assert.Equal((0, 0, 0), Select(_points[^1], changes => (changes.New, changes.Changed, changes.Gone)));
    }

    private async Task LiveAsync(int days = 9, bool furnish = true)
    {
        if (furnish)
        {
            Furnish();
        }

        for (int day = 0; day < days; day++)
        {
            ForEach(2, (_, i) => _backups.Tree.File($"documents/{i}.txt", Text((day * 10) + i + 9_000, 20_000)));
            Assert.Null(await JudgeAsync());
        }
    }

    private void Furnish()
    {
        for (int i = 0; i < Documents; i++)
        {
            _backups.Tree.File($"documents/{i}.txt", Text(i, 20_000));
        }

        for (int i = 0; i < Photos; i++)
        {
            _backups.Tree.File($"photos/{i}.jpg", Photo(i));
        }
    }

    private static void ForEach(int count, Action<string, int> change)
    {
        for (int i = 0; i < count; i++)
        {
            change(i < Documents ? $"documents/{i}.txt" : $"photos/{i - Documents}.jpg", i);
        }
    }

    private async Task<string?> JudgeAsync(params string[] sources)
    {
        _backups.Clock.Advance(TimeSpan.FromDays(1));
        RecoveryPoint point = (await _backups.BackUpAsync(Request(sources.Length == 0 ? [_backups.Root] : sources))).Point;

        // As it is read back.
        point = await (await _backups.OpenAsync()).GetPointAsync(point.SessionId.ToString(), null, Cancel);
        _points.Add(point);
        return UnusualBackup.Find(point, _points[..^1]);
    }

    private static T Select<T>(RecoveryPoint point, Func<SourceChanges, T> select) => select(point.Sources[0].Changes!);

    private static byte[] Noise(int length) => RandomNumberGenerator.GetBytes(length);

    private static byte[] Photo(int number) => Cryptography.TestKeys.Bytes(number, 40_000);

    private static byte[] Text(int number, int length)
    {
        var text = new StringBuilder();
        for (int line = 0; text.Length < length; line++)
        {
            text.Append("the quick brown fox number ").Append((number * 7_919) + line).Append(" jumps over the lazy dog\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }
}
