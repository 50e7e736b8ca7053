using MSOnlineBackup.Help.Markdown;
using MSOnlineBackup.Help.Pages;

namespace MSOnlineBackup.Module.Tests.Help;

public sealed class HelpPageTests : IDisposable
{
    private readonly HelpFolder _folder = new();

    [Fact]
    public void A_sound_page_is_read_with_its_sets_and_parameters()
    {
        HelpSource source = _folder.Read();

        Assert.Empty(source.Errors);
        CommandPage page = Assert.Single(source.Commands);
        Assert.Equal("Gets a thing.", page.Synopsis);
        Assert.Equal(["ByName", "ByThing"], page.Sets.Select(set => set.Name));
        Assert.True(page.Sets[0].IsDefault);
        Assert.False(page.Sets[1].IsDefault);
        Assert.Equal(["Force", "Kind", "Name", "Thing"], page.Parameters.Select(parameter => parameter.Name));
        ParameterUse kind = Assert.Single(page.Parameters[1].Uses);
        Assert.Equal(("ThingKind", 1, false, true, "Big"), (kind.Type, kind.Position, kind.IsRequired, kind.ByPropertyName, kind.DefaultValue));
        Assert.Equal(["Big", "Small"], kind.AcceptedValues);
        Assert.Null(page.Parameters[1].In(page.Sets[1]));
        Assert.Equal(["f", "ff"], page.Parameters[0].Uses[0].Aliases);
        Assert.Equal("Get-OBThing -Name a |\n    Where-Object { $_.Size -gt 1 }", Assert.Single(page.Examples).Code);
    }

    [Fact]
    public void Text_loses_its_marks_but_code_keeps_its_stars()
    {
        CommandPage page = Assert.Single(_folder.Read().Commands);

        Assert.Equal(
            ["Gets a thing by its name, as New-OBThing *x* made it. See the page (https://example.org/a).", "- One.", "- Two."],
            page.Description);
    }

    [Theory]
    [InlineData("Module Name: MSOnlineBackup", "Module Name: Other", "---", "Module Name: MSOnlineBackup")]
    [InlineData("# Get-OBThing", "# Get-OBOther", "# Get-OBThing", "name of the file")]
    [InlineData("## SYNOPSIS", "## SUMMARY", "# Get-OBThing", "SYNOPSIS, SYNTAX")]
    [InlineData("Gets a thing.\n", "\n", "## SYNOPSIS", "SYNOPSIS is empty")]
    [InlineData("[-Kind] <ThingKind>", "[-Kind] <String>", "```\nGet-OBThing [-Name]", "[[-Kind] <ThingKind>]")]
    [InlineData("Get-OBThing [-Thing] <OBThing> [-Force]", "Get-OBThing [-Thing] <OBThing>", "```\nGet-OBThing [-Thing]", "[-Force]")]
    [InlineData("### Example 1:", "### Example 2:", "### Example 1:", "'Example 1: '")]
    [InlineData("```powershell", "```", "### Example 1:", "fenced block 'powershell'")]
    [InlineData("Gets it by force.", "", "### -Force", "not described")]
    [InlineData("### -Kind", "### -Force", "### -Kind", "described twice")]
    [InlineData("Parameter Sets: ByThing", "Parameter Sets: ByOther", "```yaml\nType: OBThing", "no set 'ByOther'")]
    [InlineData("Position: 1", "Position: first", "Position: 1", "a number from 0")]
    [InlineData("Accept pipeline input: True (ByValue)", "Accept pipeline input: Yes", "Accept pipeline input: True (ByValue)", "one of: False;")]
    [InlineData("Default value: Big", "Standard value: Big", "```yaml\nType: ThingKind", "'Default value: …' is missing")]
    [InlineData("Accepted values: Big, Small", "Accepted value: Big, Small", "Accepted values", "'Accepted value' is not known")]
    [InlineData("### OBThing\n\nThe thing.", "", "## OUTPUTS", "### None")]
    [InlineData("(about_Things.md)", "(about_Nothing.md)", "[about_Things]", "no page 'about_Nothing.md'")]
    [InlineData("- One.", "1. One.", "- One.", "numbered lists")]
    [InlineData("- One.", "| One |", "- One.", "no tables")]
    [InlineData("### -Thing", "#### -Thing", "### -Thing", "level 4 below one of level 3")]
    public void A_mistake_is_told_with_its_line_and_what_is_expected(string text, string by, string place, string message)
    {
        PageError error = _folder.Spoil(text.ReplaceLineEndings("\n"), by);

        Assert.Equal(HelpFolder.LineOf(place), error.Line);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal($"{Path.Combine(_folder.Path, "Get-OBThing.md")}({error.Line}): error HELP: {error.Message}", error.ToString());
    }

    [Fact]
    public void A_fence_that_is_not_closed_is_told_where_it_opens()
    {
        const string Last = "```yaml\nType: OBThing";
        int end = HelpFolder.Command.IndexOf("```", HelpFolder.Command.IndexOf(Last, StringComparison.Ordinal) + 3, StringComparison.Ordinal);
        _folder.Write("Get-OBThing.md", HelpFolder.Command[..end] + HelpFolder.Command[(end + 3)..]);

        PageError error = Assert.Single(_folder.Read().Errors);
        Assert.Equal((HelpFolder.LineOf(Last), "The fence is not closed."), (error.Line, error.Message));
    }

    [Theory]
    [InlineData("# about_Things", "# about_Other", "name of the file")]
    [InlineData("## SHORT DESCRIPTION", "## IN SHORT", "begins with SHORT DESCRIPTION")]
    [InlineData("# about_Things", "Things", "heading of the first level")]
    [InlineData("## SEE ALSO", "# SEE ALSO", "one heading of the first level")]
    public void A_mistake_in_a_topic_is_told(string text, string by, string message) =>
        Assert.Contains(message, _folder.Spoil(text, by, HelpFolder.Topic).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_page_with_a_mistake_is_told_in_one_run()
    {
        _folder.Spoil("# about_Things", "Things", HelpFolder.Topic);
        _folder.Write("Get-OBThing.md", "");

        Assert.Equal(["Get-OBThing.md", "about_Things.md"], _folder.Read().Errors.Select(error => Path.GetFileName(error.File)));
    }

    public void Dispose() => _folder.Dispose();
}
