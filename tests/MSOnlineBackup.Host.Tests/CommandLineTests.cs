using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Host.Commands;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class CommandLineTests
{
    public static TheoryData<string> CommandNames { get; } = [.. Leaves().Select(Application.NameOf)];

    [Fact]
    public void Every_command_is_documented_and_every_documented_command_is_there()
    {
        Assert.Equal(
            Leaves().Select(command => Application.NameOf(command).Replace("obengine ", "")).Order(),
            CliDocument.Commands.Where(name => name.Length > 0).Order());
    }

    [Theory]
    [MemberData(nameof(CommandNames))]
    public async Task Every_command_has_help_with_an_example(string command)
    {
        var run = new HostRun();

        int code = await run.RunAsync([.. command.Split(' ').Skip(1), "--help"]);

        Assert.Equal(0, code);
        Assert.Contains("Example:\n  " + command + " ", run.Output);
    }

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void Every_example_parses(string command)
    {
        var leaf = Leaves().Single(leaf => Application.NameOf(leaf) == command);
        foreach (string example in ((IHasExample)leaf).Example.Split('\n'))
        {
            ParseResult parsed = Root().Parse(example.Replace("'", "")["obengine ".Length..]);

            Assert.Empty(parsed.Errors);
            Assert.Equal(command, Application.NameOf(parsed.CommandResult.Command));
        }
    }

    [Fact]
    public async Task The_help_of_the_whole_tells_the_exit_codes()
    {
        var run = new HostRun();

        Assert.Equal(0, await run.RunAsync("--help"));

        Assert.All(CliDocument.ExitCodes.Keys, code => Assert.Matches($@"(?m)^  {code} +\S", run.Output));
    }

    [Theory]
    [InlineData("points --vault {0} --key-vault-key https://example.org/keys/k", "KeyVaultUriInvalid")]
    [InlineData("points --vault {0} --key-vault-key https://backups.vault.azure.net/keys/k --passphrase-file p", "ArgumentInvalid")]
    [InlineData("key add --vault {0} --passphrase-file {1} --new-key-vault-key https://backups.vault.azure.net/", "KeyVaultUriInvalid")]
    [InlineData("key change --vault {0} --passphrase-file {1} --new-key-vault-key "
        + "https://backups.vault.azure.net/keys/k --new-passphrase-file p", "ArgumentInvalid")]
    public async Task A_Key_Vault_key_stands_in_place_of_a_passphrase_and_not_beside_one(string command, string expected)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["passphrase"], "a passphrase for tests", TestContext.Current.CancellationToken);
        var run = new HostRun();
        Assert.Equal(0, await run.RunAsync("vault", "create", folder["vault"], "--owner-file", folder["owner"], "--passphrase-file", folder["passphrase"]));

        int code = await run.RunAsync([.. string.Format(CultureInfo.InvariantCulture, command, folder["vault"], folder["passphrase"]).Split(' '), "--json"]);

        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Contains($"\"{expected}\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_vault_has_an_owner_whose_file_is_written_to_the_configuration_or_where_it_is_told_to()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["passphrase"], "a passphrase for tests", TestContext.Current.CancellationToken);
        var run = new HostRun { ConfigurationFolder = folder["config"] };

        Assert.Equal(0, await run.RunAsync("vault", "create", folder["one"], "--passphrase-file", folder["passphrase"]));
        string file = Assert.Single(Directory.GetFiles(folder["config/msonlinebackup"], "*.VaultOwner"));
        Assert.Contains($"'{file}'", run.Output, StringComparison.Ordinal);
        Assert.Equal(0, await run.RunAsync("vault", "create", folder["two"], "--passphrase-file", folder["passphrase"], "--owner-file", folder["owner"]));

        // What is there is never written over, and nothing is created.
        Assert.Equal(2, await run.RunAsync("vault", "create", folder["three"], "--passphrase-file", folder["passphrase"], "--owner-file", folder["owner"]));
        Assert.False(File.Exists(folder["three/vault.json"]));
        Assert.Contains("exists already", run.Error, StringComparison.Ordinal);

        Assert.Equal(2, await new HostRun().RunAsync("vault", "create", folder["four"], "--passphrase-file", folder["passphrase"]));
        Assert.False(File.Exists(folder["four/vault.json"]));
    }

    [Theory]
    [InlineData("--verify-writes")]
    [InlineData("--compression", "max", "--verify-writes")]
    public async Task A_backup_that_opens_all_that_it_writes_restores_as_any(params string[] how)
    {
        using var folder = new TempFolder();
        var tree = new SourceTreeBuilder(folder["source"]);
        tree.File("small", 500).File("large", 3_000_000, seed: 1);
        await File.WriteAllTextAsync(folder["passphrase"], "a passphrase for tests", TestContext.Current.CancellationToken);
        string[] vault = ["--vault", folder["vault"], "--passphrase-file", folder["passphrase"]];
        var run = new HostRun();
        Assert.Equal(0, await run.RunAsync("vault", "create", folder["vault"], "--owner-file", folder["owner"], "--passphrase-file", folder["passphrase"]));

        Assert.Equal(0, await run.RunAsync(["backup", folder["source"], .. how, .. vault]));

        Assert.Equal(0, await run.RunAsync(["restore", "latest", "--to", folder["target"], "--verify", .. vault]));
        Assert.Empty(TreeComparer.Compare(folder["source"], folder["target"] + folder["source"]));
    }

    [Theory]
    [InlineData("bakup /home")]
    [InlineData("backup --no-such-option")]
    [InlineData("vault")]
    [InlineData("restore latest --vault /v")]
    [InlineData("restore latest --vault /v --to /t --conflict sometimes")]
    [InlineData("backup /home --vault /v --compression sometimes")]
    [InlineData("drill")]
    [InlineData("")]
    public async Task A_command_line_that_does_not_parse_ends_with_2_and_says_where_to_look(string line)
    {
        var run = new HostRun();

        int code = await run.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, code);
        Assert.Contains("--help", run.Error);
        Assert.Contains("Error id: ArgumentInvalid", run.Error);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("backup --vault /v", "Nothing was named")]
    [InlineData("backup --vault /v --command", "needs a program")]
    [InlineData("backup --vault /v --stdin a/b", "not the name of a file")]
    [InlineData("backup /x --vault /v --exclude-larger-than big", "not a size")]
    [InlineData("backup /x --vault /v --exclude-file /no/such/file", "cannot be read")]
    [InlineData("backup --vault /v --stdin a --dry-run", "cannot foresee")]
    [InlineData("backup --vault /v --dry-run --command -- true", "cannot foresee")]
    [InlineData("backup /x", "No vault was named")]
    [InlineData("verify --read-data --read-packs --vault /v", "Both")]
    [InlineData("maintain --vault /v --max-repack-bytes big", "not a size")]
    [InlineData("maintain --vault /v --max-duration soon", "not a time for --max-duration")]
    [InlineData("maintain --vault /v --shut-out-after 1w", "not a time for --shut-out-after")]
    [InlineData("maintain --vault /v --max-unused 101", "not a percentage")]
    [InlineData("points --vault azure://account", "is not the URL of a container")]
    public async Task Contradictions_end_with_2_before_anything_is_begun(string line, string message)
    {
        var run = new HostRun();

        int code = await run.RunAsync(line.Split(' '));

        Assert.Equal(2, code);
        Assert.Contains(message, run.Error);
    }

    [Theory]
    [InlineData(1_025, 1, "1,025 tags")]
    [InlineData(1, 1_025, "1,025 characters")]
    public async Task Tags_that_no_recovery_point_can_have_are_refused_before_a_vault_is_looked_for(int count, int length, string message)
    {
        var run = new HostRun();

        int code = await run.RunAsync(["backup", "/x", "--vault", "/v", .. Enumerable.Repeat($"--tag={new string('t', length)}", count)]);

        Assert.Equal(2, code);
        Assert.Contains(message, run.Error);
        Assert.Contains("Error id: ArgumentInvalid", run.Error);
    }

    [Theory]
    [InlineData("points --vault _", "--vault")]
    [InlineData("vault create _", "VAULT")]
    [InlineData("ls _ --vault /v", "POINT")]
    [InlineData("restore latest _ --vault /v --to /t", "PATH")]
    [InlineData("key remove _ --vault /v", "KEY")]
    [InlineData("backup /x --vault /v --machine _", "--machine")]
    [InlineData("backup /x --vault /v --passphrase-file _", "--passphrase-file")]
    public async Task A_value_that_is_empty_is_refused_by_its_name(string line, string name)
    {
        var run = new HostRun();

        int code = await run.RunAsync([.. line.Split(' ').Select(word => word.Replace("_", "", StringComparison.Ordinal))]);

        Assert.Equal(2, code);
        Assert.StartsWith($"obengine: The value of {name} is empty", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_may_be_given_an_empty_argument()
    {
        var run = new HostRun();

        Assert.Equal(2, await run.RunAsync("backup", "--command", "--", "printf", ""));

        Assert.Contains("No vault was named", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_usage_error_is_JSON_where_JSON_was_asked_for()
    {
        var run = new HostRun();

        int code = await run.RunAsync("restore", "latest", "--vault", "/v", "--json");

        Assert.Equal(2, code);
        Assert.StartsWith("""{"type":"error","id":"ArgumentInvalid",""", run.Output);
        Assert.Contains("\"exitCode\":2", run.Output);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void What_follows_two_dashes_belongs_to_the_program()
    {
        ParseResult parsed = Root().Parse(["backup", "--vault", "/v", "--command", "--", "pg_dump", "--json", "mydb"]);

        Assert.Empty(parsed.Errors);
        Assert.Equal(["pg_dump", "--json", "mydb"], parsed.GetValue<string[]>("PATH")!);
        Assert.False(parsed.GetValue<bool>("--json"));
    }

    [Fact]
    public async Task A_path_may_begin_with_a_dash_after_two_dashes()
    {
        var run = new HostRun();

        Assert.Equal(2, await run.RunAsync("backup", "--exclude", "-x", "--", "-folder"));

        Assert.Contains("No vault was named", run.Error);
    }

    [Fact]
    public void A_flag_takes_no_value()
    {
        ParseResult parsed = Root().Parse(["backup", "--force", "true", "--vault", "/v"]);

        Assert.Equal(["true"], parsed.GetValue<string[]>("PATH")!);
    }

    [Fact]
    public async Task A_path_that_begins_with_an_at_sign_is_a_path()
    {
        var run = new HostRun();

        Assert.Equal(2, await run.RunAsync("backup", "@/no/such/response/file"));

        Assert.Contains("No vault was named", run.Error);
    }

    [Fact]
    public async Task Completion_suggests_commands()
    {
        var run = new HostRun();

        Assert.Equal(0, await run.RunAsync("[suggest:4]", "rest"));

        Assert.Equal("restore\n", run.Output);
    }

    private static RootCommand Root() => new Application(new HostRun().Environment, () => default).CreateRoot();

    private static IEnumerable<HostCommand> Leaves() => Root().Subcommands.SelectMany(
        command => command is HostCommand leaf ? [leaf, .. leaf.Subcommands.Cast<HostCommand>()] : command.Subcommands.Cast<HostCommand>());
}
