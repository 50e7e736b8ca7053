using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Standard output and standard error that cannot be written: the work is done, and the exit code tells.</summary>
public sealed class OutputTests : IDisposable
{
    private const string Lost = @"\Aobengine: Standard output could not be written: .+\. What this command did is not undone\. \(OutputFailed\)\n\z";

    private readonly Obengine _obengine = new();

    public OutputTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has /dev/full.");

    public void Dispose() => _obengine.Dispose();

    [Theory]
    [InlineData("", ">/dev/full")]
    [InlineData("", ">&-")]
    [InlineData("--json", ">/dev/full")]
    [InlineData("--json", ">&-")]
    public async Task A_backup_whose_output_is_lost_makes_its_point_and_ends_with_1(string option, string redirection)
    {
        await PrepareAsync();

        Run run = Redirected(redirection, "backup", option, _obengine.Source);

        Assert.Equal(1, run.ExitCode);
        Assert.Matches(Lost, LastLine(run.Error));
        await AssertPointsAsync(1);
    }

    [Theory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    [InlineData(">/dev/full 2>/dev/full")]
    [InlineData(">&- 2>&-")]
    public async Task A_backup_that_can_tell_nobody_what_it_skips_makes_its_point_and_ends_with_1(string redirection)
    {
        await PrepareAsync();

        // There is a note that one lies in the other.
        Run run = Redirected(redirection, "backup", _obengine.Source, _obengine.Source + "/small");

        Assert.True(run.ExitCode == 1, run.Output + run.Error);
        Assert.Empty(run.Error);
        await AssertPointsAsync(1);

        Assert.Equal(4, Redirected(redirection, "backup", _obengine.Source, _obengine.Folder["gone"]).ExitCode);
        await AssertPointsAsync(2);
    }

    [Fact]
    public async Task What_only_tells_ends_with_1_and_one_line()
    {
        await PrepareAsync();
        Assert.Equal(0, (await _obengine.OnVaultAsync("backup", _obengine.Source)).ExitCode);
        string[][] commands =
        [
            ["points"],
            ["ls", "latest", "-R"],
            ["find", "small"],
            ["skipped", "latest", "--json"],
            ["verify", "--read-data"],
            ["repair index"],
            ["key list"],
            ["restore", "latest", "--to", _obengine.Folder["target"], "--json"],
        ];
        foreach (string[] command in commands)
        {
            foreach (string redirection in Campaign.IsBrief ? new[] { ">&-" } : [">/dev/full", ">&-"])
            {
                Run run = Redirected(redirection, command);

                Assert.True(run.ExitCode == 1, $"{command[0]}: {run.ExitCode}: {run.Error}");
                Assert.Matches(Lost, LastLine(run.Error));
                Assert.DoesNotContain("This is a bug", run.Error);
                Assert.DoesNotContain("   at ", run.Error);
            }
        }

        Assert.Equal(1, Shelled($"vault info '{_obengine.Vault}' >/dev/full").ExitCode);
        Assert.Equal(1, Shelled($"drill '{_obengine.Source}' >/dev/full").ExitCode);
        Assert.True(File.Exists(_obengine.Folder["target"] + _obengine.Source + "/small"));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("'[suggest:3]' bac")]
    public void Help_ends_with_1_and_one_line(string arguments)
    {
        Run run = Shelled($"{arguments} >/dev/full");

        Assert.Equal(1, run.ExitCode);
        Assert.Matches(Lost, LastLine(run.Error));
    }

    [Fact]
    public void An_error_that_nobody_hears_keeps_its_code()
    {
        Assert.Equal(10, Redirected("2>/dev/full", "points").ExitCode);
        Assert.Equal(10, Redirected(">/dev/full", "points", "--json").ExitCode);
    }

    [Fact]
    public async Task A_reader_that_has_gone_is_no_failure()
    {
        await PrepareAsync();

        Run run = Redirected("| true", "backup", "--json", _obengine.Source);

        Assert.Empty(run.Error);
        await AssertPointsAsync(1);
    }

    private async Task PrepareAsync()
    {
        await _obengine.CreateVaultAsync();
        new SourceTreeBuilder(_obengine.Source).File("small", 100).File("more", 300_000);
    }

    // How a command tells it is others' matter: what counts is what is there.
    private async Task AssertPointsAsync(int expected)
    {
        var vault = new FolderVault(_obengine.Vault);
        Assert.Equal(expected, (await vault.PointsAsync()).Count);
        Assert.Empty(await vault.VerifyAsync());
    }

    private Run Redirected(string redirection, params string[] arguments) =>
        Shelled($"{string.Join(' ', arguments)} --vault '{_obengine.Vault}' --passphrase-file '{_obengine.PassphraseFile}' {redirection}");

    // Standard error goes into a file: what the shell itself has to say is not there.
    private Run Shelled(string commandLine)
    {
        string error = _obengine.Folder["error"];
        (int exitCode, string output) = Shell.Run("sh", ["-c", $"{{ dotnet '{_obengine.Program}' {commandLine}; }} 2>'{error}'"]);
        return new Run(exitCode, output, File.ReadAllText(error));
    }

    private static string LastLine(string text) => text[(text.TrimEnd('\n').LastIndexOf('\n') + 1)..];
}
