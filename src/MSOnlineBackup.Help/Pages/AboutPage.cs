using MSOnlineBackup.Help.Markdown;

namespace MSOnlineBackup.Help.Pages;

/// <summary>A topic.</summary>
/// <param name="Name">As in <c>Get-Help about_…</c>.</param>
/// <param name="Short">What it is about, in one paragraph.</param>
/// <param name="Sections">All of it, by its headings.</param>
internal sealed record AboutPage(string Name, string Short, IReadOnlyList<MarkdownSection> Sections)
{
    public static AboutPage Read(MarkdownDocument page)
    {
        MarkdownSection root = page.Root;
        if (root.Title != Path.GetFileNameWithoutExtension(page.File))
        {
            throw page.Fault(root.Line, "The heading is not the name of the file.");
        }

        return root is { Blocks.Count: 0, Sections: [{ Title: "SHORT DESCRIPTION", Blocks: [Paragraph brief] }, { Title: "LONG DESCRIPTION" }, ..] }
            ? new AboutPage(root.Title, PlainText.Of(brief.Text), root.Sections)
            : throw page.Fault(root.Line, "A topic begins with SHORT DESCRIPTION, of one paragraph, and LONG DESCRIPTION.");
    }
}
