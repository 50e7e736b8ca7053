using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class RepairDataTests : IDisposable
{
    private readonly HostVault _vault = new();

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task A_damaged_pack_is_told_mended_and_stored_again_by_the_next_backup()
    {
        await MakeAsync();
        string pack = Damage();

        JsonElement planned = await _vault.SummaryAsync(1, "repair", "--dry-run");
        Assert.True(planned.GetProperty("rehearsal").GetBoolean());
        Assert.Equal((1, 1), (planned.GetProperty("packsDamaged").GetInt32(), planned.GetProperty("chunksLost").GetInt32()));
        Assert.True(File.Exists(pack));

        (int exitCode, string output, _) = await _vault.RunAsync("repair", "data");
        Assert.Equal(1, exitCode);
        Assert.Contains($"DAMAGED  stores/", output, StringComparison.Ordinal);
        Assert.Contains("1 lost", output, StringComparison.Ordinal);
        Assert.Contains(_vault.Source, output, StringComparison.Ordinal);
        Assert.Contains("deleted   1 damaged pack", output, StringComparison.Ordinal);
        Assert.False(File.Exists(pack));

        await _vault.BackUpAsync();
        Assert.Equal(0, (await _vault.RunAsync("verify", "--read-data")).ExitCode);
        JsonElement again = await _vault.SummaryAsync(0, "repair");
        Assert.Equal((0, 0), (again.GetProperty("packsDamaged").GetInt32(), again.GetProperty("findings").GetInt32()));
    }

    [Fact]
    public async Task Without_reading_packs_a_changed_byte_is_not_seen()
    {
        await MakeAsync();
        Damage();

        JsonElement read = await _vault.SummaryAsync(0, "repair", "--share", "0");

        Assert.Equal(0, read.GetProperty("packsRead").GetInt32());
        Assert.NotEqual(0, (await _vault.RunAsync("repair", "--share", "101")).ExitCode);
    }

    private async Task MakeAsync()
    {
        await _vault.CreateAsync();
        new SourceTreeBuilder(_vault.Source).File("large", 3_000_000, seed: 1).File("other", 1_000_000, seed: 2);
        await _vault.BackUpAsync();
    }

    // One byte of the largest pack.
    private string Damage()
    {
        string pack = _vault.FilesIn("packs").MaxBy(file => file.Length)!.FullName;
        byte[] content = File.ReadAllBytes(pack);
        content[100] ^= 1;
        File.SetAttributes(pack, FileAttributes.Normal);
        File.WriteAllBytes(pack, content);
        return pack;
    }
}
