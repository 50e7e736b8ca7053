using System.Globalization;
using System.Xml;
using MSOnlineBackup.Help.Pages;

namespace MSOnlineBackup.Help.Output;

/// <summary>Writes pages as MAML, the XML that Get-Help reads. The order of the elements is part of that format.</summary>
internal sealed class MamlWriter
{
    private const string Maml = "http://schemas.microsoft.com/maml/2004/10";
    private const string Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private const string Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private readonly XmlWriter _xml;
    private readonly string _project;

    private MamlWriter(XmlWriter xml, string project)
    {
        _xml = xml;
        _project = project;
    }

    /// <summary>Writes the help of commands.</summary>
    /// <param name="pages">Their pages.</param>
    /// <param name="xml">Where to.</param>
    /// <param name="project">The address of the project, where each page can be read.</param>
    public static void Write(IReadOnlyList<CommandPage> pages, XmlWriter xml, string project)
    {
        var writer = new MamlWriter(xml, project);
        xml.WriteStartDocument();
        xml.WriteStartElement("helpItems", "http://msh");
        xml.WriteAttributeString("schema", "maml");
        foreach (CommandPage page in pages)
        {
            writer.WriteCommand(page);
        }

        xml.WriteEndElement();
        xml.WriteEndDocument();
    }

    private void WriteCommand(CommandPage page)
    {
        _xml.WriteStartElement("command", "command", Command);
        _xml.WriteAttributeString("xmlns", "maml", null, Maml);
        _xml.WriteAttributeString("xmlns", "dev", null, Dev);

        Element("command", "details", Command, () =>
        {
            Text("command", "name", Command, page.Name);
            Text("command", "verb", Command, page.Verb);
            Text("command", "noun", Command, page.Noun);
            WriteDescription([page.Synopsis]);
        });
        WriteDescription(page.Description);
        Element("command", "syntax", Command, () =>
        {
            foreach (ParameterSet set in page.Sets)
            {
                WriteSyntax(page, set);
            }
        });
        Element("command", "parameters", Command, () =>
        {
            foreach (Parameter parameter in page.Parameters)
            {
                foreach (ParameterUse use in parameter.Uses)
                {
                    WriteParameter(parameter, use, inSyntax: false);
                }
            }
        });
        WriteTypes("inputTypes", "inputType", page.Inputs);
        WriteTypes("returnValues", "returnValue", page.Outputs);
        Element("maml", "alertSet", Maml, () => Element("maml", "alert", Maml, () => WriteParagraphs(page.Notes)));
        Element("command", "examples", Command, () =>
        {
            foreach (Example example in page.Examples)
            {
                WriteExample(example);
            }
        });
        Element("command", "relatedLinks", Command, () =>
        {
            // The first address of a web page is the one that Get-Help -Online opens.
            foreach (Link link in page.Links.Prepend(new Link("Online Version:", $"{_project}/blob/main/docs/en-US/{page.Name}.md")))
            {
                Element("maml", "navigationLink", Maml, () =>
                {
                    Text("maml", "linkText", Maml, link.Text);
                    Text("maml", "uri", Maml, link.Address ?? "");
                });
            }
        });
        _xml.WriteEndElement();
    }

    private void WriteSyntax(CommandPage page, ParameterSet set) =>
        Element("command", "syntaxItem", Command, () =>
        {
            Text("maml", "name", Maml, page.Name);
            foreach ((Parameter parameter, ParameterUse use) in SyntaxLine.Order(page.Parameters, set))
            {
                WriteParameter(parameter, use, inSyntax: true);
            }
        });

    private void WriteParameter(Parameter parameter, ParameterUse use, bool inSyntax) =>
        Element("command", "parameter", Command, () =>
        {
            _xml.WriteAttributeString("required", Lower(use.IsRequired));
            _xml.WriteAttributeString("variableLength", Lower(use.IsList));
            _xml.WriteAttributeString("globbing", Lower(use.TakesWildcards));
            _xml.WriteAttributeString("pipelineInput", use.PipelineInput);
            _xml.WriteAttributeString("position", use.Position?.ToString(CultureInfo.InvariantCulture) ?? "named");
            _xml.WriteAttributeString("aliases", use.Aliases.Count == 0 ? "none" : string.Join(", ", use.Aliases));
            Text("maml", "name", Maml, parameter.Name);
            WriteDescription(WithValues(parameter, use));
            // In a syntax a switch has no value, and values that can be named stand for the type.
            if (!inSyntax || !use.IsSwitch)
            {
                if (inSyntax && use.AcceptedValues.Count > 0)
                {
                    Element("command", "parameterValueGroup", Command, () =>
                    {
                        foreach (string value in use.AcceptedValues)
                        {
                            WriteValue(value, isRequired: false);
                        }
                    });
                }
                else
                {
                    WriteValue(use.Type, !use.IsSwitch);
                }
            }

            Element("dev", "type", Dev, () =>
            {
                Text("maml", "name", Maml, use.Type);
                Text("maml", "uri", Maml, "");
            });
            Text("dev", "defaultValue", Dev, use.DefaultValue);
        });

    private void WriteValue(string value, bool isRequired) =>
        Element("command", "parameterValue", Command, () =>
        {
            _xml.WriteAttributeString("required", Lower(isRequired));
            _xml.WriteAttributeString("variableLength", "false");
            _xml.WriteString(value);
        });

    private void WriteTypes(string list, string item, IReadOnlyList<ObjectType> types) =>
        Element("command", list, Command, () =>
        {
            foreach (ObjectType type in types)
            {
                Element("command", item, Command, () =>
                {
                    Element("dev", "type", Dev, () => Text("maml", "name", Maml, type.Name));
                    WriteDescription(type.Description);
                });
            }
        });

    private void WriteExample(Example example) =>
        Element("command", "example", Command, () =>
        {
            Text("maml", "title", Maml, $"---------- {example.Title} ----------");
            Text("dev", "code", Dev, example.Code);
            Element("dev", "remarks", Dev, () => WriteParagraphs(example.Remarks));
        });

    private void WriteDescription(IReadOnlyList<string> paragraphs) => Element("maml", "description", Maml, () => WriteParagraphs(paragraphs));

    private void WriteParagraphs(IReadOnlyList<string> paragraphs)
    {
        foreach (string paragraph in paragraphs)
        {
            Text("maml", "para", Maml, paragraph);
        }
    }

    private static IReadOnlyList<string> WithValues(Parameter parameter, ParameterUse use) =>
        use.AcceptedValues.Count == 0
            ? parameter.Description
            : [.. parameter.Description, $"Accepted values: {string.Join(", ", use.AcceptedValues)}"];

    private void Element(string prefix, string name, string space, Action content)
    {
        _xml.WriteStartElement(prefix, name, space);
        content();
        _xml.WriteEndElement();
    }

    private void Text(string prefix, string name, string space, string text) => _xml.WriteElementString(prefix, name, space, text);

    private static string Lower(bool value) => value ? "true" : "false";
}
