using System.Text.Json;

namespace MSOnlineBackup.Host.Tests;

/// <summary>A vault is copied to a twin by commands, and the twin alone gives everything back.</summary>
public sealed class VaultCopyTests : IDisposable
{
    private readonly HostVault _vault = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public VaultCopyTests()
    {
        Directory.CreateDirectory(_vault.Source);
        File.WriteAllText(Path.Combine(_vault.Source, "small"), "some text");
        byte[] large = new byte[3_000_000];
        new Random(1).NextBytes(large);
        File.WriteAllBytes(Path.Combine(_vault.Source, "large"), large);
    }

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task The_twin_alone_restores_what_was_copied_and_an_unchanged_copy_sends_nothing()
    {
        await _vault.CreateAsync();
        string first = await _vault.BackUpAsync();
        await CreateTwinAsync();
        await File.WriteAllTextAsync(Path.Combine(_vault.Source, "later"), "more text", Stop);
        string second = await _vault.BackUpAsync();

        JsonElement copied = await CopyAsync(0);

        Assert.Equal((2, 0, 0), (Number(copied, "pointsCopied"), Number(copied, "pointsThere"), Number(copied, "pointsDamaged")));
        Assert.True(Number(copied, "bytes") > 3_000_000);
        JsonElement again = await CopyAsync(0);
        Assert.Equal((0, 2, 0), (Number(again, "pointsCopied"), Number(again, "pointsThere"), Number(again, "storedBytes")));
        (int code, string text, _) = await _vault.RunAsync("vault", "copy", _vault["vault"], _vault["twin"]);
        Assert.Equal((0, "points    0 points copied, 2 there before"), (code, text.Split('\n')[0].TrimEnd()));

        Directory.Move(_vault["vault"], _vault["away"]);
        Assert.Equal(0, (await _vault.RunAsync("verify", "--read-data", "--vault", _vault["twin"])).ExitCode);
        foreach ((string point, string[] names) in (IEnumerable<(string, string[])>)[(first, ["large", "small"]), (second, ["large", "later", "small"])])
        {
            string target = _vault[point];
            Assert.Equal(0, (await _vault.RunAsync("restore", point, "--vault", _vault["twin"], "--to", target)).ExitCode);
            FileInfo[] files = [.. new DirectoryInfo(target).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.Name, StringComparer.Ordinal)];
            Assert.Equal(names, files.Select(file => file.Name));
            Assert.All(files, file => Assert.Equal(File.ReadAllBytes(Path.Combine(_vault.Source, file.Name)), File.ReadAllBytes(file.FullName)));
        }
    }

    [Fact]
    public async Task The_twin_has_a_retention_of_its_own()
    {
        await _vault.CreateAsync();
        await _vault.BackUpAsync();
        await CreateTwinAsync();
        await _vault.BackUpAsync();

        JsonElement kept = await CopyAsync(0, "--keep-days", "7", "--keep-weeks", "4", "--keep-months", "12", "--keep-years", "2");
        Assert.Equal((2, 0, 0), (Number(kept, "pointsCopied"), Number(kept, "pointsNotKept"), Number(kept, "pointsExpired")));
        JsonElement again = await CopyAsync(0, "--keep-days", "7", "--keep-weeks", "4", "--keep-months", "12", "--keep-years", "2");
        Assert.Equal((0, 2, 0), (Number(again, "pointsCopied"), Number(again, "pointsThere"), Number(again, "storedBytes")));

        foreach ((int code, string[] wrong) in ((int, string[])[])[(2, ["--keep-weeks", "4"]), (2, ["--keep-days", "soon"]), (1, ["--keep-days", "0"])])
        {
            Assert.Equal(code, (await _vault.RunAsync(["vault", "copy", _vault["vault"], _vault["twin"], .. wrong])).ExitCode);
        }
    }

    [Fact]
    public async Task One_point_is_copied_where_it_is_named_and_older_ones_where_they_are_asked_for()
    {
        await _vault.CreateAsync();
        await CreateTwinAsync();
        await _vault.BackUpAsync();
        string second = await _vault.BackUpAsync();

        JsonElement foreseen = await CopyAsync(0, "--dry-run");
        Assert.Equal((true, 2, 0), (foreseen.GetProperty("rehearsal").GetBoolean(), Number(foreseen, "pointsCopied"), Number(foreseen, "storedBytes")));
        (_, string text, _) = await _vault.RunAsync("vault", "copy", _vault["vault"], _vault["twin"], "-n");
        Assert.Equal("points    2 points would be copied, 0 there", text.Split('\n')[0].TrimEnd());
        Assert.Equal(1, Number(await CopyAsync(0, "--point", "latest"), "pointsCopied"));
        Assert.Equal(second, Assert.Single((await _vault.LinesAsync("points", "--vault", _vault["twin"])).Lines, line => line.GetProperty("type").GetString() == "point").GetProperty("id").GetString());
        Assert.Equal(1, Number(await CopyAsync(0), "pointsOlder"));
        Assert.Equal(1, Number(await CopyAsync(0, "--older"), "pointsCopied"));
    }

    [Fact]
    public async Task A_backup_goes_to_twins_as_well_and_is_made_all_the_same_where_one_is_away()
    {
        await _vault.CreateAsync();
        await CreateTwinAsync();
        string[] command = ["backup", _vault.Source, "--vault", _vault["vault"], "--copy-to", _vault["twin"], "--copy-to", _vault["away"]];

        (int code, JsonElement[] lines) = await _vault.LinesAsync(command);

        Assert.Equal(3, code);
        JsonElement[] copies = [.. lines[^1].GetProperty("copies").EnumerateArray()];
        Assert.Equal([(_vault["twin"], true, 1), (_vault["away"], false, 0)], copies.Select(copy => (copy.GetProperty("twin").GetString()!, copy.GetProperty("isComplete").GetBoolean(), (int)Number(copy, "pointsCopied"))));

        // On a busy machine something finds no room on the way, and is copied at the end.
        Assert.InRange(Number(copies[0], "alongBytes"), 1, long.MaxValue);
        Assert.InRange(Number(copies[0], "alongBytes") + Number(copies[0], "copiedBytes"), 3_000_001, long.MaxValue);
        Assert.Contains(_vault["away"], copies[1].GetProperty("failure").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, (await _vault.RunAsync("verify", "--read-data", "--vault", _vault["twin"])).ExitCode);

        (code, string text, _) = await _vault.RunAsync(command[..^2]);
        Assert.Equal(0, code);
        Assert.Contains($"copy      in {_vault["twin"]}: 1 point", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_point_is_listed_and_the_exit_code_says_so()
    {
        await _vault.CreateAsync();
        await CreateTwinAsync();
        string bad = await _vault.BackUpAsync();
        await File.WriteAllTextAsync(Path.Combine(_vault.Source, "later"), "more text", Stop);
        await _vault.BackUpAsync();
        FileInfo point = _vault.FilesIn("points").Single(file => file.Name == bad);
        byte[] content = await File.ReadAllBytesAsync(point.FullName, Stop);
        content[80] ^= 1;
        File.SetAttributes(point.FullName, FileAttributes.Normal);
        await File.WriteAllBytesAsync(point.FullName, content, Stop);

        (int code, JsonElement[] lines) = await _vault.LinesAsync("vault", "copy", _vault["vault"], _vault["twin"]);

        Assert.Equal(3, code);
        Assert.Equal(bad, Assert.Single(lines, line => line.GetProperty("type").GetString() == "damagedPoint").GetProperty("id").GetString());
        Assert.Equal((1, 1, 1), (Number(lines[^1], "pointsCopied"), Number(lines[^1], "pointsDamaged"), Number(lines[^1], "findings")));
        Assert.Contains(lines, line => line.GetProperty("type").GetString() == "finding");
        (_, string output, _) = await _vault.RunAsync("vault", "copy", _vault["vault"], _vault["twin"], "--older");
        Assert.Contains($"DAMAGED  {bad[..12]}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vault_that_is_no_twin_and_options_that_a_twin_has_no_use_for_are_refused()
    {
        await _vault.CreateAsync();
        Assert.Equal(0, (await _vault.RunAsync("vault", "create", _vault["other"], "--owner-file", _vault["owner2"])).ExitCode);

        (int code, _, string error) = await _vault.RunAsync("vault", "copy", _vault["vault"], _vault["other"]);
        Assert.Equal(1, code);
        Assert.Contains("VaultNotTwin", error, StringComparison.Ordinal);
        foreach (string[] options in (string[][])[["--parity", "5"], ["--owner-file", _vault["owner3"]], ["--kdf", "pbkdf2"], ["--passphrase-file", _vault["none"]]])
        {
            Assert.Equal(2, (await _vault.RunAsync(["vault", "create", _vault["twin"], "--twin-of", _vault["vault"], .. options])).ExitCode);
        }

        Assert.False(Directory.Exists(_vault["twin"]));
        (code, _, error) = await _vault.RunAsync("vault", "copy", _vault["vault"], _vault["twin"]);
        Assert.NotEqual(0, code);
        Assert.Contains("VaultNotFound", error, StringComparison.Ordinal);
        Assert.Contains($"--twin-of {_vault["vault"]}", error, StringComparison.Ordinal);
        Assert.Equal(1, (await _vault.RunAsync("vault", "create", _vault["other"], "--twin-of", _vault["vault"])).ExitCode);
    }

    [Fact]
    public async Task Points_are_listed_with_where_they_are()
    {
        await _vault.CreateAsync();
        string first = await _vault.BackUpAsync();
        await CreateTwinAsync();
        await CopyAsync(0);
        string second = await _vault.BackUpAsync();
        Assert.Equal(0, (await _vault.RunAsync("points", "delete", first, "--vault", _vault["vault"])).ExitCode);

        (int code, string text, _) = await _vault.RunAsync("points", "--vault", _vault["vault"], "--copy", _vault["twin"], "--json");
        JsonElement[] lines = [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        JsonElement[] points = [.. lines.Where(line => line.GetProperty("type").GetString() == "point")];
        Assert.Equal(0, code);
        Assert.Equal([(second, "Local"), (first, "CloudOnly")], points.Select(point => (point.GetProperty("id").GetString(), point.GetProperty("place").GetString())));
        Assert.Equal(_vault["twin"], Assert.Single(points[1].GetProperty("copies").EnumerateArray()).GetString());

        (code, text, string error) = await _vault.RunAsync("points", "--vault", _vault["vault"], "--copy", _vault["nowhere"]);
        Assert.Equal(3, code);
        Assert.Contains("unknown", text, StringComparison.Ordinal);
        Assert.Contains($"--twin-of {_vault["vault"]}", error, StringComparison.Ordinal);
    }

    private static long Number(JsonElement summary, string field) => summary.GetProperty(field).GetInt64();

    private async Task CreateTwinAsync()
    {
        JsonElement twin = await _vault.SummaryAsync(0, "vault", "create", _vault["twin"], "--twin-of", _vault["vault"]);
        JsonElement vault = await _vault.SummaryAsync(0, "vault", "info", _vault["vault"]);
        Assert.Equal(
            (vault.GetProperty("vaultId").GetString(), vault.GetProperty("owner").GetString()), (twin.GetProperty("vaultId").GetString(), twin.GetProperty("owner").GetString()));
        Assert.Equal(0, Number(twin, "points"));
    }

    private Task<JsonElement> CopyAsync(int exitCode, params string[] options) =>
        _vault.SummaryAsync(exitCode, ["vault", "copy", _vault["vault"], _vault["twin"], .. options]);
}
