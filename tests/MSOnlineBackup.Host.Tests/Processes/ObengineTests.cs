using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

public sealed class ObengineTests : IDisposable
{
    // Of 1 MiB each: many packs.
    private readonly Obengine _obengine = new();

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task Version_is_printed_alone()
    {
        Run run = await _obengine.RunAsync(["--version"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"\A\d+\.\d+\.\d+\r?\n\z", run.Output);
    }

    [Fact]
    public async Task A_wrong_command_line_ends_with_2() => Assert.Equal(2, (await _obengine.RunAsync(["restore"])).ExitCode);

    [Fact]
    public async Task No_vault_ends_with_10()
    {
        Run run = await _obengine.OnVaultAsync("points");

        Assert.Equal(10, run.ExitCode);
        Assert.Contains("Error id: VaultNotFound", run.Error);
        Assert.DoesNotContain("   at ", run.Error);
    }

    [Fact]
    public async Task A_folder_that_is_no_vault_ends_with_10()
    {
        Assert.Equal(10, (await _obengine.RunAsync(["vault", "info", _obengine.Source])).ExitCode);
    }

    [Fact]
    public async Task A_wrong_passphrase_ends_with_12()
    {
        await _obengine.CreateVaultAsync();
        await File.WriteAllTextAsync(_obengine.PassphraseFile, "wrong horse battery staple", TestContext.Current.CancellationToken);

        Run run = await _obengine.OnVaultAsync("points", "--json");

        Assert.Equal(12, run.ExitCode);
        Assert.Equal("PassphraseRejected", run.Lines()[^1].GetProperty("id").GetString());
    }

    [Fact]
    public async Task Without_a_passphrase_and_a_terminal_it_ends_with_2()
    {
        await _obengine.CreateVaultAsync();

        Run run = await _obengine.RunAsync(["points", "--vault", _obengine.Vault]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("OBENGINE_PASSPHRASE", run.Error);
    }

    [Fact]
    public async Task A_vault_is_not_created_over_another()
    {
        await _obengine.CreateVaultAsync();

        Run run = await _obengine.RunAsync(["vault", "create", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile]);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Error id: VaultExists", run.Error);
    }

    [Fact]
    public async Task What_is_backed_up_can_be_listed_found_verified_and_restored()
    {
        Directory.CreateDirectory(Path.Combine(_obengine.Source, "folder"));
        string file = Path.Combine(_obengine.Source, "folder", "report ä.txt");
        await File.WriteAllTextAsync(file, "content", TestContext.Current.CancellationToken);
        await _obengine.CreateVaultAsync();

        JsonElement preview = (await _obengine.JsonAsync("backup", "--dry-run", _obengine.Source))[^1];
        Assert.Equal(3, preview.GetProperty("newItems").GetInt64());
        JsonElement backup = Summary(await _obengine.JsonAsync("backup", _obengine.Source, "--tag", "first"), "backup");
        Assert.Equal(1, backup.GetProperty("newFiles").GetInt64());
        JsonElement second = Summary(await _obengine.JsonAsync("backup", _obengine.Source), "backup");
        Assert.Equal(7, second.GetProperty("bytes").GetInt64());
        Assert.Equal(0, second.GetProperty("newBytes").GetInt64());

        IReadOnlyList<JsonElement> points = await _obengine.JsonAsync("points");
        Assert.Equal(2, Summary(points, "points").GetProperty("count").GetInt64());
        Assert.Equal("first", points[1].GetProperty("tags")[0].GetString());

        string id = backup.GetProperty("pointId").GetString()!;
        IReadOnlyList<JsonElement> items = await _obengine.JsonAsync("ls", id, "-R");
        Assert.Contains(items, item => item.GetProperty("type").GetString() == "item" && item.GetProperty("path").GetString() == Listed(file));
        IReadOnlyList<JsonElement> found = await _obengine.JsonAsync("find", "REPORT*", "-i");
        Assert.Equal(2, Summary(found, "find").GetProperty("count").GetInt64());
        Assert.Empty(Lines(await _obengine.JsonAsync("skipped", "latest"), "skipped"));

        foreach (string level in new[] { "--read-data", "--read-packs" })
        {
            JsonElement verified = Summary(await _obengine.JsonAsync("verify", level), "verify");
            Assert.Equal(0, verified.GetProperty("findings").GetInt64());
        }

        string target = _obengine.Folder["target"];
        JsonElement plan = Summary(await _obengine.JsonAsync("restore", "latest", "--to", target, "--dry-run"), "restore --dry-run");
        Assert.Equal(1, plan.GetProperty("files").GetInt64());
        Assert.False(File.Exists(target + file));
        JsonElement restored = Summary(await _obengine.JsonAsync("restore", "latest", "--to", target, "--verify"), "restore");
        Assert.Equal(1, restored.GetProperty("verified").GetInt64());
        Assert.Equal("content", await File.ReadAllTextAsync(target + file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Every_line_that_a_command_writes_has_the_documented_fields()
    {
        await File.WriteAllTextAsync(Path.Combine(_obengine.Source, "a"), "content", TestContext.Current.CancellationToken);
        await _obengine.CreateVaultAsync();
        string target = _obengine.Folder["target"];
        string[][] commands =
        [
            ["backup", "--dry-run", _obengine.Source],
            ["backup", _obengine.Source],
            ["points"],
            ["skipped", "latest"],
            ["ls", "latest", "-R"],
            ["find", "a"],
            ["restore", "latest", "--to", target, "--dry-run"],
            ["restore", "latest", "--to", target],
            ["verify"],
            ["key list"],
            ["repair index"],
            ["repair data"],
        ];

        foreach (string[] command in commands)
        {
            string[] words = command[0].Split(' ');
            Run run = await _obengine.RunAsync(
                [.. words, "--json", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, .. command[1..]]);

            Assert.Equal(0, run.ExitCode);
            Assert.All(run.Lines(), AssertDocumented);
            Assert.Equal("summary", run.Lines()[^1].GetProperty("type").GetString());
        }
    }

    [Fact]
    public async Task A_backup_that_loses_a_source_ends_with_4_and_lists_it()
    {
        await File.WriteAllTextAsync(Path.Combine(_obengine.Source, "a"), "content", TestContext.Current.CancellationToken);
        await _obengine.CreateVaultAsync();

        Run run = await _obengine.OnVaultAsync("backup", _obengine.Source, _obengine.Folder["missing"]);

        Assert.Equal(4, run.ExitCode);
        Assert.Contains($"skipped: {Listed(_obengine.Folder["missing"])}", run.Error);
        Assert.Single(Lines(await _obengine.JsonAsync("skipped", "latest"), "skipped"));
    }

    [Fact]
    public async Task Standard_input_becomes_a_file()
    {
        await _obengine.CreateVaultAsync();

        Run run = await _obengine.RunAsync(
            ["backup", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--stdin", "db.sql"], input: "select 1;");

        Assert.Equal(0, run.ExitCode);
        await _obengine.JsonAsync("restore", "latest", "--to", _obengine.Folder["target"]);
        Assert.Equal("select 1;", await File.ReadAllTextAsync(_obengine.Folder["target", "db.sql"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_output_of_a_command_becomes_a_file_of_its_name()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses programs of Unix.");
        await _obengine.CreateVaultAsync();

        await _obengine.JsonAsync("backup", "--command", "--", "printf", "select %s", "2");

        await _obengine.JsonAsync("restore", "latest", "--to", _obengine.Folder["target"]);
        Assert.Equal("select 2", await File.ReadAllTextAsync(_obengine.Folder["target", "printf"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_command_that_fails_leaves_no_point()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses programs of Unix.");
        await _obengine.CreateVaultAsync();

        Run run = await _obengine.OnVaultAsync("backup", "--stdin", "db.sql", "--command", "--", "sh", "-c", "echo half; exit 9");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("status 9", run.Error);
        Assert.Contains("Error id: CommandFailed", run.Error);
        Assert.Equal(0, Summary(await _obengine.JsonAsync("points"), "points").GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task Keys_are_added_changed_and_removed()
    {
        await _obengine.CreateVaultAsync();
        _obengine.Variables["OBENGINE_NEW_PASSPHRASE"] = "another good passphrase";
        string[] vault = ["--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile];

        Assert.Equal(0, (await _obengine.RunAsync(["key", "add", "--label", "second", .. vault])).ExitCode);
        Run list = await _obengine.RunAsync(["key", "list", "--json", .. vault]);
        Assert.Equal(2, Lines(list.Lines(), "key").Count);
        string first = Lines(list.Lines(), "key").Single(key => key.GetProperty("isCurrent").GetBoolean()).GetProperty("id").GetString()!;
        string second = Lines(list.Lines(), "key").Single(key => key.GetProperty("label").GetString() == "second").GetProperty("id").GetString()!;

        Assert.Equal(0, (await _obengine.RunAsync(["key", "remove", second, .. vault])).ExitCode);
        Assert.Equal(1, (await _obengine.RunAsync(["key", "remove", first, .. vault])).ExitCode);
        Assert.Equal(0, (await _obengine.RunAsync(["key", "change", .. vault])).ExitCode);
        Assert.Equal(12, (await _obengine.OnVaultAsync("points")).ExitCode);
        await File.WriteAllTextAsync(_obengine.PassphraseFile, "another good passphrase", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await _obengine.OnVaultAsync("points")).ExitCode);
    }

    [Fact]
    public async Task A_drill_ends_with_0_where_everything_came_back_and_leaves_nothing_behind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Builds trees with the tools of Linux.");
        new SourceTreeBuilder(_obengine.Source).Describe(
            """
            f folder/small 100
            f folder/large 9M
            f none 0
            s sparse 64M 4K@1M
            l link -> folder/small
            l dangling -> nowhere
            h hard = folder/small
            p pipe
            f name\xff 10
            """);
        string temporary = _obengine.Folder["tmp"];
        Directory.CreateDirectory(temporary);
        _obengine.Variables["TMPDIR"] = temporary;

        Run run = await _obengine.RunAsync(["drill", _obengine.Source, "--json"]);

        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.All(run.Lines(), AssertDocumented);
        Assert.Equal(["back up", "list", "verify", "restore", "compare"], Lines(run.Lines(), "step").Select(step => step.GetProperty("step").GetString()));
        Assert.True(Summary(run.Lines(), "drill").GetProperty("identical").GetBoolean());
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(temporary), path => path.Contains("obengine-drill"));
    }

    [Fact]
    public async Task A_drill_keeps_a_vault_that_opens_where_asked_to()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names the temporary folder by TMPDIR.");
        await File.WriteAllTextAsync(Path.Combine(_obengine.Source, "a"), "content", TestContext.Current.CancellationToken);
        _obengine.Variables["TMPDIR"] = _obengine.Source;

        Run run = await _obengine.RunAsync(["drill", _obengine.Source, "--keep", "--json"]);

        Assert.True(run.ExitCode is 0 or 3, run.Output + run.Error);
        string kept = Summary(run.Lines(), "drill").GetProperty("keptIn").GetString()!;
        Run points =
            await _obengine.RunAsync(["points", "--vault", Path.Combine(kept, "vault"), "--passphrase-file", Path.Combine(kept, "passphrase"), "--quiet"]);
        Assert.Equal(0, points.ExitCode);
        Assert.Contains(Listed(_obengine.Source), points.Output);
    }

    [Fact]
    public async Task An_interrupted_backup_ends_with_130_and_is_continued()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sends a signal of Unix.");
        await _obengine.CreateVaultAsync();
        int files = 0;
        await AddFilesAsync();
        string[] backup = ["backup", _obengine.Source, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--json"];
        using Process process = await _obengine.HoldBackupAsync(backup, _obengine.Vault, BeginAgainAsync);
        Shell.RunChecked("kill", "-INT", process.Id.ToString());
        Shell.RunChecked("kill", "-CONT", process.Id.ToString());
        Run run = await Obengine.FinishAsync(process);

        Assert.Equal(130, run.ExitCode);
        Assert.Equal("Stopped", run.Lines()[^1].GetProperty("id").GetString());
        Assert.Equal(0, Summary(await _obengine.JsonAsync("points"), "points").GetProperty("count").GetInt64());

        JsonElement resumed = Summary((await _obengine.RunAsync(backup)).Lines(), "backup");
        Assert.Equal(JsonValueKind.String, resumed.GetProperty("resumedFrom").ValueKind);
        Assert.Equal((long)files << 20, resumed.GetProperty("bytes").GetInt64());
        Assert.True(resumed.GetProperty("newBytes").GetInt64() < (long)files << 20, "what had arrived was stored again");
        Assert.Equal(0, Summary(await _obengine.JsonAsync("verify", "--read-data"), "verify").GetProperty("findings").GetInt64());

        async Task AddFilesAsync()
        {
            byte[] block = new byte[1 << 20];
            for (int end = files + 128; files < end; files++)
            {
                new Random(files).NextBytes(block);
                await File.WriteAllBytesAsync(Path.Combine(_obengine.Source, $"f{files:0000}"), block, TestContext.Current.CancellationToken);
            }
        }

        async Task BeginAgainAsync()
        {
            Directory.Delete(_obengine.Vault, recursive: true);
            await _obengine.CreateVaultAsync();
            await AddFilesAsync();
        }
    }

    private static void AssertDocumented(JsonElement line)
    {
        string type = line.GetProperty("type").GetString()!;
        IReadOnlyList<string> documented = type == "summary"
            ? CliDocument.SummaryFields(line.GetProperty("command").GetString()!)
            : CliDocument.Fields(type);

        Assert.Equal(documented.Order(), line.EnumerateObject().Select(field => field.Name).Order());
    }

    private static JsonElement Summary(IReadOnlyList<JsonElement> lines, string command)
    {
        Assert.Equal("summary", lines[^1].GetProperty("type").GetString());
        Assert.Equal(command, lines[^1].GetProperty("command").GetString());
        return lines[^1];
    }

    private static IReadOnlyList<JsonElement> Lines(IReadOnlyList<JsonElement> lines, string type) =>
        [.. lines.Where(line => line.GetProperty("type").GetString() == type)];

    // Listings write paths with '/'; a backslash would be an escape.
    private static string Listed(string path) => path.Replace('\\', '/');
}
