using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class RestoreLinkTests
{
    [Fact]
    public async Task Names_of_one_file_are_links_again()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Folder("d");
        ManifestEntry first = await vault.FileAsync("a", "linked");
        foreach (string name in (string[])["a", "b", "d/c", "other"])
        {
            vault.AddFile(name, "linked"u8.ToArray(), first.Content, first.Metadata with { LinkCount = 3, DeviceId = name == "other" ? 2UL : 1, FileId = 7 });
        }

        var target = new MemoryTarget();
        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Same(target["src/a"], target["src/b"]);
        Assert.Same(target["src/a"], target["src/d/c"]);
        Assert.NotSame(target["src/a"], target["src/other"]);
        Assert.Equal((4, 12, 12), (result.Files, plan.Bytes, result.Bytes));
    }

    [Fact]
    public async Task More_names_than_a_file_can_have_are_those_of_further_files()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry first = await vault.FileAsync("a0", "linked");
        for (int i = 0; i < 8; i++)
        {
            vault.AddFile($"a{i}", "linked"u8.ToArray(), first.Content, first.Metadata with { LinkCount = 8, DeviceId = 1, FileId = 7 });
        }

        var target = new MemoryTarget { MostNames = 3 };
        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal((8, 2), (result.Files, result.Skipped));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreMetadataFailed, item.Id));
        Assert.Equal(3, Enumerable.Range(0, 8).Select(i => target[$"src/a{i}"]).Distinct().Count());
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal("linked"u8.ToArray(), target[$"src/a{i}"].Content));
    }

    [Fact]
    public async Task A_file_that_took_over_a_number_is_no_link()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry a = await vault.FileAsync("a", "one");
        ManifestEntry b = await vault.FileAsync("b", "other");
        vault.Add(a with { Metadata = a.Metadata with { LinkCount = 2, DeviceId = 1, FileId = 7 } });
        vault.Add(b with { Metadata = b.Metadata with { LinkCount = 2, DeviceId = 1, FileId = 7 } });
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal("other"u8.ToArray(), target["src/b"].Content);
    }
}
