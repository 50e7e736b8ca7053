using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

public sealed class RecoveryPointsOfBackupsTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task Points_are_listed_newest_first_and_found_by_the_beginning_of_their_id()
    {
        _backups.Tree.File("a", 10);
        var made = new List<SessionId>();
        for (int i = 0; i < 3; i++)
        {
            made.Insert(
                0, (await _backups.BackUpAsync(Request(_backups.Root) with { MachineName = i == 1 ? "Other" : BackupFixture.Machine })).Point.SessionId);
        }

        UnlockedVault engine = await _backups.OpenAsync();
        Assert.Equal(made, (await engine.ListPointsAsync(null, Cancel)).Select(point => point.SessionId));
        Assert.Equal([made[1]], (await engine.ListPointsAsync("OTHER", Cancel)).Select(point => point.SessionId));
        Assert.Equal(made[0], (await engine.GetPointAsync("latest", null, Cancel)).SessionId);
        Assert.Equal(made[1], (await engine.GetPointAsync("latest", "other", Cancel)).SessionId);
        Assert.Equal(made[2], (await engine.GetPointAsync(made[2].ToString().ToUpperInvariant(), null, Cancel)).SessionId);

        string common = new([.. made[0].ToString().TakeWhile((c, i) => made[1].ToString()[i] == c)]);
        Assert.Equal(BackupErrorId.RecoveryPointAmbiguous, await FaultAsync(engine, common));
        Assert.Equal(made[0], (await engine.GetPointAsync(made[0].ToString()[..(common.Length + 1)], null, Cancel)).SessionId);
        Assert.Equal(BackupErrorId.RecoveryPointNotFound, await FaultAsync(engine, "ffff"));
        Assert.Equal(BackupErrorId.RecoveryPointNotFound, await FaultAsync(engine, made[0] + "0"));
    }

    [Fact]
    public async Task An_empty_vault_has_no_latest_point() =>
        Assert.Equal(BackupErrorId.RecoveryPointNotFound, await FaultAsync(await _backups.OpenAsync(), "latest"));

    [Theory]
    [InlineData("latest", null, "The vault has no recovery point.")]
    [InlineData("latest", "other", "The vault has no recovery point of a machine 'other'.")]
    [InlineData("ff", null, "The vault has no recovery point that begins with 'ff'.")]
    [InlineData("ff", "other", "The vault has no recovery point of a machine 'other' that begins with 'ff'.")]
    public async Task That_a_point_is_not_there_says_what_was_looked_for(string point, string? machine, string said)
    {
        UnlockedVault engine = await _backups.OpenAsync();

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => engine.GetPointAsync(point, machine, Cancel));

        Assert.Equal(said, error.Message);
    }

    [Fact]
    public async Task Items_are_listed_and_found()
    {
        _backups.Tree.Describe("f a.txt 10\nd sub\nf sub/b.txt 10\nf sub/c.bin 10");
        RecoveryPoint point = (await _backups.BackUpAsync()).Point;
        UnlockedVault engine = await _backups.OpenAsync();

        Assert.Equal(["a.txt", "sub"], await NamesAsync(engine.ListItemsAsync(point, _backups.Root, recursive: false, Cancel)));
        Assert.Equal(["sub", "sub/b.txt", "sub/c.bin"], await NamesAsync(engine.ListItemsAsync(point, $"{_backups.Root}/sub", recursive: true, Cancel)));
        Assert.Equal(["a.txt", "sub/b.txt"], await NamesAsync(engine.FindItemsAsync(point, "*.TXT", ignoreCase: true, Cancel)));
        BackupException fault = await Assert.ThrowsAsync<BackupException>(
            async () => await engine.ListItemsAsync(point, $"{_backups.Root}/none", recursive: false, Cancel).ToListAsync(Cancel));
        Assert.Equal(BackupErrorId.RecoverableItemNotFound, fault.Id);
    }

    [Fact]
    public async Task Exclusions_keep_out_what_they_name_and_a_preview_says_the_same_without_writing()
    {
        _backups.Tree.Describe("f keep 10\nf drop.tmp 10\nf sub/drop.tmp 10\nf sub/keep 10\nf cache/x 10\nf big 2M");
        BackupRequest request = Request() with
        {
            Sources = [new BackupSource.Tree(_backups.Root, new SourceSelection { Exclude = ["*.tmp", "cache/"], ExcludeLargerThan = 1 << 20 })],
        };
        UnlockedVault engine = await _backups.OpenAsync();
        string[] before = [.. _backups.Objects.Names];

        List<BackupPreviewItem> preview = await (await engine.IndexAsync(Cancel)).PreviewAsync(request, Cancel).ToListAsync(Cancel);

        Assert.Equal(before, _backups.Objects.Names);
        Assert.All(preview, item => Assert.Equal(PreviewChange.New, item.Change));
        BackupResult result = await _backups.BackUpAsync(request);
        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(preview.Select(item => item.Path), entries.Keys);
        Assert.Equal(["", "/keep", "/sub", "/sub/keep"], entries.Keys.Select(path => path[_backups.Root.Length..]).Order(StringComparer.Ordinal));

        _backups.Tree.File("sub/keep", 11);
        _backups.Tree.File("sub/new", 11);
        Dictionary<string, PreviewChange> later =
            (await (await engine.IndexAsync(Cancel)).PreviewAsync(request, Cancel).ToListAsync(Cancel)).ToDictionary(item => item.Path, item => item.Change);
        Assert.Equal(PreviewChange.Unchanged, later[$"{_backups.Root}/keep"]);
        Assert.Equal(PreviewChange.Changed, later[$"{_backups.Root}/sub/keep"]);
        Assert.Equal(PreviewChange.New, later[$"{_backups.Root}/sub/new"]);
    }

    [Fact]
    public async Task A_point_says_what_it_is_of()
    {
        _backups.Tree.Describe("f a 10\nf b 20\nd sub");
        RecoveryPoint point = (await _backups.BackUpAsync(Request(_backups.Root) with { Tags = ["weekly", "é"] })).Point;

        RecoveryPoint read = await (await _backups.OpenAsync()).GetPointAsync("latest", null, Cancel);

        Assert.Equal(point.Sources, read.Sources);
        Assert.Equal(["weekly", "é"], read.Tags);
        ManifestRoot manifest = Assert.Single(read.Sources).Manifest;
        Assert.Equal((4, 2, 2, 30), (manifest.Entries, manifest.Files, manifest.Directories, manifest.Bytes));
        Assert.Equal((RecoveryPointStatus.Completed, BackupFixture.Machine), (read.Status, read.MachineName));
    }

    [Fact]
    public async Task Contents_go_into_the_tier_that_the_owner_chose_and_all_else_stays_hot()
    {
        _backups.Tree.Describe("f a 10\nf b 2M");
        await _backups.OpenAsync();
        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, settings => settings with { AccessTier = VaultAccessTier.Cold }, Cancel);

        await _backups.BackUpAsync();

        ILookup<VaultAccessTier, string> tiers = _backups.Objects.Names.ToLookup(_backups.Objects.TierOf);
        ILookup<PackKind, string> packs = _backups.Packs.ToLookup(name => (PackKind)_backups.Objects.GetContent(name)[PackFormat.KindOffset]);
        Assert.NotEmpty(packs[PackKind.Data]);
        Assert.NotEmpty(packs[PackKind.Metadata]);
        Assert.Equal(packs[PackKind.Data], tiers[VaultAccessTier.Cold]);
        Assert.Empty(tiers[VaultAccessTier.Cool]);
    }

    [Fact]
    public async Task Damaged_settings_of_the_vault_are_told_and_stop_no_backup()
    {
        _backups.Tree.File("a", 10);
        await _backups.BackUpAsync();
        _backups.Tree.File("b", 10);
        _backups.Objects.SetContent("settings/00000001", "{"u8.ToArray());
        var damage = new List<BackupException>();

        await _backups.BackUpAsync(monitor: new JobMonitor { VaultDamaged = damage.Add });

        Assert.Equal("settings/00000001", Assert.Single(damage).Target);
        Assert.All(_backups.Packs, name => Assert.Equal(VaultAccessTier.Hot, _backups.Objects.TierOf(name)));
    }

    private async Task<List<string>> NamesAsync(IAsyncEnumerable<RecoverableItem> items) =>
        [.. (await items.ToListAsync(Cancel)).Select(item => item.FullPath[(_backups.Root.Length + 1)..])];

    private static async Task<BackupErrorId> FaultAsync(UnlockedVault engine, string id) =>
        (await Assert.ThrowsAsync<BackupException>(() => engine.GetPointAsync(id, null, Cancel))).Id;
}
