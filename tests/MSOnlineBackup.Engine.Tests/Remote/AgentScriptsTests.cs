using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Remote;

/// <summary>Scripts for other machines: the shell of whoever logs in there reads them first.</summary>
public sealed class AgentScriptsTests : IDisposable
{
    private const string Mark = "obengine-agent-0123456789abcdef";

    private readonly TempFolder _home = new();

    public static TheoryData<string> LoginShells => ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/busybox sh", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh", "/bin/ksh"];

    public void Dispose() => _home.Dispose();

    [Fact]
    public void They_are_one_word_for_any_shell()
    {
        var package = new AgentPackage("linux-x64", "1.0.0", [AgentFile.Of("obengine", "x"u8.ToArray(), isProgram: true)]);
        foreach (string command in new[] { AgentScripts.Probe(Mark), AgentScripts.Receive(Mark, package), AgentScripts.Choose(Mark, package.Build, package.Build[^12..], "1.0.0"), AgentScripts.Remove(Mark) })
        {
            string[] parts = command.Split('\'');
            Assert.Equal("exec sh -c ", parts[0]);
            Assert.Equal(" sh ", parts[2]);
            Assert.All(parts.Skip(4).Where((_, i) => i % 2 == 0).SkipLast(1), between => Assert.Equal(" ", between));
            Assert.DoesNotContain('\n', command);
            Assert.DoesNotContain('!', command);
            Assert.DoesNotContain("\\\\", command, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(LoginShells))]
    public void Whichever_shell_an_account_has_they_run(string shell)
    {
        string[] words = shell.Split(' ');
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(words[0]), $"There is no {words[0]}.");

        (_, string output) = Shell.Run("env", ["-i", $"HOME={_home.Path}", "PATH=/usr/local/bin:/usr/bin:/bin", .. words, "-c", AgentScripts.Probe(Mark)]);

        ScriptAnswer answer = ScriptAnswer.Read(output, Mark)!;
        Assert.True(answer.IsWhole, output);
        Assert.Equal("Linux", answer["system"]);
        Assert.Empty(answer.All("missing"));
        Assert.True(answer.Free > 0, output);
        Assert.Equal(_home[".local/share/obengine/obengine"], answer["program"]);
        Assert.Null(answer["current"]);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_home.Path));
    }

    [Fact]
    public void An_answer_is_what_stands_between_the_mark_and_the_end()
    {
        var answer = ScriptAnswer.Read($"a=greeting\n{Mark}\r\na=1\na=2\nnothing\nempty=\nfree=12\nend\na=3\n", Mark)!;

        Assert.True(answer.IsWhole);
        Assert.Equal(["1", "2"], answer.All("a"));
        Assert.Equal(("1", null, null, 12 << 10), (answer["a"], answer["empty"], answer["other"], answer.Free));
        Assert.False(ScriptAnswer.Read($"{Mark}\na=1\n", Mark)!.IsWhole);
        Assert.Null(ScriptAnswer.Read("a=1\nend\n", Mark));
        Assert.Null(ScriptAnswer.Read($"{Mark}\nfree=-1\nend", Mark)!.Free);
        Assert.Null(ScriptAnswer.Read($"{Mark}\nfree={long.MaxValue}\nend", Mark)!.Free);
    }

    [Theory]
    [InlineData("Linux", "x86_64", false, "linux-x64")]
    [InlineData("Linux", "aarch64", true, "linux-musl-arm64")]
    [InlineData("Linux", "armv7l", false, "linux-arm")]
    [InlineData("Darwin", "arm64", false, "osx-arm64")]
    [InlineData("Darwin", "x86_64", false, "osx-x64")]
    [InlineData("FreeBSD", "amd64", false, null)]
    [InlineData("Linux", "mips", false, null)]
    [InlineData("Darwin", "armv7l", false, null)]
    [InlineData(null, null, false, null)]
    public void A_platform_has_the_name_that_NET_has_for_it(string? system, string? machine, bool isMusl, string? expected) =>
        Assert.Equal(expected, RemoteFacts.PlatformOf(system, machine, isMusl));

    [Fact]
    public void A_program_that_was_put_here_is_called_by_the_link_that_updates_do_not_change()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "No agents are put on Windows.");
        string app = _home["place/versions/1.0.0-0123456789ab/app"];
        Directory.CreateDirectory(app);
        Assert.Null(RemoteInstallation.FindProgram(Path.Combine(app, "obengine.dll")));
        File.CreateSymbolicLink(_home["place/obengine"], "versions/1.0.0-0123456789ab/obengine");

        Assert.Equal(_home["place/obengine"], RemoteInstallation.FindProgram(Path.Combine(app, "obengine.dll")));
        Assert.Equal(_home["place/obengine"], RemoteInstallation.FindProgram(_home["place/versions/1.0.0-0123456789ab/obengine"]));
        Assert.Null(RemoteInstallation.FindProgram(_home["place/other/1.0.0-0123456789ab/obengine"]));
        Assert.Null(RemoteInstallation.FindProgram("/usr/share/obengine/obengine.dll"));
    }
}
