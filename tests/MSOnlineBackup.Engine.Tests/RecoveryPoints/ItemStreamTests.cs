using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

/// <summary>A file of a recovery point as a stream.</summary>
public sealed class ItemStreamTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData("f file 0")]
    [InlineData("f file 1")]
    [InlineData("f file 100K")]
    [InlineData("f file 9M")]
    [InlineData("s file 6M 1M@1M 300K@4M")]
    public async Task A_file_reads_as_it_was_from_the_beginning_and_from_anywhere(string described)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        _backups.Tree.Describe(described);
        byte[] expected = await File.ReadAllBytesAsync(Path.Combine(_backups.Root, "file"), Cancel);
        (IndexedVault vault, RecoverableItem item) = await FileAsync();

        await using Stream stream = vault.OpenRead(item);

        var whole = new MemoryStream();
        await stream.CopyToAsync(whole, Cancel);
        Assert.Equal(expected.Length, stream.Length);
        Assert.True(expected.AsSpan().SequenceEqual(whole.ToArray()));
        Assert.Equal(0, await stream.ReadAsync(new byte[1], Cancel));
        var random = new Random(1);
        for (int i = 0; i < 60 && expected.Length > 0; i++)
        {
            int at = random.Next(expected.Length);
            byte[] part = new byte[Math.Min(random.Next(1, 3_000_000), expected.Length - at)];
            stream.Seek(at, SeekOrigin.Begin);
            await stream.ReadExactlyAsync(part, Cancel);
            Assert.True(expected.AsSpan(at, part.Length).SequenceEqual(part), $"{part.Length} bytes at {at}");
        }

        stream.Seek(10, SeekOrigin.End);
        Assert.Equal(0, ReadAtOnce(stream));
    }

    [Fact]
    public async Task What_is_no_file_has_no_stream_and_damage_is_told_where_it_is_met()
    {
        _backups.Tree.Describe("f file 3M");
        (IndexedVault vault, RecoverableItem item) = await FileAsync();
        RecoverableItem folder = item with { Entry = item.Entry with { Kind = EntryKind.Directory } };
        Assert.Equal(BackupErrorId.RestoreItemFailed, Assert.Throws<BackupException>(() => vault.OpenRead(folder)).Id);
        foreach (string pack in _backups.Packs)
        {
            _backups.Objects.Damage(pack, content => [.. content.Select((b, i) => i == content.Length / 2 ? (byte)(b ^ 1) : b)]);
        }

        await using Stream stream = vault.OpenRead(item);

        Assert.True((await Assert.ThrowsAsync<BackupException>(() => stream.CopyToAsync(Stream.Null, Cancel))).IsDamage);
    }

    private static int ReadAtOnce(Stream stream) => stream.Read(new byte[1], 0, 1);

    private async Task<(IndexedVault Vault, RecoverableItem Item)> FileAsync()
    {
        BackupResult backup = await _backups.BackUpAsync();
        IndexedVault vault = await (await _backups.OpenAsync()).IndexAsync(Cancel);
        return (vault, await vault.ListItemsAsync(backup.Point, Path.Combine(_backups.Root, "file"), recursive: false, Cancel).SingleAsync(Cancel));
    }
}
