using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Progress;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Backup;

public class CompressionTests
{
    [Fact]
    public async Task Each_level_comes_back_exactly_and_trying_harder_stores_less()
    {
        var stored = new List<long>();
        foreach (Compression compression in (Compression[])[Compression.Fastest, Compression.Default, Compression.Better, Compression.Max])
        {
            using var backup = new BackupFixture();
            Describe(backup);

            BackupResult result = await backup.BackUpAsync(BackupFixture.Request(backup.Root) with { Compression = compression });

            stored.Add(result.Point.StoredBytes);
            using var target = new TempFolder();
            UnlockedVault vault = await backup.OpenAsync();
            RestoreResult restored = await vault.RestoreAsync(
                new RestoreRequest { Point = result.Point, TargetFolder = target.Path, Verify = true }, new JobMonitor(), BackupFixture.Cancel);
            Assert.Equal((0, restored.Files), (restored.Skipped, restored.Verified));
            Assert.Empty(TreeComparer.Compare(backup.Root, target.Path + backup.Root));
        }

        Assert.Equal(stored.OrderDescending(), stored);
        Assert.Equal(4, stored.Distinct().Count());
    }

    [Fact]
    public async Task What_the_vault_has_is_not_stored_again_because_the_level_is_another()
    {
        using var backup = new BackupFixture();
        Describe(backup);
        await backup.BackUpAsync();

        BackupResult again = await backup.BackUpAsync(BackupFixture.Request(backup.Root) with { Compression = Compression.Max, ReadEverything = true });

        Assert.Equal(0, again.Point.NewBytes);
        await backup.AssertNothingStoredTwiceAsync();
    }

    // A text of two million characters, and one that goes into a bundle.
    private static void Describe(BackupFixture backup)
    {
        backup.Tree.Describe("d text");
        var random = new Random(7);
        string[] words =
            [.. Enumerable.Range(0, 4000).Select(_ => new string([.. Enumerable.Range(0, random.Next(2, 11)).Select(_ => (char)('a' + random.Next(26)))]))];
        var text = new StringBuilder();
        while (text.Length < 2_000_000)
        {
            text.Append(words[(int)(words.Length * Math.Pow(random.NextDouble(), 3))]).Append(random.Next(12) == 0 ? '\n' : ' ');
        }

        File.WriteAllText(Path.Combine(backup.Root, "text/large"), text.ToString());
        File.WriteAllText(Path.Combine(backup.Root, "text/small"), text.ToString(500_000, 100_000));
    }
}
