using MSOnlineBackup.Help.Markdown;

namespace MSOnlineBackup.Help.Pages;

/// <summary>All pages of a folder.</summary>
/// <param name="Commands">By name.</param>
/// <param name="Topics">By name.</param>
/// <param name="Errors">The first error of each page that has one.</param>
internal sealed record HelpSource(IReadOnlyList<CommandPage> Commands, IReadOnlyList<AboutPage> Topics, IReadOnlyList<PageError> Errors)
{
    public static HelpSource Read(string folder)
    {
        var commands = new List<CommandPage>();
        var topics = new List<AboutPage>();
        var errors = new List<PageError>();
        foreach (string file in Directory.EnumerateFiles(folder, "*.md").Order(StringComparer.Ordinal))
        {
            try
            {
                MarkdownDocument page = MarkdownReader.Read(file, File.ReadAllText(file));
                if (Path.GetFileName(file).StartsWith("about_", StringComparison.Ordinal))
                {
                    topics.Add(AboutPage.Read(page));
                }
                else
                {
                    commands.Add(CommandPageReader.Read(page));
                }
            }
            catch (PageException fault)
            {
                errors.Add(fault.Error);
            }
        }

        return new HelpSource(commands, topics, errors);
    }
}
