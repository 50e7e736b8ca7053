using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What <c>diff</c> says of two points of one vault.</summary>
public sealed class DiffTests : IDisposable
{
    private readonly HostVault _vault = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task It_lists_what_was_added_changed_and_gone_and_what_it_weighs()
    {
        (string before, string after) = await MakeAsync();

        (int code, string output, _) = await _vault.RunAsync("diff", before[..12], after[..12]);

        Assert.Equal(0, code);
        string root = _vault.Source;
        string[] lines = output.TrimEnd().Split('\n');
        Assert.StartsWith($"~ {root}/keep/changed  (content, modified; 2.93 KiB, 2.9", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"~ {root}/keep/mode  (mode; 10 B", lines[1], StringComparison.Ordinal);
        Assert.Equal($"- {root}/keep/old  (20 B)", lines[2]);
        Assert.Equal($"+ {root}/new/", lines[3]);
        Assert.StartsWith($"+ {root}/new/big  (2.00 MiB, 2.00 MiB stored)", lines[4], StringComparison.Ordinal);
        Assert.StartsWith($"+ {root}/new/old  (20 B", lines[5], StringComparison.Ordinal);
        Assert.Equal("3 added (2.00 MiB), 2 changed (2.94 KiB), 1 gone (20 B); 2.00 MiB of new content, stored in 2.00 MiB.", lines[6]);

        JsonElement[] json = (await _vault.LinesAsync("diff", before, "latest")).Lines;
        Assert.Equal(["Content", "Modified"], json[0].GetProperty("aspects").EnumerateArray().Select(aspect => aspect.GetString()));
        Assert.Equal(3000, json[0].GetProperty("newBytes").GetInt64());

        // Small files that were read again lie in another bundle.
        Assert.Equal(["Mode"], json[1].GetProperty("aspects").EnumerateArray().Select(aspect => aspect.GetString()));
        Assert.Equal(10, json[1].GetProperty("newBytes").GetInt64());
        Assert.Equal(JsonValueKind.Null, json[2].GetProperty("newBytes").ValueKind);
        Assert.Equal((3, 2, 1, 0), (json[^1].GetProperty("added").GetInt32(), json[^1].GetProperty("changed").GetInt32(), json[^1].GetProperty("gone").GetInt32(), json[^1].GetProperty("notCompared").GetInt32()));

        // The other way round nobody knows what was new.
        json = (await _vault.LinesAsync("diff", after, before)).Lines;
        Assert.Equal(JsonValueKind.Null, json[^1].GetProperty("newBytes").ValueKind);
        Assert.Equal(3, json[^1].GetProperty("gone").GetInt32());
        Assert.Equal("Nothing differs.\n", (await _vault.RunAsync("diff", after, after)).Output);
    }

    [Fact]
    public async Task It_says_where_the_space_went()
    {
        (string before, string after) = await MakeAsync();

        (int code, string output, _) = await _vault.RunAsync("diff", before, after, "--by-folder");

        Assert.Equal(0, code);
        string[] lines = output.TrimEnd().Split('\n');
        Assert.Equal(["FOLDER", _vault.Source, $"{_vault.Source}/new", $"{_vault.Source}/keep"], lines.Select(line => line[(line.LastIndexOf(' ') + 1)..]));
        JsonElement[] json = (await _vault.LinesAsync("diff", before, after, "--by-folder", "--depth", "0")).Lines;
        JsonElement only = json[0];
        Assert.Equal(2, json.Length);
        Assert.Equal((_vault.Source, 0), (only.GetProperty("path").GetString(), only.GetProperty("depth").GetInt32()));

        // The file that is the same may have been read again: it was written just before the first backup.
        Assert.InRange(only.GetProperty("files").GetInt32(), 4, 5);

        // All that the backup says it stored but for its lists.
        JsonElement point = (await _vault.LinesAsync("points")).Lines[0];
        Assert.Equal(point.GetProperty("newBytes").GetInt64(), only.GetProperty("newBytes").GetInt64());
        Assert.InRange(only.GetProperty("storedBytes").GetInt64(), 1, point.GetProperty("storedBytes").GetInt64());
        Assert.Equal("No content was added.\n", (await _vault.RunAsync("diff", after, after, "--by-folder")).Output);
    }

    [Theory]
    [InlineData("ArgumentInvalid", "--by-folder", "--depth", "-1")]
    [InlineData("ArgumentInvalid", "--by-folder", "--depth", "x")]
    [InlineData("ArgumentInvalid", "--depth", "1")]
    [InlineData("ArgumentInvalid", "--by-folder")]
    public async Task What_makes_no_sense_is_refused(string error, params string[] options)
    {
        (string before, string after) = await MakeAsync();

        (int code, _, string said) = await _vault.RunAsync(["diff", after, before, .. options]);

        Assert.Equal(2, code);
        Assert.Contains(error, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_and_nothing_of_it_is_gone()
    {
        (string before, string after) = await MakeAsync();
        foreach (FileInfo pack in _vault.FilesIn("packs").OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.FullName, StringComparer.Ordinal))
        {
            if (pack.FullName.Contains(after[..12], StringComparison.Ordinal))
            {
                pack.Delete();
            }
        }

        (int code, string output, string said) = await _vault.RunAsync("diff", before, after);

        Assert.Equal(3, code);
        Assert.Contains("warning: ", said, StringComparison.Ordinal);
        Assert.All(output.TrimEnd().Split('\n')[..^1], line => Assert.StartsWith("? ", line, StringComparison.Ordinal));
    }

    private async Task<(string Before, string After)> MakeAsync()
    {
        var random = new Random(1);
        await _vault.CreateAsync();
        Directory.CreateDirectory($"{_vault.Source}/keep");
        foreach ((string name, int size) in new[] { ("changed", 1000), ("mode", 10), ("old", 20), ("same", 30) })
        {
            await WriteAsync($"{_vault.Source}/keep/{name}", size);
        }

        string before = await _vault.BackUpAsync();
        await WriteAsync($"{_vault.Source}/keep/changed", 3000);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode($"{_vault.Source}/keep/mode", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        Directory.CreateDirectory($"{_vault.Source}/new");
        File.Move($"{_vault.Source}/keep/old", $"{_vault.Source}/new/old");
        await WriteAsync($"{_vault.Source}/new/big", 2 << 20);
        return (before, await _vault.BackUpAsync());

        async Task WriteAsync(string path, int size)
        {
            byte[] content = new byte[size];
            random.NextBytes(content);
            await File.WriteAllBytesAsync(path, content, Cancel);
        }
    }
}
