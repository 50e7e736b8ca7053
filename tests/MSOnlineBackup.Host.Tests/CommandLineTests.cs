using System.CommandLine;
using MSOnlineBackup.Host.Commands;

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
    [InlineData("bakup /home")]
    [InlineData("backup --no-such-option")]
    [InlineData("vault")]
    [InlineData("restore latest --vault /v")]
    [InlineData("restore latest --vault /v --to /t --conflict sometimes")]
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
    [InlineData("points --vault azure://account", "is no URL of a container")]
    public async Task Contradictions_end_with_2_before_anything_is_begun(string line, string message)
    {
        var run = new HostRun();

        int code = await run.RunAsync(line.Split(' '));

        Assert.Equal(2, code);
        Assert.Contains(message, run.Error);
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
        command => command is HostCommand leaf ? [leaf] : command.Subcommands.Cast<HostCommand>());
}
