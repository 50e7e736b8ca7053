using MSOnlineBackup.Help.Markdown;
using MSOnlineBackup.Help.Pages;

namespace MSOnlineBackup.Module.Tests.Help;

/// <summary>A folder with one sound page, <c>Get-OBThing</c>, and one topic; tests spoil them.</summary>
internal sealed class HelpFolder : IDisposable
{
    public const string Command = """
        ---
        external help file: MSOnlineBackup.dll-Help.xml
        Module Name: MSOnlineBackup
        online version:
        schema: 2.0.0
        ---

        # Get-OBThing

        ## SYNOPSIS

        Gets a thing.

        ## SYNTAX

        ### ByName (Default)

        ```
        Get-OBThing [-Name] <String[]> [[-Kind] <ThingKind>]
         [-Force] [<CommonParameters>]
        ```

        ### ByThing

        ```
        Get-OBThing [-Thing] <OBThing> [-Force] [<CommonParameters>]
        ```

        ## DESCRIPTION

        Gets a thing by its **name**, as `New-OBThing *x*` made it.
        See [the page](https://example.org/a).

        - One.
        - Two.

        ## EXAMPLES

        ### Example 1: Get it

        ```powershell
        Get-OBThing -Name a |
            Where-Object { $_.Size -gt 1 }
        ```

        That was it.

        ## PARAMETERS

        ### -Force

        Gets it by force.

        ```yaml
        Type: SwitchParameter
        Parameter Sets: (All)
        Aliases: f, ff

        Required: False
        Position: Named
        Default value: False
        Accept pipeline input: False
        Accept wildcard characters: False
        ```

        ### -Kind

        Of which kind.

        ```yaml
        Type: ThingKind
        Parameter Sets: ByName
        Aliases:
        Accepted values: Big, Small

        Required: False
        Position: 1
        Default value: Big
        Accept pipeline input: True (ByPropertyName)
        Accept wildcard characters: False
        ```

        ### -Name

        Its name.

        ```yaml
        Type: String[]
        Parameter Sets: ByName
        Aliases:

        Required: True
        Position: 0
        Default value: None
        Accept pipeline input: False
        Accept wildcard characters: True
        ```

        ### -Thing

        The thing.

        ```yaml
        Type: OBThing
        Parameter Sets: ByThing
        Aliases:

        Required: True
        Position: 0
        Default value: None
        Accept pipeline input: True (ByValue)
        Accept wildcard characters: False
        ```

        ### CommonParameters

        As always.

        ## INPUTS

        ### OBThing

        Bound to `-Thing`.

        ## OUTPUTS

        ### OBThing

        The thing.

        ## NOTES

        ## RELATED LINKS

        [about_Things](about_Things.md)
        """;

    public const string Topic = """
        # about_Things

        ## SHORT DESCRIPTION

        What things are.

        ## LONG DESCRIPTION

        Things are made of many words, so that this paragraph of `plain` text has to be wrapped somewhere before the eightieth column.

        ### Kinds

        - Big ones, which are larger than the small ones by as much as is needed to make this item wrap too.
        - Small ones.

        ```powershell
        Get-OBThing -Kind Big | Where-Object { $_.IsLargerThanAnythingThatFitsIntoEightyColumns }
        ```

        ## SEE ALSO

        - Get-OBThing
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("help-");

    public HelpFolder()
    {
        Write("Get-OBThing.md", Command);
        Write("about_Things.md", Topic);
    }

    public string Path => _folder.FullName;

    public void Write(string name, string text) => File.WriteAllText(System.IO.Path.Combine(Path, name), text);

    public HelpSource Read() => HelpSource.Read(Path);

    /// <summary>The only error of a page in which one text stands for another; its line is counted from the beginning of the page.</summary>
    public PageError Spoil(string text, string by, string page = Command)
    {
        Assert.Contains(text, page, StringComparison.Ordinal);
        Write(page == Command ? "Get-OBThing.md" : "about_Things.md", page.Replace(text, by, StringComparison.Ordinal));
        return Assert.Single(Read().Errors);
    }

    public static int LineOf(string text, string page = Command) => page[..page.IndexOf(text, StringComparison.Ordinal)].Split('\n').Length;

    public void Dispose() => _folder.Delete(recursive: true);
}
