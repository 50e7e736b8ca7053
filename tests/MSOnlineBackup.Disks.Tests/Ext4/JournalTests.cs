using MSOnlineBackup.Disks.Tests.Images;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Ext4;

/// <summary>Images that were copied while they were mounted and written to, as a crash leaves them.</summary>
public sealed class JournalTests : IDisposable
{
    private const int MostAttempts = 5;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ext3", "-b 1024", "loop")]
    [InlineData("ext4", "-b 4096", "loop")]
    [InlineData("ext4", "-b 1024 -O 64bit,metadata_csum -J size=1", "loop")]
    [InlineData("ext4", "-b 1024 -O ^64bit,metadata_csum", "loop")]
    [InlineData("ext4", "-b 1024 -O ^64bit,^metadata_csum", "loop,journal_checksum")]
    [InlineData("ext4", "-b 1024 -O 64bit,^metadata_csum", "loop,data=writeback,journal_async_commit,journal_checksum")]
    [InlineData("ext4", "-b 1024 -O metadata_csum -J size=4", "loop,data=journal")]
    [InlineData("ext3", "-b 4096", "loop,data=journal")]
    public async Task What_is_read_is_what_recovery_would_show(string kind, string options, string mounting)
    {
        Ext4Image.Require(kind);

        // The system may bring everything to its place just before the copy is made, as when somebody else calls sync. Then all is right, and nothing was tried.
        bool wasTried = false;
        for (int attempt = 0; attempt < MostAttempts && !wasTried; attempt++)
        {
            wasTried = await ReadAsRecoveredAsync(Crash(kind, options, mounting));
        }

        Assert.True(wasTried, "The journal had nothing that was not in its place.");
    }

    // Whether it is another one without its journal.
    private async Task<bool> ReadAsRecoveredAsync(string copy)
    {
        Assert.Contains("needs_recovery", Shell.RunChecked("dumpe2fs", "-h", copy), StringComparison.Ordinal);
        Shell.RunChecked("cp", "--sparse=always", copy, _folder["recovered"]);

        using var content = new ImageFile(copy);
        IFileVolume volume = await MountedTree.OpenAsync(content);
        SortedDictionary<string, string> read = await MountedTree.OfAsync(volume, MountedTree.UnixFields);
        using MountedFileSystem mounted = MountedFileSystem.Again(_folder["recovered"], _folder["mount"]);

        MountedTree.AssertSame(MountedTree.Of(_folder["mount"], "%m %U %G %T@ %n %i"), read);
        Assert.Contains("last/number 5", read.Keys);
        Assert.DoesNotContain("many/number 5", read.Keys);

        Shell.RunChecked("debugfs", "-w", "-R", "feature -needs_recovery", copy);
        using var without = new ImageFile(copy);
        try
        {
            SortedDictionary<string, string> stale = await MountedTree.OfAsync(await MountedTree.OpenAsync(without), MountedTree.UnixFields);
            return !read.SequenceEqual(stale);
        }
        catch (BackupException e)
        {
            Assert.Equal(BackupErrorId.VolumeCorrupt, e.Id);
            return true;
        }
    }

    [Fact]
    public async Task Altered_journals_give_values_or_errors()
    {
        Ext4Image.Require();
        foreach (string options in (string[])["-b 1024 -O ^metadata_csum -J size=1", "-b 1024 -O metadata_csum -J size=1"])
        {
            byte[] image = await File.ReadAllBytesAsync(Crash("ext4", options, "loop", 6 << 20, 60), TestContext.Current.CancellationToken);

            await Damage.TryAsync(image, Campaign.Rounds(usual: 150, full: 30_000));
        }
    }

    // What was written and is on the disk, what is in the journal only, and what was not yet written.
    private string Crash(string kind, string options, string mounting, long size = 48 << 20, int names = 300)
    {
        string image = _folder[$"image {options}"];
        string root = Directory.CreateDirectory(_folder["mount"]).FullName;
        File.Delete(image);
        MountedFileSystem.InImage(image, root, kind, size, options.Split(' ')).Dispose();
        using MountedFileSystem mounted = MountedFileSystem.Again(image, root, mounting);
        Directory.CreateDirectory(Path.Combine(root, "many"));
        Directory.CreateDirectory(Path.Combine(root, "last"));
        for (int round = 0; round < 6; round++)
        {
            // Blocks of folders that are freed are revoked, and used again for others and for content.
            string some = Directory.CreateDirectory(Path.Combine(root, "many", $"round {round}")).FullName;
            for (int i = 0; i < names; i++)
            {
                File.WriteAllText(Path.Combine(some, $"a name that is somewhat longer {i:D5}"), "");
            }

            Shell.RunChecked("sync", "-f", root);
            if (round % 2 == 0)
            {
                Directory.Delete(some, recursive: true);
            }

            // Begins as the journal's own blocks do, so that it is escaped where content goes through the journal.
            byte[] content = new byte[20_000];
            new Random(round).NextBytes(content);
            new byte[] { 0xC0, 0x3B, 0x39, 0x98 }.CopyTo(content, 0);
            new byte[] { 0xC0, 0x3B, 0x39, 0x98 }.CopyTo(content, 8192);
            string number = Path.Combine(root, "many", $"number {round}");
            File.WriteAllBytes(number, content);
            Shell.RunChecked("sync", number);
            File.Move(number, Path.Combine(root, "last", $"number {round}"));
            Shell.RunChecked("sync", Path.Combine(root, "last"));
        }

        File.WriteAllText(Path.Combine(root, "not yet"), "written");
        Shell.RunChecked("cp", "--sparse=always", image, _folder["copy"]);
        return _folder["copy"];
    }
}
