using MSOnlineBackup.Agent;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What others may build on changes on purpose only. OB_RECORD_API=1 records it anew.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(ItemTime))]
    [InlineData(typeof(Vault))]
    [InlineData(typeof(VaultFiles))]
    [InlineData(typeof(BackupAgent))]
    [InlineData(typeof(BlobVaultStore))]
    [InlineData(typeof(VaultStores))]
    public void What_an_assembly_shows_is_what_is_recorded(Type one)
    {
        string file = Path.Combine(Repository.Root, "tests", "fixtures", "api", one.Assembly.GetName().Name + ".txt");
        IReadOnlyList<string> shown = PublicApi.Describe(one.Assembly);
        if (Environment.GetEnvironmentVariable("OB_RECORD_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllLines(file, shown);
        }

        string[] recorded = File.ReadAllLines(file);
        Assert.Equal([], shown.Except(recorded).Select(line => "new: " + line).Concat(recorded.Except(shown).Select(line => "gone: " + line)));
    }
}
