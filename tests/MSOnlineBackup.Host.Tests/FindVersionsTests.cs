using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What <c>find --all-points</c> says.</summary>
public sealed class FindVersionsTests : IDisposable
{
    private readonly HostVault _vault = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task It_shows_each_path_once_with_its_versions_and_the_points_that_have_them()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory($"{_vault.Source}/sub");
        await WriteAsync("a.txt", "one");
        await WriteAsync("sub/b.txt", "same");
        await WriteAsync("c.bin", "other");
        string first = await _vault.BackUpAsync();
        string second = await _vault.BackUpAsync("--force");
        await WriteAsync("a.txt", "changed");
        string third = await _vault.BackUpAsync();

        JsonElement[] lines = (await _vault.LinesAsync("find", "*.TXT", "-i", "--all-points")).Lines;

        Assert.Equal(
            [("a.txt", 7, third, third, 1), ("a.txt", 3, first, second, 2), ("sub/b.txt", 4, first, third, 3)],
            lines[..^1].Select(line => (
                line.GetProperty("path").GetString()![(_vault.Source.Length + 1)..],
                line.GetProperty("bytes").GetInt32(),
                line.GetProperty("firstPointId").GetString()!,
                line.GetProperty("lastPointId").GetString()!,
                line.GetProperty("points").GetInt32())));
        Assert.Equal(("find --all-points", 3), (lines[^1].GetProperty("command").GetString(), lines[^1].GetProperty("count").GetInt32()));

        string[] text = (await _vault.RunAsync("find", "*.txt", "--all-points")).Output.TrimEnd().Split('\n');
        Assert.Equal([$"{_vault.Source}/a.txt", $"{_vault.Source}/sub/b.txt"], text.Where(line => !line.StartsWith(' ')));
        Assert.EndsWith($"in {third[..12]}", text[1], StringComparison.Ordinal);
        Assert.EndsWith($"in 2 points, {first[..12]} to {second[..12]}", text[2], StringComparison.Ordinal);
        Assert.Equal("Nothing matches.\n", (await _vault.RunAsync("find", "none", "--all-points")).Output);
        Assert.Equal(2, (await _vault.RunAsync("find", "none", "--all-points", "--point", "latest")).ExitCode);
    }

    [Fact]
    public async Task Machines_are_told_apart()
    {
        await _vault.CreateAsync();
        Directory.CreateDirectory(_vault.Source);
        await WriteAsync("a.txt", "one");
        await _vault.BackUpAsync();
        await _vault.SummaryAsync(0, "backup", _vault.Source, "--machine", "BETA");

        string[] text = (await _vault.RunAsync("find", "a.txt", "--all-points")).Output.TrimEnd().Split('\n');

        Assert.Equal([$"{_vault.Source}/a.txt  (BETA)", $"{_vault.Source}/a.txt  (ALPHA)"], text.Where(line => !line.StartsWith(' ')));
        Assert.Equal(4, text.Length);
        Assert.Equal(2, (await _vault.LinesAsync("find", "a.txt", "--all-points", "--machine", "beta")).Lines.Length);
    }

    private async Task WriteAsync(string name, string content) => await File.WriteAllTextAsync($"{_vault.Source}/{name}", content, Cancel);
}
