using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>Long streams of a vault are read by the document alone.</summary>
public sealed class LongStreamVaultTests
{
    [Fact]
    public async Task Long_streams_of_files_and_folders_are_read_by_the_document_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        byte[] content = TestKeys.Bytes(740, 5 << 20);
        FakeSourceTree tree = new FakeSourceTree("/data").Folder("").File("file", [1, 2, 3]);
        tree[""].With(new FakeStream("of the root", 9 << 20, (4 << 20, [5, 6])));
        tree["file"].With(new FakeStream("of the file", content)).With(new FakeStream("short", [7]));
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["vault"]);
        var objects = new FolderVaultStore(folder["vault"]);
        await Vault.CreateAsync(objects, SampleVault.Passphrase, new VaultOptions(), TestContext.Current.CancellationToken);
        using UnlockedVault vault = await TestVault.UnlockAsync(objects, SampleVault.Passphrase, new VaultOptions(), TestContext.Current.CancellationToken);
        var request = new BackupRequest
        {
            MachineName = "machine",
            Sources = [new BackupSource.Tree("/data", SourceSelection.Everything)],
            OpenSource = _ => tree,
        };
        await vault.BackUpAsync(request, new JobMonitor(), TestContext.Current.CancellationToken);

        var reader = new IndependentReader(folder["vault"], SampleVault.Passphrase);
        List<IndependentEntry> entries = reader.Entries(Assert.Single(reader.Points()).GetProperty("sources")[0]);

        byte[] sparse = new byte[9 << 20];
        (sparse[4 << 20], sparse[(4 << 20) + 1]) = (5, 6);
        Assert.Equal([(5, "short"), (9, "of the file")], entries[1].Attributes.Select(attribute => ((int)attribute.Tag, System.Text.Encoding.UTF8.GetString(attribute.Name))));
        Assert.True(content.AsSpan().SequenceEqual(reader.LongStream(entries[1].Attributes[1].Value)));
        Assert.True(sparse.AsSpan().SequenceEqual(reader.LongStream(Assert.Single(entries[0].Attributes).Value)));
    }
}
