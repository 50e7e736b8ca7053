using System.Text.RegularExpressions;
using System.Xml;
using MSOnlineBackup.Help.Markdown;
using MSOnlineBackup.Help.Metadata;
using MSOnlineBackup.Help.Output;
using MSOnlineBackup.Help.Pages;

namespace MSOnlineBackup.Help;

/// <summary>
/// <c>build PAGES OUTPUT MANIFEST</c> writes the help files of the pages in a folder; <c>check PAGES ASSEMBLY</c> compares the pages with the cmdlets of
/// an assembly. Ends with 0, with 1 where a page is wrong, and with 2 where the call is.
/// </summary>
internal static class Program
{
    private const string Usage = "Usage: MSOnlineBackup.Help build PAGES OUTPUT MANIFEST\n       MSOnlineBackup.Help check PAGES ASSEMBLY";

    public static int Main(string[] arguments) => Run(arguments, Console.Error);

    internal static int Run(IReadOnlyList<string> arguments, TextWriter errors)
    {
        if (arguments is not (["build", _, _, _] or ["check", _, _]))
        {
            errors.WriteLine(Usage);
            return 2;
        }

        (string verb, string pages, string second) = (arguments[0], arguments[1], arguments[2]);
        if (!Directory.Exists(pages) || (verb == "check" && !File.Exists(second)))
        {
            errors.WriteLine($"'{(Directory.Exists(pages) ? second : pages)}' does not exist.\n{Usage}");
            return 2;
        }

        HelpSource source = HelpSource.Read(pages);
        IReadOnlyList<PageError> found = source.Errors;
        if (found.Count == 0 && verb == "check")
        {
            found = PageCheck.Compare(source, CmdletReader.Read(second), pages);
        }

        foreach (PageError error in found)
        {
            errors.WriteLine(error);
        }

        if (found.Count > 0)
        {
            return 1;
        }

        if (verb == "build")
        {
            Write(source, second, ProjectOf(arguments[3]));
        }

        return 0;
    }

    // The manifest is PowerShell's; all that is wanted of it is one line.
    private static string ProjectOf(string manifest) => Regex.Match(File.ReadAllText(manifest), @"^\s*ProjectUri\s*=\s*'([^']+)'", RegexOptions.Multiline) is { Success: true } found
        ? found.Groups[1].Value
        : throw new InvalidDataException($"'{manifest}' has no ProjectUri.");

    private static void Write(HelpSource source, string folder, string project)
    {
        Directory.CreateDirectory(folder);
        var format = new XmlWriterSettings { Indent = true, NewLineChars = "\n" };
        using (XmlWriter xml = XmlWriter.Create(Path.Combine(folder, "MSOnlineBackup.dll-Help.xml"), format))
        {
            MamlWriter.Write(source.Commands, xml, project);
        }

        foreach (AboutPage page in source.Topics)
        {
            File.WriteAllText(Path.Combine(folder, page.Name + ".help.txt"), AboutText.Format(page));
        }
    }
}
