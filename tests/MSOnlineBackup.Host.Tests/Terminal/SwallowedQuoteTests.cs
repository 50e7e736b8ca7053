using MSOnlineBackup.Host.Terminal;

namespace MSOnlineBackup.Host.Tests.Terminal;

public sealed class SwallowedQuoteTests
{
    [Theory]
    [InlineData("C:\\dir\" --tag x", "\"C:\\dir\"")]
    [InlineData("C:\" --tag x", "\"C:\\\\\"")]
    [InlineData("C:\\dir\\\" --tag x", "\"C:\\dir\"")]
    [InlineData("C:\\dir\"", "\"C:\\dir\"")]
    [InlineData("dir\" --vault D:\\v", "\"dir\"")]
    [InlineData("\\\\server\\share\" -q", "\"\\\\server\\share\"")]
    public async Task A_backslash_that_swallowed_the_quotation_mark_is_explained(string argument, string instead)
    {
        var run = new HostRun { IsWindows = true };

        Assert.Equal(2, await run.RunAsync("backup", argument));

        Assert.Contains($"'{argument}' contains a quotation mark", run.Error, StringComparison.Ordinal);
        Assert.Contains($"What to do: Write {instead}:", run.Error, StringComparison.Ordinal);
        Assert.Contains("Error id: ArgumentInvalid", run.Error, StringComparison.Ordinal);
        Assert.Equal(3, run.Error.TrimEnd('\n').Split('\n').Length);
    }

    [Theory]
    [InlineData("backup", "--tag", "say \"hello\" to")]
    [InlineData("backup", "--passphrase-command", "C:\\tool.exe \"a b\" c")]
    [InlineData("backup", "--passphrase-command=C:\\tool.exe \"a b\" c")]
    [InlineData("backup", "--command", "--", "sqlcmd", "C:\\x\" y")]
    [InlineData("backup", "C:\\dir\\")]
    public void What_may_have_quotation_marks_keeps_them(params string[] arguments) => Assert.Null(SwallowedQuote.Find(arguments, "obengine backup"));

    [Fact]
    public async Task Elsewhere_names_may_have_them()
    {
        var run = new HostRun { IsWindows = false };

        await run.RunAsync("backup", "/a\" b", "--vault", "/nowhere/at/all");

        Assert.DoesNotContain("quotation mark", run.Error, StringComparison.Ordinal);
    }
}
