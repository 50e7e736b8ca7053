using System.CommandLine;
using MSOnlineBackup.Host.Commands;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests.Passphrases;

public sealed class PassphraseTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a passphrase", "a passphrase")]
    [InlineData("a passphrase\n", "a passphrase")]
    [InlineData("a passphrase\r\n", "a passphrase")]
    [InlineData("a passphrase\n\n", "a passphrase\n")]
    [InlineData(" spaces count ", " spaces count ")]
    public async Task A_file_gives_what_is_in_it_but_for_one_line_break(string content, string passphrase)
    {
        await File.WriteAllTextAsync(_folder["p"], content, TestContext.Current.CancellationToken);

        Assert.Equal(passphrase, await ReadAsync(new HostRun(), PassphraseOptions.ForOpening, "--passphrase-file", _folder["p"]));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_an_error_that_names_it()
    {
        var error =
            await Assert.ThrowsAsync<BackupException>(() => ReadAsync(new HostRun(), PassphraseOptions.ForOpening, "--passphrase-file", _folder["none"]));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
        Assert.Contains(_folder["none"], error.Message);
    }

    [Fact]
    public async Task The_environment_comes_after_the_options_and_before_the_prompt()
    {
        await File.WriteAllTextAsync(_folder["p"], "from file", TestContext.Current.CancellationToken);
        var run = new HostRun { HasTerminal = true, Variables = { ["OBENGINE_PASSPHRASE"] = "from environment" } };

        Assert.Equal("from file", await ReadAsync(run, PassphraseOptions.ForOpening, "--passphrase-file", _folder["p"]));
        Assert.Equal("from environment", await ReadAsync(run, PassphraseOptions.ForOpening));
        Assert.Empty(run.Questions);
    }

    [Fact]
    public async Task A_person_is_asked_once_for_what_exists()
    {
        var run = new HostRun { HasTerminal = true, Answers = { } };
        run.Answers.Enqueue("typed");

        Assert.Equal("typed", await ReadAsync(run, PassphraseOptions.ForOpening));
        Assert.Single(run.Questions);
    }

    [Fact]
    public async Task A_person_is_asked_twice_for_what_is_new_and_told_what_losing_it_means()
    {
        var run = new HostRun { HasTerminal = true };
        run.Answers.Enqueue("typed");
        run.Answers.Enqueue("typed");

        Assert.Equal("typed", await ReadAsync(run, PassphraseOptions.ForCreating));
        Assert.Equal(2, run.Questions.Count);
        Assert.Contains("if you lose it, you lose the data", run.Error);
    }

    [Fact]
    public async Task Two_different_answers_are_refused()
    {
        var run = new HostRun { HasTerminal = true };
        run.Answers.Enqueue("typed");
        run.Answers.Enqueue("tyepd");

        Assert.Equal(BackupErrorId.PassphraseInvalid, (await Assert.ThrowsAsync<BackupException>(() => ReadAsync(run, PassphraseOptions.ForAdding))).Id);
    }

    [Fact]
    public async Task Without_anybody_to_ask_the_error_says_what_to_set()
    {
        var error = await Assert.ThrowsAsync<BackupException>(() => ReadAsync(new HostRun(), PassphraseOptions.ForAdding));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
        Assert.Contains("OBENGINE_NEW_PASSPHRASE", error.RecommendedAction);
    }

    [Fact]
    public async Task Two_sources_at_once_are_refused()
    {
        var error = await Assert.ThrowsAsync<BackupException>(() =>
            ReadAsync(new HostRun(), PassphraseOptions.ForOpening, "--passphrase-file", "f", "--passphrase-command", "c"));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
    }

    [Fact]
    public async Task A_command_is_run_without_a_shell()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses a program of Unix.");

        Assert.Equal("$HOME; two  spaces", await ReadAsync(new HostRun(), PassphraseOptions.ForOpening, "--passphrase-command", "echo \"$HOME; two  spaces\""));
    }

    [Theory]
    [InlineData("false", BackupErrorId.CommandFailed, "status 1")]
    [InlineData("/no/such/program", BackupErrorId.CommandFailed, "cannot be started")]
    [InlineData(" ", BackupErrorId.ArgumentInvalid, "empty")]
    public async Task A_command_that_fails_gives_no_passphrase(string command, BackupErrorId id, string message)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses a program of Unix.");

        var error = await Assert.ThrowsAsync<BackupException>(() => ReadAsync(new HostRun(), PassphraseOptions.ForOpening, "--passphrase-command", command));

        Assert.Equal(id, error.Id);
        Assert.Contains(message, error.Message);
    }

    private static Task<string> ReadAsync(HostRun run, Func<Command, PassphraseOptions> create, params string[] arguments)
    {
        var command = new Command("test");
        PassphraseOptions options = create(command);
        return options.ReadAsync(new CommandContext(
            command.Parse(arguments),
            run.Environment,
            Renderers.Create(run.Environment, json: false, quiet: false, debug: false),
            TestContext.Current.CancellationToken));
    }
}
