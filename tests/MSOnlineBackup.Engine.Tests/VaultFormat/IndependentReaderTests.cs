using System.Text;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>What the engine writes can be read by somebody who has only <c>docs/vault-format.md</c>.</summary>
public sealed class IndependentReaderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_vault_is_read_by_the_document_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        using var folder = new TempFolder();
        await SampleVault.MakeAsync(folder["vault"], folder["source"], TimeProvider.System, Cancel);

        AssertHoldsTheSample(folder["vault"]);
    }

    [Fact]
    public async Task A_point_that_was_deleted_is_hidden_by_the_document_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        using var folder = new TempFolder();
        await SampleVault.MakeAsync(folder["vault"], folder["source"], TimeProvider.System, Cancel);
        using UnlockedVault vault = await TestVault.UnlockAsync(new FolderVaultStore(folder["vault"]), SampleVault.Passphrase, new VaultOptions(), Cancel);
        RecoveryPoint older = (await vault.ListPointsAsync(null, Cancel))[1];
        await vault.Deletions.DeleteAsync(older, "", Cancel);
        Assert.Single(new IndependentReader(folder["vault"], SampleVault.Passphrase).Points());

        await vault.Deletions.RestoreAsync(older.SessionId.ToString(), null, Cancel);

        AssertHoldsTheSample(folder["vault"]);
    }

    [Fact]
    public async Task A_vault_whose_master_key_was_rotated_is_read_by_the_document_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        using var folder = new TempFolder();
        await SampleVault.MakeAsync(folder["vault"], folder["source"], TimeProvider.System, Cancel);
        using UnlockedVault vault = await TestVault.UnlockAsync(new FolderVaultStore(folder["vault"]), SampleVault.Passphrase, new VaultOptions(), Cancel);
        await vault.RotateKeyAsync("a passphrase in between", Cancel);
        await vault.RotateKeyAsync(SampleVault.Passphrase, Cancel);
        AssertHoldsTheSample(folder["vault"]);

        MaintenanceReport report =
            await vault.MaintainAsync(new MaintenanceRequest { ReencryptBytes = 1 << 30, ShutOutAfter = TimeSpan.Zero }, new JobMonitor(), Cancel);

        Assert.True(report.Packs.BytesRepacked > 0);
        AssertHoldsTheSample(folder["vault"]);
        Assert.All(new IndependentReader(folder["vault"], SampleVault.Passphrase).Packs(), pack => Assert.Equal(2, pack[7]));
    }

    /// <summary>Reads every file of both points and compares it with what was backed up.</summary>
    internal static void AssertHoldsTheSample(string vault)
    {
        var reader = new IndependentReader(vault, SampleVault.Passphrase);
        JsonElement[] points = [.. reader.Points()];
        Assert.Equal(2, points.Length);
        Assert.Equal(points[0].GetProperty("session").GetString(), points[1].GetProperty("parent").GetString());
        for (int number = 1; number <= 2; number++)
        {
            JsonElement point = points[number - 1];
            Assert.Equal(SampleVault.MachineName, point.GetProperty("machineName").GetString());
            Assert.Equal($"point {number}", Assert.Single(point.GetProperty("tags").EnumerateArray()).GetString());
            JsonElement[] sources = [.. point.GetProperty("sources").EnumerateArray()];
            Assert.Equal(4, sources.Length);
            List<IndependentEntry> entries = reader.Entries(sources[0]);
            Dictionary<string, IndependentEntry> files = entries.Where(entry => entry.Kind == 1).ToDictionary(entry => Encoding.Latin1.GetString(entry.Path));

            IReadOnlyDictionary<string, byte[]> expected = SampleVault.Files(number);
            Assert.Equal(

                [
                    .. expected.Keys.Append("not UTF-8 \xff\xfe").Append(number == 1 ? "becomes a folder" : "becomes a folder/below")
                        .Order(StringComparer.Ordinal),
                ],
                files.Keys.Order(StringComparer.Ordinal));
            foreach ((string path, byte[] content) in expected)
            {
                Assert.True(content.AsSpan().SequenceEqual(reader.Content(files[path])), $"{path} of point {number}");
            }

            Assert.Equal("raw"u8.ToArray(), reader.Content(files["not UTF-8 \xff\xfe"]));
            Assert.Equal(2, files["link"].Links);
            Assert.Equal(0b110_000_000, files["folder/one"].Mode);
            Assert.Single(entries, entry => entry.Kind == 4);
            Assert.Equal(SampleVault.SingleFile, reader.Content(Assert.Single(reader.Entries(sources[2]))));
            Assert.Equal(SampleVault.StreamName, sources[3].GetProperty("path").GetString());
            Assert.Equal(SampleVault.StreamContent(number), reader.Content(Assert.Single(reader.Entries(sources[3]))));
            Assert.Equal("folder/one"u8.ToArray(), Assert.Single(entries, entry => entry.Kind == 3).LinkTarget);
        }
    }
}
