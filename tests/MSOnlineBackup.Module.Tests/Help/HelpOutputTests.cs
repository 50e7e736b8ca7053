using System.Xml.Linq;
using MSOnlineBackup.Help;

namespace MSOnlineBackup.Module.Tests.Help;

public sealed class HelpOutputTests : IDisposable
{
    private static readonly XNamespace _command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace _maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace _dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private readonly HelpFolder _folder = new();
    private readonly StringWriter _errors = new();

    private string Output => Path.Combine(_folder.Path, "out");

    private string Manifest => Path.Combine(_folder.Path, "Module.psd1");

    [Fact]
    public void The_help_file_has_the_parts_of_a_page_where_Get_Help_looks_for_them()
    {
        XElement command = Build().Root!.Element(_command + "command")!;

        Assert.Equal("Get-OBThing", command.Element(_command + "details")!.Element(_command + "name")!.Value);
        Assert.Equal("Gets a thing.", command.Element(_command + "details")!.Element(_maml + "description")!.Element(_maml + "para")!.Value);
        Assert.Equal(3, command.Element(_maml + "description")!.Elements().Count());
        Assert.Equal(
            "Get-OBThing -Name a |\n    Where-Object { $_.Size -gt 1 }",
            command.Descendants(_dev + "code").Single().Value.ReplaceLineEndings("\n"));
        Assert.Equal(["Online Version:", "about_Things"], command.Descendants(_maml + "linkText").Select(text => text.Value));
        Assert.Equal(
            "https://project.example/blob/main/docs/en-US/Get-OBThing.md", command.Descendants(_maml + "navigationLink").First().Element(_maml + "uri")!.Value);
        Assert.Equal("OBThing", command.Descendants(_command + "inputType").Single().Descendants(_maml + "name").Single().Value);
    }

    [Fact]
    public void Each_set_has_its_parameters_in_the_order_of_its_syntax()
    {
        XElement command = Build().Root!.Element(_command + "command")!;

        Assert.Equal(
            [["Name", "Kind", "Force"], ["Thing", "Force"]],
            command.Descendants(_command + "syntaxItem").Select(item => item.Elements(_command + "parameter").Select(NameOf)));
    }

    [Fact]
    public void A_parameter_shows_its_attributes()
    {
        XElement kind = Build().Descendants(_command + "parameters").Single().Elements().Single(parameter => NameOf(parameter) == "Kind");

        Assert.Equal(
            "required=false variableLength=false globbing=false pipelineInput=True (ByPropertyName) position=1 aliases=none",
            string.Join(' ', kind.Attributes().Select(attribute => $"{attribute.Name}={attribute.Value}")));
        Assert.Equal("Big", kind.Element(_dev + "defaultValue")!.Value);
        Assert.Equal("Accepted values: Big, Small", kind.Descendants(_maml + "para").Last().Value);
    }

    [Fact]
    public void In_a_syntax_a_switch_has_no_value_and_named_values_stand_for_the_type()
    {
        XElement set = Build().Descendants(_command + "syntaxItem").First();

        Assert.Empty(ValuesOf("Force"));
        Assert.Equal(["Big", "Small"], ValuesOf("Kind"));

        IEnumerable<string> ValuesOf(string name) =>
            set.Elements(_command + "parameter").Single(parameter => NameOf(parameter) == name)
                .Descendants(_command + "parameterValue").Select(value => value.Value);
    }

    [Fact]
    public void A_topic_is_wrapped_at_eighty_columns_and_its_code_is_not()
    {
        Build();

        Assert.Equal(
            """
            TOPIC
                about_Things

            SHORT DESCRIPTION
                What things are.

            LONG DESCRIPTION
                Things are made of many words, so that this paragraph of plain text has to
                be wrapped somewhere before the eightieth column.

              Kinds
                - Big ones, which are larger than the small ones by as much as is needed to
                  make this item wrap too.
                - Small ones.

                    Get-OBThing -Kind Big | Where-Object { $_.IsLargerThanAnythingThatFitsIntoEightyColumns }

            SEE ALSO
                - Get-OBThing

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(Path.Combine(Output, "about_Things.help.txt")));
    }

    [Fact]
    public void A_mistake_stops_the_build_before_anything_is_written()
    {
        _folder.Write("about_Things.md", "Things");

        Assert.Equal(1, Program.Run(["build", _folder.Path, Output, Manifest], _errors));
        Assert.Contains("about_Things.md(1): error HELP:", _errors.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public void A_call_that_is_not_understood_shows_how_it_is_made()
    {
        Assert.Equal(2, Program.Run(["build"], _errors));
        Assert.StartsWith("Usage:", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Program.Run(["check", _folder.Path, Output], _errors));
        Assert.Contains($"'{Output}' does not exist.", _errors.ToString(), StringComparison.Ordinal);
    }

    private XDocument Build()
    {
        _folder.Write("Module.psd1", "            ProjectUri = 'https://project.example'");
        Assert.Equal(0, Program.Run(["build", _folder.Path, Output, Manifest], _errors));
        return XDocument.Load(Path.Combine(Output, "MSOnlineBackup.dll-Help.xml"));
    }

    private static string NameOf(XElement parameter) => parameter.Element(_maml + "name")!.Value;

    public void Dispose()
    {
        _errors.Dispose();
        _folder.Dispose();
    }
}
