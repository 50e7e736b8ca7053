using MSOnlineBackup.Help;
using MSOnlineBackup.Help.Markdown;
using MSOnlineBackup.Help.Metadata;

namespace MSOnlineBackup.Module.Tests.Help;

public sealed class PageCheckTests : IDisposable
{
    private readonly HelpFolder _folder = new();

    [Fact]
    public void A_cmdlet_is_read_from_metadata_with_inherited_parameters()
    {
        CmdletMetadata cmdlet = ThingCmdlet();

        Assert.Equal("ByName", cmdlet.DefaultSet);
        Assert.Equal(["ByName", "ByThing"], cmdlet.Sets);
        Assert.Equal(["Force", "Kind", "Name", "Thing"], cmdlet.Parameters.Select(parameter => parameter.Name).Order());
        ParameterMetadata kind = cmdlet.Parameters.Single(parameter => parameter.Name == "Kind");
        Assert.Equal("ThingKind", kind.Type);
        Assert.Equal(["Big", "Small"], kind.AcceptedValues);
        Assert.Equal(new ParameterUseMetadata("ByName", false, 1, false, true), Assert.Single(kind.Uses));
        Assert.Equal(["f", "ff"], cmdlet.Parameters.Single(parameter => parameter.Name == "Force").Aliases);
    }

    [Fact]
    public void A_page_that_says_what_is_so_passes() => Assert.Empty(Compare(ThingCmdlet()));

    [Fact]
    public void A_cmdlet_that_asks_before_it_acts_has_to_describe_both_switches()
    {
        CmdletMetadata cmdlet = CmdletReader.Read(typeof(PageCheckTests).Assembly.Location).Single(cmdlet => cmdlet.Name == "Set-OBThing");

        Assert.Equal(["List<DayOfWeek>", "DateTime", "SwitchParameter", "SwitchParameter"], cmdlet.Parameters.Select(parameter => parameter.Type));
        Assert.Equal(["Days", "Until", "WhatIf", "Confirm"], cmdlet.Parameters.Select(parameter => parameter.Name));
        Assert.Empty(cmdlet.Sets);
    }

    [Theory]
    [InlineData("Type: OBThing", "Type: OBOther", "'Type' of -Thing should be: OBThing")]
    [InlineData("Aliases: f, ff", "Aliases: f", "'Aliases' of -Force should be: f, ff")]
    [InlineData("input: True (ByValue)", "input: False", "'Accept pipeline input' of -Thing should be: True (ByValue)")]
    [InlineData("Accepted values: Big, Small", "Accepted values: Big", "'Accepted values' of -Kind should be: Big, Small")]
    [InlineData("Accept wildcard characters: True", "Accept wildcard characters: False", "'Accept wildcard characters' of -Name should be: True")]
    [InlineData("### ByName (Default)", "### ByName", "The default set of the cmdlet is ByName.")]
    public void A_page_that_says_otherwise_is_told(string text, string by, string message)
    {
        // The syntax has to agree with the parameter, so that only what the cmdlet says differs.
        string page = HelpFolder.Command.Replace(text, by, StringComparison.Ordinal);
        _folder.Write("Get-OBThing.md", page.Contains("OBOther") ? page.Replace("<OBThing>", "<OBOther>", StringComparison.Ordinal) : page);

        Assert.Equal(message, Assert.Single(Compare(ThingCmdlet())).Message);
    }

    [Fact]
    public void Parameters_on_one_side_only_are_told()
    {
        CmdletMetadata cmdlet = ThingCmdlet();
        var size = new ParameterMetadata("Size", "Int32", [], null, false, [new ParameterUseMetadata("ByThing", false, null, false, false)]);

        Assert.Equal(
            ["The set has a parameter -Size, which is not described for it.", "The cmdlet has no parameter -Kind in the set ByName."],
            Compare(cmdlet with { Parameters = [.. cmdlet.Parameters.Where(parameter => parameter.Name != "Kind"), size] })
                .Select(error => error.Message).OrderDescending());
    }

    [Fact]
    public void A_cmdlet_without_page_and_a_page_without_cmdlet_are_told()
    {
        CmdletMetadata other = ThingCmdlet() with { Name = "Get-OBOther" };

        Assert.Equal(["The cmdlet has no page.", "There is no such cmdlet."], Compare(other).Select(error => error.Message));
    }

    [Fact]
    public void The_modules_pages_say_what_its_cmdlets_are()
    {
        using var errors = new StringWriter();
        int result = Program.Run(["check", Repository.File("docs", "en-US"), Path.Combine(AppContext.BaseDirectory, "MSOnlineBackup.dll")], errors);

        Assert.Equal("", errors.ToString());
        Assert.Equal(0, result);
    }

    private static CmdletMetadata ThingCmdlet() =>
        CmdletReader.Read(typeof(PageCheckTests).Assembly.Location).Single(cmdlet => cmdlet.Name == "Get-OBThing");

    private IReadOnlyList<PageError> Compare(CmdletMetadata cmdlet) => PageCheck.Compare(_folder.Read(), [cmdlet], _folder.Path);

    public void Dispose() => _folder.Dispose();
}
