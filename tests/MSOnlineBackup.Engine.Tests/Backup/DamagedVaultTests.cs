using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>Backups into a vault that was damaged since: what they commit is whole, and they say what they met.</summary>
public sealed class DamagedVaultTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Testing.Campaign.Rounds(24, 400))];

    public void Dispose() => _backups.Dispose();

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task After_any_flipped_bits_of_packs_the_next_point_is_whole_and_says_what_was_damaged(int seed)
    {
        var random = new Random(seed);
        _backups.Tree.Populate(seed, items: 60, largestFile: 60_000).Describe("f large 1M\nh link = large\nf z/small 5K");
        await _backups.BackUpAsync();
        _backups.Tree.Edit(seed, random.Next(8), largestFile: 60_000);
        await _backups.BackUpAsync();
        for (int flips = 1 + random.Next(4); flips > 0; flips--)
        {
            string pack = _backups.Packs[random.Next(_backups.Packs.Count)];
            _backups.Objects.FlipBit(pack, random.Next(_backups.Objects.GetContent(pack).Length), random.Next(8));
        }

        BackupResult healed = await _backups.BackUpAsync(Request(_backups.Root) with { ReadEverything = seed % 4 == 0 });

        await AssertWholeAsync(healed.Point);
        BackupResult next = await _backups.BackUpAsync();
        await AssertWholeAsync(next.Point);
        Assert.Equal(0, next.ReadBytes);

        // Whoever reads from another copy says so until the vault is mended.
        using (UnlockedVault vault = await _backups.OpenAsync())
        {
            await vault.RepairAsync(new RepairRequest(), new JobMonitor(), Cancel);
        }

        Assert.Equal(RecoveryPointStatus.Completed, (await _backups.BackUpAsync()).Point.Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_that_does_not_open_is_read_again_told_and_stored_anew(bool readEverything)
    {
        _backups.Tree.Describe("f a 700K\nf b 5K\nf c 5K");
        BackupResult first = await _backups.BackUpAsync();
        FlipIn(PackKind.Data, PackFormat.HeaderLength + 100);
        var damage = new List<BackupException>();

        BackupResult healed = await _backups.BackUpAsync(
            Request(_backups.Root) with { ReadEverything = readEverything }, new JobMonitor { VaultDamaged = damage.Add });

        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, healed.Point.Status);
        Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Single(damage).Id);
        Assert.InRange(healed.Point.NewBytes, 1, long.MaxValue);
        await AssertWholeAsync(healed.Point);

        // What is cut the same has the same name: the earlier point is whole again too.
        await AssertWholeAsync(first.Point);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_block_of_metadata_that_does_not_open_is_stored_anew(bool readEverything)
    {
        for (int i = 0; i < 9000; i++)
        {
            _backups.Tree.File($"d{i % 7}/file-{i:d5}", 10 + (i % 50), seed: i);
        }

        await _backups.BackUpAsync();
        FlipIn(PackKind.Metadata, PackFormat.HeaderLength + 100);

        BackupResult healed = await _backups.BackUpAsync(Request(_backups.Root) with { ReadEverything = readEverything });

        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, healed.Point.Status);
        await AssertWholeAsync(healed.Point);
        if (!readEverything)
        {
            // The other blocks hold as before.
            Assert.InRange(healed.UnchangedFiles, 100, 8999);
        }
    }

    [Fact]
    public async Task A_folder_that_cannot_be_listed_keeps_what_the_damaged_manifest_still_tells_of_it()
    {
        byte[] content = TestKeys.Bytes(1, 500);
        var source = new FakeSourceTree("/data").Folder("").Folder("folder");
        for (int i = 0; i < 20_000; i++)
        {
            source.File($"folder/a-rather-long-name-of-a-file-{i:d5}", content);
        }

        _backups.Fakes["/data"] = source;
        BackupResult first = await _backups.BackUpAsync(Request("/data"));
        FlipIn(PackKind.Metadata, PackFormat.HeaderLength + 100);
        source = _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").Folder("folder");
        source["folder"].Refuses = FakeSourceTree.Unreadable("/data/folder");

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.InRange(result.Point.Sources[0].Manifest.Files, 100, first.Point.Sources[0].Manifest.Files - 1);
        Assert.Contains(await _backups.SkippedAsync(result.Point), item => item.Id == BackupErrorId.VaultDataCorrupt);
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, result.Point.Status);
    }

    [Fact]
    public async Task What_is_damaged_and_gone_from_the_source_since_is_told_by_name()
    {
        byte[] content = TestKeys.Bytes(1, 300_000);
        _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", content).File("b", TestKeys.Bytes(2, 5000));
        await _backups.BackUpAsync(Request("/data"));
        string largest = _backups.Packs.MaxBy(name => _backups.Objects.GetContent(name).Length)!;
        _backups.Objects.FlipBit(largest, _backups.Objects.GetContent(largest).Length / 2);
        FakeSourceTree source = _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", content).File("b", TestKeys.Bytes(2, 5000));
        source["a"].RefusesOpen = FakeSourceTree.Unreadable("/data/a");

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        SkippedItem told = Assert.Single(await _backups.SkippedAsync(result.Point));
        Assert.Equal(("/data/a", BackupErrorId.VaultDataCorrupt), (told.Path, told.Id));
        Assert.Equal(EntryFlags.KeptFromEarlier, (await _backups.EntriesAsync(result.Point))["/data/a"].Flags);
        Assert.Equal(TestKeys.Bytes(2, 5000), await _backups.ReadAsync(result.Point, "/data/b"));
    }

    private void FlipIn(PackKind kind, int offset)
    {
        string pack = _backups.Packs.First(name =>
            _backups.Objects.GetContent(name) is var content && content[PackFormat.KindOffset] == (byte)kind && content.Length > offset + 100);
        _backups.Objects.FlipBit(pack, offset);
    }

    private async Task AssertWholeAsync(RecoveryPoint point)
    {
        ChunkStore store = await _backups.OpenStoreAsync();
        var reader = new EntryContentReader(store);
        (ChunkId Id, ReadOnlyMemory<byte> Content) bundle = default;
        foreach ((string path, ManifestEntry entry) in await _backups.EntriesAsync(point))
        {
            if (entry.Kind != EntryKind.File)
            {
                continue;
            }

            using FileStream file = UnixFile.Open(EntryName.Unescape(path), FileAccess.Read);
            await foreach (ContentSlice slice in reader.ReadAsync(entry.Content, Cancel))
            {
                byte[] expected = new byte[slice.Length];
                await file.ReadExactlyAsync(expected, Cancel);
                if (slice.Chunk is { } chunk && chunk != bundle.Id)
                {
                    bundle = (chunk, await store.ReadAsync(ChunkKind.Content, chunk, Cancel));
                }

                ReadOnlyMemory<byte> stored = slice.Chunk is null ? new byte[slice.Length] : bundle.Content.Slice(slice.Offset, (int)slice.Length);
                Assert.True(stored.Span.SequenceEqual(expected), path);
            }

            Assert.Equal(file.Length, file.Position);
        }
    }
}
